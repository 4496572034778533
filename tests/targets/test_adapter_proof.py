from __future__ import annotations

from pathlib import Path

import pytest

from harness.client.models import ModelEntry, ServerDescription
from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.errors import AdapterNotApplied, ServerError
from harness.records.attempt import Failure, Timing
from harness.records.plan import Plan
from harness.run.plan import plan
from harness.targets.adapter_proof import prove
from tests.builders import identity, shop

Logprobs = tuple[tuple[str, float], ...]


class Server:
    """Answers probes with log-probabilities by model and by how often it was asked."""

    def __init__(self, base: list[Logprobs], adapter: Logprobs | None) -> None:
        self.base, self.adapter = base, adapter
        self.asked: dict[str, int] = {}

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        assert request.logprobs
        self.asked[request.model] = self.asked.get(request.model, 0) + 1
        timing = Timing(sent=0.0, done=0.0)
        if request.model == "tuned" and self.adapter is None:
            return Failed(Failure(cause="http", detail="500", status=500), timing, 1)
        round_ = 0 if self.asked[request.model] <= 8 else -1
        logprobs = self.adapter if request.model == "tuned" else self.base[round_]
        return Answer("x", None, "stop", None, timing, 1, request.model, logprobs)


def listed(parent: str | None = "base", name: str = "tuned") -> ServerDescription:
    entries = (
        ModelEntry(id="base", parent=None, root=None, max_model_len=None),
        ModelEntry(id=name, parent=parent, root=None, max_model_len=None),
    )
    return ServerDescription(models=entries, version="1")


def tuned(tmp_path: Path) -> Plan:
    project, suites = shop(tmp_path)
    return plan(project, "candidate", suites, identity("tuned", "sha256:a"))


SAME: Logprobs = (("a", -0.5), ("b", -0.25))


async def test_a_weak_but_real_adapter_is_accepted(tmp_path: Path) -> None:
    """Greedy text is the same; only the log-probabilities move."""
    server = Server([SAME], (("a", -0.5), ("b", -0.2512)))
    proof = await prove(server, listed(), tuned(tmp_path))
    assert (proof.probes, proof.differing, proof.adapter) == (8, 8, "sha256:a")
    assert proof.largest_gap == pytest.approx(0.0012)


async def test_an_adapter_without_effect_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterNotApplied, match="8 of 8 probes exactly as its base does"):
        await prove(Server([SAME], SAME), listed(), tuned(tmp_path))


async def test_a_difference_within_the_noise_of_the_base_proves_nothing(tmp_path: Path) -> None:
    noisy = [SAME, (("a", -0.501), ("b", -0.25))]
    server = Server(noisy, (("a", -0.5), ("b", -0.252)))
    with pytest.raises(AdapterNotApplied, match=r"noise 0\.001"):
        await prove(server, listed(), tuned(tmp_path))


@pytest.mark.parametrize(
    "server", [listed(parent="other"), listed(parent=None), listed(name="else")]
)
async def test_an_adapter_that_the_server_does_not_list_under_its_base_is_refused(
    tmp_path: Path, server: ServerDescription
) -> None:
    with pytest.raises(AdapterNotApplied, match="does not list `tuned` as an adapter of a base"):
        await prove(Server([SAME], SAME), server, tuned(tmp_path))


async def test_a_base_that_contradicts_itself_everywhere_proves_nothing(tmp_path: Path) -> None:
    server = Server([SAME, (("z", -0.5), ("b", -0.25))], (("q", -0.1),))
    with pytest.raises(AdapterNotApplied, match="contradicts itself on 8 of 8"):
        await prove(server, listed(), tuned(tmp_path))


async def test_a_failed_probe_is_no_proof(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="a probe of `tuned` failed: 500"):
        await prove(Server([SAME], None), listed(), tuned(tmp_path))


async def test_log_probabilities_must_come(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="gave no log-probabilities"):
        await prove(Server([SAME], ()), listed(), tuned(tmp_path))
