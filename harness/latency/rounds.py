"""Rounds: each arm's block once, in the order that was drawn, with client and server watched."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.client.protocol import ChatClient
from harness.clock import Clock
from harness.errors import ServerError
from harness.latency.arms import ArmPlan, Wishes, check_sample
from harness.latency.block import Asked, Due, counted, prime, requests, run_block
from harness.latency.health import LoopLagMonitor, ServerWatch
from harness.records.latency import (
    ARMS,
    Arm,
    Block,
    LatencySettings,
    Load,
    Measurement,
    Pace,
    Sample,
)
from harness.run.generate import GONE_CAUSES

WARM_UP = 16
_WARM_AT_ONCE = 4
# What asks for all that the server can give; more only makes its queue longer.
SATURATING = 64
FEWEST_OPENING = 3
OPENING_SHARE = 0.1


@dataclass(slots=True)
class Measuring:
    """The arms on their server, ready to be asked."""

    arms: Mapping[Arm, ArmPlan]
    client: ChatClient
    watch: ServerWatch
    clock: Clock
    where: str
    granted: Wishes
    monitor: Callable[[Clock], LoopLagMonitor] = LoopLagMonitor
    # Nobody, and no earlier session of this measurement, has salted anything so before.
    session: str = field(default_factory=lambda: secrets.token_hex(16))

    async def warm_up(self, settings: LatencySettings) -> None:
        """Return when every arm has answered a few requests that do not count.

        Raises:
            ServerError: the server is gone, or refuses.
            EvidenceError: it does not serve an arm.
        """
        for arm in ARMS:
            dues = self._some(WARM_UP)
            asked = self._asked(arm, dues, settings, "warm-up")
            load = Load(kind="closed", concurrency=_WARM_AT_ONCE)
            found = await run_block(load, dues, asked, self.client, self.clock)
            self._check(arm, dues, found)

    async def pace(self, load: Load, settings: LatencySettings) -> Pace:
        """How the load is to be put to the server, what it can answer measured for an open one."""
        if load.kind != "poisson":
            at_once = load.concurrency
            # Twice as many as may be under way outlast all but the slowest that counts.
            return Pace(load=load, opening=max(FEWEST_OPENING, at_once), closing=2 * (at_once - 1))
        dues = self._some(4 * SATURATING)
        asked = self._asked("baseline", dues, settings, "capacity")
        closed = Load(kind="closed", concurrency=SATURATING)
        began = self.clock.now()
        found = await run_block(closed, dues, asked, self.client, self.clock)
        seconds = self.clock.now() - began
        self._check("baseline", dues, found)
        whole = [one for one in found if one.failure is None and one.timing is not None]
        if not whole:
            raise ServerError("answers nothing", where=self.where, hint="look at its log")
        capacity = len(whole) / seconds
        rate = load.rate if load.rate is not None else capacity * (load.share or 1.0)
        # As many as are under way by Little's law have to begin before the load is the same.
        under_way = rate * sum(one.timing.done for one in whole if one.timing) / len(whole)
        share = OPENING_SHARE * counted(settings)
        closing = math.ceil(min(under_way, SATURATING))
        opening = max(FEWEST_OPENING, math.ceil(share), closing)
        return Pace(load=load, opening=opening, closing=closing, rate=rate, capacity=capacity)

    async def rehearse(self, header: Measurement, place: int) -> None:
        """Return when every arm had a block at the load's pace that does not count.

        What a server compiles at its first batches of a size is over then.

        Raises:
            ServerError: the server is gone, or refuses.
            EvidenceError: it no longer serves an arm.
            UsageError: it refuses a prompt.
        """
        # A round of its own: no prompt order or offset of those that count is given away.
        await self.round(header, place, header.settings.rounds, ARMS)

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
        prompts = len(self.arms["baseline"].plan.asks)
        dues = requests(settings, place, number, pace, prompts)
        blocks = []
        for turn, arm in enumerate(order):
            asked = self._asked(arm, dues, settings, f"{place}/{number}/{turn}")
            if not self.granted.salted:
                seen = await prime(dues, asked, self.client, self.clock)
                self._check(arm, list({due.prompt: due for due in dues}.values()), seen)
            blocks.append(await self._block(load, arm, (number, turn), dues, asked))
            self._check(arm, dues, blocks[-1].samples)
        return blocks

    async def _block(
        self, load: Load, arm: Arm, turn: tuple[int, int], dues: Sequence[Due], asked: Asked
    ) -> Block:
        before = await self.watch.look()
        began = self.clock.utc().timestamp()
        start = self.clock.now()
        async with self.monitor(self.clock) as monitor:
            samples = await run_block(load, dues, asked, self.client, self.clock)
        seconds = self.clock.now() - start
        health = self.watch.health(before, await self.watch.look())
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

    def _asked(self, arm: Arm, dues: Sequence[Due], settings: LatencySettings, salt: str) -> Asked:
        return self.arms[arm].asked(
            dues, self.granted.fields(settings.max_tokens, f"{self.session}/{salt}")
        )

    def _some(self, count: int) -> list[Due]:
        prompts = len(self.arms["baseline"].plan.asks)
        return [Due(number * prompts // count, 0.0, uncounted=True) for number in range(count)]

    def _check(self, arm: Arm, dues: Sequence[Due], samples: Sequence[Sample]) -> None:
        asks = self.arms[arm].plan.asks
        model = self.arms[arm].plan.identity.model
        for due, sample in zip(dues, samples, strict=True):
            if sample.failure is not None:
                ask = asks[due.prompt]
                prompt = f"{ask.suite}/{ask.section}/{ask.case.id}"
                check_sample((arm, model), self.where, prompt, sample.failure)
        causes = {None if one.failure is None else one.failure.cause for one in samples}
        if causes and causes <= GONE_CAUSES:
            failure = samples[-1].failure
            assert failure is not None
            raise ServerError(
                f"the server is gone: {failure.detail}",
                where=self.where,
                hint="finished rounds are kept; bring it back and run the same command again",
            )
