"""Replicas that serve the same, and those that only say so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.client.dialect import ModelEntry, ServerDescription
from harness.client.protocol import Answer, ChatRequest, Failed, Layer, Reply, RequestContext
from harness.errors import AdapterNotApplied, EvidenceError, ServerError
from harness.records.attempt import Failure, Timing
from harness.records.plan import Plan
from harness.records.target import Generation
from harness.run.plan import plan
from harness.targets.adapter_proof import prove_all
from harness.targets.client_stack import ClientStack, Replica
from tests.builders import identity, shop
from tests.manual_clock import ManualClock

Logprobs = tuple[tuple[str, float], ...]
SAME: Logprobs = (("a", -0.5), ("b", -0.25))
TUNED: Logprobs = (("a", -0.4), ("b", -0.35))
OTHER: Logprobs = (("a", -0.6), ("b", -0.25))
FORKED: Logprobs = (("z", -0.1), ("b", -0.25))
TIMING = Timing(sent=0.0, done=0.0)
BASE = ModelEntry("base", root="m", max_model_len=512)


class Server(Layer):
    """Says the next of `said` to each round of eight probes of the base, then the last again."""

    def __init__(self, *said: Logprobs | Failure | str, tuned: Logprobs = TUNED) -> None:
        super().__init__(ManualClock())
        self.said, self.tuned = said, tuned
        self.requests: list[ChatRequest] = []
        self.base_asked = 0
        self.description: ServerDescription | ServerError = ServerDescription(
            (BASE, ModelEntry("tuned", parent="base", root="t")), "vllm 1"
        )

    async def describe(self) -> ServerDescription:
        if isinstance(self.description, ServerError):
            raise self.description
        return self.description

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        self.requests.append(request)
        said: Logprobs | Failure | str = self.tuned
        if request.model == "base":
            said = self.said[min(self.base_asked // 8, len(self.said) - 1)]
            self.base_asked += 1
        if isinstance(said, Failure):
            return Failed(said, TIMING, 1)
        if isinstance(said, str):
            return Answer(said, None, "stop", None, TIMING, 1, request.model)
        logprobs = said if request.logprobs else None
        text = " ".join(token for token, _ in said)
        return Answer(text, None, "stop", None, TIMING, 1, request.model, logprobs)


def clients(*servers: Server) -> ClientStack:
    by_address = {f"http://{number}": server for number, server in enumerate(servers, 1)}
    endpoint: Any = SimpleNamespace(
        describe=lambda address: by_address[address].describe(),
        dialect_of=lambda _: SimpleNamespace(turns=lambda request: (request,)),
        urls=tuple(by_address),
        known={},
        meter=None,
    )
    replicas = tuple(
        Replica(address, server, server, endpoint) for address, server in by_address.items()
    )
    return ClientStack(replicas, Generation(), ManualClock())


@pytest.fixture
def base(tmp_path: Path) -> Plan:
    project, suites = shop(tmp_path)
    return plan(project, "base", suites, identity("base"))


@pytest.fixture
def tuned(tmp_path: Path) -> Plan:
    project, suites = shop(tmp_path)
    return plan(project, "candidate", suites, identity("tuned", "sha256:a"))


class Heard(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


async def test_one_server_without_an_adapter_is_asked_nothing(base: Plan) -> None:
    server = Server(SAME)
    assert await prove_all(clients(server), base, Heard()) is None
    assert server.requests == []


async def test_replicas_that_answer_alike_agree(base: Plan) -> None:
    servers = [Server(SAME), Server(SAME), Server(SAME)]
    found = clients(*servers)
    said = Heard()
    assert await prove_all(found, base, said, "gateway") is None
    assert (len(found.replicas), said) == (3, [])
    assert [len(server.requests) for server in servers] == [16, 8, 8]
    assert {request.answers_as for request in servers[1].requests} == {"gateway"}


NOISY: Logprobs = (("a", -0.5), ("b", -0.28))


async def test_what_the_first_differs_by_from_itself_is_noise(base: Plan) -> None:
    await prove_all(clients(Server(SAME, NOISY), Server(OTHER)), base, Heard())
    with pytest.raises(EvidenceError, match=r"largest difference 0\.1 nats, noise 0\)"):
        await prove_all(clients(Server(SAME), Server(OTHER)), base, Heard())


@pytest.mark.parametrize("odd", [OTHER, FORKED, SAME[:1], "b a"])
async def test_a_replica_with_other_weights_is_named(base: Plan, odd: Logprobs | str) -> None:
    with pytest.raises(EvidenceError, match="answers 8 of 8 probes differently") as caught:
        await prove_all(clients(Server(SAME), Server(SAME), Server(odd)), base, Heard())
    assert caught.value.line.startswith("http://3: is no replica of http://1")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("description", "said"),
    [
        (ServerDescription((BASE,), "vllm 2"), "its version is vllm 2, not vllm 1"),
        (
            ServerDescription((ModelEntry("base", root="n", max_model_len=512),), "vllm 1"),
            "its root of `base` is n, not m",
        ),
        (
            ServerDescription((ModelEntry("base", root="m", max_model_len=256),), "vllm 1"),
            "its max_model_len of `base` is 256, not 512",
        ),
        (
            ServerDescription(
                (ModelEntry("base", parent="x", root="m", max_model_len=512),), "vllm 1"
            ),
            "its parent of `base` is x, not None",
        ),
        (ServerDescription((ModelEntry("else"),), "vllm 1"), "does not list `base`"),
    ],
)
async def test_a_replica_that_describes_itself_otherwise_is_refused_unasked(
    base: Plan, description: ServerDescription, said: str
) -> None:
    servers = [Server(SAME), Server(SAME)]
    servers[1].description = description
    with pytest.raises(EvidenceError, match=said) as caught:
        await prove_all(clients(*servers), base, Heard())
    assert caught.value.line.startswith("http://2: ")
    assert servers[0].requests == servers[1].requests == []


async def test_servers_without_log_probabilities_are_compared_by_their_texts(base: Plan) -> None:
    await prove_all(clients(Server("x"), Server("x")), base, Heard())
    with pytest.raises(EvidenceError, match="answers 8 of 8 probes differently"):
        await prove_all(clients(Server("x"), Server("y")), base, Heard())


async def test_a_server_that_refuses_log_probabilities_is_asked_without(base: Plan) -> None:
    refused = Failure(cause="http", detail="no logprobs here", status=400)

    class Plain(Server):
        async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
            if request.logprobs:
                return Failed(refused, TIMING, 1)
            return await super().send(request, context)

    await prove_all(clients(Plain("x"), Plain("x")), base, Heard())
    with pytest.raises(EvidenceError, match="differently"):
        await prove_all(clients(Plain("x"), Plain("y")), base, Heard())
    with pytest.raises(ServerError, match="http://1: a probe of `base` failed: no logprobs here"):
        await prove_all(clients(Plain(refused), Plain("x")), base, Heard())


async def test_a_first_that_contradicts_itself_tells_nothing(base: Plan) -> None:
    with pytest.raises(EvidenceError, match="http://1: contradicts itself on 8 of 8"):
        await prove_all(clients(Server(SAME, FORKED), Server(SAME)), base, Heard())


@pytest.mark.parametrize("away", [0, 1, 2])
@pytest.mark.parametrize("how", ["described", "asked"])
async def test_a_replica_that_is_not_there_is_left_out_and_said(
    base: Plan, away: int, how: str
) -> None:
    refused = Failure(cause="connect", detail="cannot connect")
    servers = [Server(SAME), Server(SAME), Server(SAME)]
    servers[away].said = (refused,)
    if how == "described":
        servers[away].description = ServerError("cannot connect")
    found, said = clients(*servers), Heard()
    await prove_all(found, base, said)
    assert said == [f"http://{away + 1} is left out, 2 remain: cannot connect"]
    asked = len(servers[away].requests)
    for _ in range(4):
        await found.client.ask(ChatRequest("base", (), 8))
    assert (len(found.replicas), len(servers[away].requests)) == (2, asked)


async def test_where_none_is_there_the_first_says_why(base: Plan) -> None:
    servers = [Server(SAME), Server(SAME)]
    for number, server in enumerate(servers):
        server.description = ServerError(f"gone {number}")
    with pytest.raises(ServerError, match="gone 0"):
        await prove_all(clients(*servers), base, Heard())


async def test_the_adapter_is_proven_on_every_replica(tuned: Plan) -> None:
    servers = [Server(SAME), Server(SAME)]
    proof = await prove_all(clients(*servers), tuned, Heard())
    assert proof is not None
    assert (proof.probes, proof.differing) == (16, 16)
    # Twice and once to see that they agree; then 16 probes twice to the base, once to the adapter.
    assert [len(server.requests) for server in servers] == [16 + 48, 8 + 48]


async def test_an_adapter_that_one_replica_dropped_is_refused(tuned: Plan) -> None:
    servers = [Server(SAME), Server(SAME)]
    servers[1].description = ServerDescription((BASE,), "vllm 1")
    with pytest.raises(AdapterNotApplied, match="http://2: does not list `tuned`"):
        await prove_all(clients(*servers), tuned, Heard())


async def test_an_adapter_that_one_replica_does_not_apply_is_refused(tuned: Plan) -> None:
    servers = [Server(SAME), Server(TUNED)]
    with pytest.raises(AdapterNotApplied, match=r"http://2: .*16 of 16 probes exactly as its base"):
        await prove_all(clients(*servers), tuned, Heard())
