"""Rounds: each arm's block in turn at its server, client and server watched."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from harness.client.protocol import Answer, ChatClient
from harness.client.refused_fields import check_taken
from harness.clock import Clock
from harness.config import Project
from harness.errors import EvidenceError, ServerError, UsageError
from harness.latency import quantities
from harness.latency.arm_servers import ArmServer, ArmServers
from harness.latency.block import Asked, Due, counted, prime, requests, run_block
from harness.latency.health import LoopLagMonitor
from harness.latency.lateness import allowed
from harness.records.attempt import GONE, Failure
from harness.records.latency import ARMS, Arm, Block, LatencySettings, Measurement, Pace, Sample
from harness.records.load import Load
from harness.records.plan import Plan
from harness.records.target import Generation
from harness.run.few_shot import Examples
from harness.run.generate import REFUSED_STATUS

# What a server says of a request that no other can answer either.
_BAD_REQUEST = frozenset({400, 413, 422})


def check_length(project: Project, targets: Sequence[str], settings: LatencySettings) -> None:
    """Return if answers as long as the measurement's have room for more than their thinking.

    Raises:
        UsageError: a target's budget of thinking takes all of them.
    """
    for name in targets:
        budget = project.generation(name).thinking_token_budget
        if budget is not None and budget >= settings.max_tokens:
            raise UsageError(
                f"leaves nothing for an answer of `{name}` after its thinking_token_budget of "
                f"{budget}",
                where=project.place("latency.max_tokens"),
                hint=f"raise it above {budget}; it counts thinking and answer",
            )


@dataclass(frozen=True, slots=True)
class ArmPlan:
    """An arm's plan: whose conversations are put to which model, and how it may be sampled.

    `examples` stand before each; the `asker` makes of a server's client one that looks up passages.
    """

    plan: Plan
    generation: Generation
    answers_as: str | None
    examples: Examples | None = None
    asker: Callable[[ChatClient], ChatClient] = lambda client: client

    def asked(self, dues: Sequence[Due], extra: dict[str, object]) -> Asked:
        """How the arm is asked in a block: its prompts are at hand before the clock runs."""
        asks = {due.prompt: self.plan.requests[due.prompt] for due in dues}
        prompts = {
            place: ask.messages if self.examples is None else self.examples.conversation(ask)
            for place, ask in asks.items()
        }
        return Asked(
            self.plan.identity.model, prompts, self.generation, self.answers_as, dict(extra)
        )


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the server does for a measurement: answers of one length, caches kept apart."""

    fixed: bool
    salted: bool

    def __and__(self, other: Wishes) -> Wishes:
        """What both of two servers do."""
        return Wishes(fixed=self.fixed and other.fixed, salted=self.salted and other.salted)

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


async def wishes(server: ArmServer, arm: ArmPlan, settings: LatencySettings) -> Wishes:
    """What the server grants; only vLLM, which tells how long a conversation may be, is asked.

    Raises:
        ServerError: it does not answer at all.
    """
    described = await server.endpoint.describe()
    first = Due(0, 0.0, uncounted=True)
    asked = Wishes(fixed=settings.length == "fixed", salted=True)
    is_vllm = any(entry.max_model_len is not None for entry in described.models)
    for one in (asked, replace(asked, salted=False)) if is_vllm else ():
        extra = one.fields(settings.max_tokens, "try")
        reply = await server.client.ask(arm.asked([first], extra).request(0))
        if isinstance(reply, Answer):
            return one
        if reply.failure.status not in _BAD_REQUEST:
            raise ServerError(
                reply.failure.detail, where=server.where, hint="look at the server's log"
            )
    return Wishes(fixed=False, salted=False)


