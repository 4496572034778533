"""Arms: from two targets to what each is called, asked and told on their one server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.client.dialect import ServerDescription
from harness.client.protocol import Answer, ChatClient, Failed
from harness.config import Project
from harness.errors import EvidenceError, ServerError, UsageError
from harness.latency.block import Asked, Due
from harness.records.attempt import Failure
from harness.records.http_server import HttpServer
from harness.records.latency import Arm, LatencySettings
from harness.records.plan import Plan
from harness.records.server import RemoteServer
from harness.records.target import Generation
from harness.run.generate import REFUSED_STATUS
from harness.targets.endpoint import Endpoint

# What a server says of a request that no other can answer either.
_BAD_REQUEST = frozenset({400, 413, 422})


def check_server(project: Project, candidate: str, baseline: str) -> str:
    """The name of the one server that both targets are on, where latency can be measured there.

    Raises:
        UsageError: they are on two, or on one whose replies are no streams or come from several
            machines, or which is not to be asked as fast as it answers.
    """
    names = [project.target(name).server for name in (candidate, baseline)]
    where = f"{project.file}: servers.{names[0]}"
    if names[0] != names[1]:
        raise UsageError(
            f"`{candidate}` is on server `{names[0]}`, `{baseline}` on `{names[1]}`: two servers "
            "cannot be told from two models",
            where=f"{project.file}: targets",
            hint="measure both on one server",
        )
    server = project.config.servers[names[0]]
    if isinstance(server, HttpServer):
        raise UsageError(
            "latency is measured on OpenAI-compatible servers, which stream", where=where
        )
    several = len(server.urls) if isinstance(server, RemoteServer) else server.replicas
    if several > 1:
        raise UsageError(
            f"has {several} replicas, whose differences would be measured too",
            where=where,
            hint="measure one of them",
        )
    limits = (server.max_requests_per_minute, server.max_tokens_per_minute, server.max_cost)
    if limits != (None, None, None):
        raise UsageError(
            "has limits on how it is asked, and they would be measured instead of it",
            where=where,
            hint="measure on a server without max_requests_per_minute and the like",
        )
    return names[0]


@dataclass(frozen=True, slots=True)
class ArmPlan:
    """An arm's plan: whose conversations are put to which model, and how it may be sampled."""

    plan: Plan
    generation: Generation
    answers_as: str | None

    def asked(self, dues: Sequence[Due], extra: dict[str, object]) -> Asked:
        """How the arm is asked in a block: its prompts are at hand before the clock runs."""
        prompts = {due.prompt: self.plan.asks[due.prompt].messages for due in dues}
        return Asked(
            self.plan.identity.model, prompts, self.generation, self.answers_as, dict(extra)
        )


def arm_plan(project: Project, planned: Plan, settings: LatencySettings) -> ArmPlan:
    """The plan of an arm with answers of the measurement's length."""
    generation = planned.generation.model_copy(update={"max_tokens": settings.max_tokens})
    return ArmPlan(planned, generation, project.target(planned.target).answers_as)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the server does for a measurement: answers of one length, caches kept apart."""

    fixed: bool
    salted: bool

    def fields(self, max_tokens: int, salt: str) -> dict[str, object]:
        """The fields of the server's own that say so in a request."""
        fields: dict[str, object] = {}
        if self.fixed:
            fields |= {"ignore_eos": True, "min_tokens": max_tokens}
        if self.salted:
            # Only its being another counts; vLLM takes no slash, and 128 characters at most.
            fields["cache_salt"] = hashlib.sha256(salt.encode()).hexdigest()
            fields["stream_options"] = {"continuous_usage_stats": True}
        return fields


async def wishes(
    endpoint: Endpoint,
    described: ServerDescription,
    arm: ArmPlan,
    settings: LatencySettings,
    client: ChatClient,
) -> Wishes:
    """What the server grants; only vLLM, which tells how long a conversation may be, is asked.

    Raises:
        ServerError: it does not answer at all.
    """
    asked = Wishes(fixed=settings.length == "fixed", salted=True)
    is_vllm = any(entry.max_model_len is not None for entry in described.models)
    for one in (asked, replace(asked, salted=False)) if is_vllm else ():
        extra = one.fields(settings.max_tokens, "try")
        reply = await client.ask(arm.asked([_FIRST], extra).request(0))
        if isinstance(reply, Answer):
            return one
        if reply.failure.status not in _BAD_REQUEST:
            raise _refusal(endpoint, reply)
    return Wishes(fixed=False, salted=False)


_FIRST = Due(0, 0.0, uncounted=True)


def _refusal(endpoint: Endpoint, reply: Failed) -> ServerError:
    return ServerError(
        reply.failure.detail, where=endpoint.urls[0], hint="look at the server's log"
    )


def check_sample(who: tuple[Arm, str], where: str, prompt: str, failure: Failure) -> None:
    """Nothing, where a failure is one that a server under load has now and then.

    Raises:
        EvidenceError: it no longer has the model.
        UsageError: the prompt is none that it takes.
        ServerError: it refuses the key.
    """
    arm, model = who
    status, detail = failure.status, failure.detail
    if status == 404:
        raise EvidenceError(
            f"the server no longer serves `{model}`, the {arm}: {detail}",
            where=where,
            hint="load it again, then measure again",
        )
    if status in REFUSED_STATUS:
        raise ServerError(f"the server refuses the key: {detail}", where=where)
    if status in _BAD_REQUEST:
        raise UsageError(
            f"the server refuses {prompt}: {detail}",
            where=where,
            hint="shorten it or max_tokens, or name other suites in `latency: {suites: [...]}`",
        )
