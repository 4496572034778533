"""Schedule: who is asked what, and when, drawn once and the same for every arm."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from harness.records.latency import ARMS, Arm, LatencySettings
from harness.records.measurement import Pace

_ORDERS: tuple[tuple[Arm, ...], ...] = tuple(itertools.permutations(ARMS))


@dataclass(frozen=True, slots=True)
class Due:
    """One request: its prompt's number, and when it is due from the block's start on.

    In a closed load it is due when a request before it ends.
    """

    prompt: int
    offset: float
    uncounted: bool


def orders(settings: LatencySettings, place: int) -> tuple[tuple[Arm, ...], ...]:
    """The arms' order in each round of the load at that place of the settings.

    Every order occurs equally often as far as the rounds go, in an order of their own drawn at
    random: neither an arm's turn nor who came before it is the same all the time.
    """
    draw = np.random.default_rng([settings.seed, place, 0])
    full, rest = divmod(settings.rounds, len(_ORDERS))
    some = draw.choice(len(_ORDERS), size=rest, replace=False)
    chosen = np.concatenate([np.tile(np.arange(len(_ORDERS)), full), some])
    draw.shuffle(chosen)
    return tuple(_ORDERS[number] for number in chosen)


def requests(
    settings: LatencySettings, place: int, round_: int, pace: Pace, prompts: int
) -> tuple[Due, ...]:
    """What each arm is asked in that round: the same prompts at the same offsets in seconds.

    The gaps of a Poisson process are exponential. Prompts are drawn without repetition as long as
    there are enough.
    """
    draw = np.random.default_rng([settings.seed, place, 1 + round_])
    last = pace.opening + counted(settings)
    count = last + pace.closing
    order = np.concatenate([draw.permutation(prompts) for _ in range(math.ceil(count / prompts))])
    offsets = np.zeros(count)
    if pace.rate is not None:
        offsets = np.cumsum(draw.exponential(1.0 / pace.rate, size=count))
    return tuple(
        Due(int(order[number]), float(offsets[number]), not pace.opening <= number < last)
        for number in range(count)
    )


def counted(settings: LatencySettings) -> int:
    """How many requests of a block count."""
    return math.ceil(settings.requests / settings.rounds)