def check_sample(who: tuple[Arm, str], where: str, prompt: str, failure: Failure) -> None:
    """Check that a failure is one that a server under load has now and then.

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
    check_taken(failure, where)
    if status in _BAD_REQUEST:
        raise UsageError(
            f"the server refuses {prompt}: {detail}",
            where=where,
            hint="shorten it or max_tokens, or name other suites in `latency: {suites: [...]}`",
        )


WARM_UP = 16
_WARM_AT_ONCE = 4
# What asks for all that the server can give; more only makes its queue longer.
SATURATING = 64
FEWEST_OPENING = 3
OPENING_SHARE = 0.1


@dataclass(slots=True)
class Measuring:
    """The arms at their servers, ready to be asked."""

    arms: Mapping[Arm, ArmPlan]
    servers: ArmServers
    clock: Clock
    granted: Wishes
    monitor: Callable[[Clock], LoopLagMonitor] = LoopLagMonitor
    # Nobody, and no earlier session of this measurement, has salted anything so before.
    session: str = field(default_factory=lambda: secrets.token_hex(16))

    async def warm_up(self, settings: LatencySettings) -> None:
        """Return when every arm has answered a few requests that do not count.

        A server that is started anew for each block is warmed up then.

        Raises:
            ServerError: the server is gone, or refuses.
            EvidenceError: it does not serve an arm.
        """
        for arm in () if self.servers.anew else ARMS:
            async with self._at(arm) as server:
                await self._warm_up(server, arm, settings)

    async def _warm_up(self, server: ArmServer, arm: Arm, settings: LatencySettings) -> None:
        dues = self._some(WARM_UP)
        asked = self._asked(arm, dues, settings, "warm-up")
        load = Load(kind="closed", concurrency=_WARM_AT_ONCE)
        found = await run_block(load, dues, asked, server.client, self.clock)
        self._check(server, arm, dues, found)

    async def pace(self, load: Load, settings: LatencySettings) -> Pace:
        """How the load is to be put to the server, what it can answer measured for an open one."""
        if load.kind != "poisson":
            at_once = load.concurrency
            # Twice as many as may be under way outlast all but the slowest that counts.
            return Pace(load=load, opening=max(FEWEST_OPENING, at_once), closing=2 * (at_once - 1))
        dues = self._some(4 * SATURATING)
        asked = self._asked("baseline", dues, settings, "capacity")
        closed = Load(kind="closed", concurrency=SATURATING)
        async with self._at("baseline") as server:
            if self.servers.anew:
                await self._warm_up(server, "baseline", settings)
            began = self.clock.now()
            found = await run_block(closed, dues, asked, server.client, self.clock)
            seconds = self.clock.now() - began
            self._check(server, "baseline", dues, found)
        whole = [one for one in found if one.failure is None and one.timing is not None]
        if not whole:
            raise ServerError("answers nothing", where=server.where, hint="look at its log")
        capacity = len(whole) / seconds
        rate = load.rate if load.rate is not None else capacity * (load.share or 1.0)
        # As many as are under way by Little's law have to begin before the load is the same.
        under_way = rate * sum(one.timing.done for one in whole if one.timing) / len(whole)
        share = OPENING_SHARE * counted(settings)
        closing = math.ceil(min(under_way, SATURATING))
        opening = max(FEWEST_OPENING, math.ceil(share), closing)
        return Pace(load=load, opening=opening, closing=closing, rate=rate, capacity=capacity)

    async def settle(self, header: Measurement, place: int) -> float | None:
        """By how many seconds the client may be late, from a round that does not count.

        What a server compiles at its first batches of a size is over then. The round is one of its
        own, so that no prompt order or offset is given away. A server that is started anew for each
        block has a block that does not count then, and nothing is known beforehand: None.
        """
        if self.servers.anew:
            return None
        blocks = await self.round(header, place, header.settings.rounds, ARMS)
        found = [quantities.values(one, "ttft") for one in blocks if one.arm == "baseline"]
        return allowed(quantities.percentile_of(found[0], 0.5))

    async def round(
        self, header: Measurement, place: int, number: int, order: Sequence[Arm]
    ) -> list[Block]:
        """The blocks of one round, in the order in which they were measured.

        Raises:
            ServerError: the server is gone, or refuses.
            EvidenceError: it no longer serves an arm.
            UsageError: it refuses a prompt.
        """
        settings = header.settings
        load = settings.loads[place]
        pace = header.pace(load)
        assert pace is not None
        prompts = len(self.arms["baseline"].plan.requests)
        dues = requests(settings, place, number, pace, prompts)
        uncounted = requests(settings, place, settings.rounds, pace, prompts)
        blocks = []
        for turn, arm in enumerate(order):
            salt = f"{place}/{number}/{turn}"
            async with self._at(arm) as server:
                if self.servers.anew:
                    await self._warm_up(server, arm, settings)
                    asked = self._asked(arm, uncounted, settings, f"{salt}/uncounted")
                    seen = await run_block(load, uncounted, asked, server.client, self.clock)
                    self._check(server, arm, uncounted, seen)
                asked = self._asked(arm, dues, settings, salt)
                if not self.granted.salted:
                    seen = await prime(dues, asked, server.client, self.clock)
                    self._check(server, arm, list({due.prompt: due for due in dues}.values()), seen)
                blocks.append(await self._block(server, load, arm, (number, turn), dues, asked))
                self._check(server, arm, dues, blocks[-1].samples)
        return blocks

    async def _block(
        self,
        server: ArmServer,
        load: Load,
        arm: Arm,
        turn: tuple[int, int],
        dues: Sequence[Due],
        asked: Asked,
    ) -> Block:
        before = await server.watch.look()
        began = self.clock.utc().timestamp()
        start = self.clock.now()
        async with self.monitor(self.clock) as monitor:
            samples = await run_block(load, dues, asked, server.client, self.clock)
        seconds = self.clock.now() - start
        health = server.watch.health(before, await server.watch.look())
        return Block(
            load=load,
            round=turn[0],
            place=turn[1],
            arm=arm,
            began=began,
            seconds=seconds,
            samples=samples,
            client=monitor.health(),
            server=health,
        )

    @asynccontextmanager
    async def _at(self, arm: Arm) -> AsyncIterator[ArmServer]:
        """The arm's server, asked as the arm's target asks."""
        async with self.servers.of(arm) as server:
            yield replace(server, client=self.arms[arm].asker(server.client))

    def _asked(self, arm: Arm, dues: Sequence[Due], settings: LatencySettings, salt: str) -> Asked:
        return self.arms[arm].asked(
            dues, self.granted.fields(settings.max_tokens, f"{self.session}/{salt}")
        )

    def _some(self, count: int) -> list[Due]:
        prompts = len(self.arms["baseline"].plan.requests)
        return [Due(number * prompts // count, 0.0, uncounted=True) for number in range(count)]

    def _check(
        self, server: ArmServer, arm: Arm, dues: Sequence[Due], samples: Sequence[Sample]
    ) -> None:
        asks = self.arms[arm].plan.requests
        model = self.arms[arm].plan.identity.model
        for due, sample in zip(dues, samples, strict=True):
            if sample.failure is not None:
                prompt = asks[due.prompt].path
                check_sample((arm, model), server.where, prompt, sample.failure)
        causes = {None if one.failure is None else one.failure.cause for one in samples}
        if causes and causes <= GONE:
            failure = samples[-1].failure
            assert failure is not None
            raise ServerError(
                f"the server is gone: {failure.detail}",
                where=server.where,
                hint="finished rounds are kept; bring it back and run the same command again",
            )
