"""How long the answers of two arms take, the candidate's as slow as it is told.

Times to the first token are lognormal around 200 ms, moved in common by a drift of the server and,
from block to block, by chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

CANDIDATE, BASELINE = "tuned", "base"
TTFT, SPREAD, GAP, TOKENS = 0.2, 0.25, 0.02, 16
WANDER, BLOCK_SPREAD = 0.05, 0.02


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What is different about an arm: how many times slower, and in which share of its requests."""

    times: float = 1.0
    tail_share: float = 0.0
    tail_times: float = 1.0
    length: float = 1.0
    failing: float = 0.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """When the first token comes after the request, and all after the first; or that it fails."""

    first: float
    later: npt.NDArray[np.float64]
    fails: bool


@dataclass(slots=True)
class Answers:
    """Draws one answer after the other; every time is multiplied by `scale`.

    Requests of one `salt` are one block.
    """

    behaviours: dict[str, Behaviour]
    seed: int
    scale: float = 1.0
    _draw: np.random.Generator = field(init=False)
    _phase: float = field(init=False)
    _blocks: dict[object, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._draw = np.random.default_rng(self.seed)
        self._phase = float(self._draw.uniform(0.0, 2.0 * math.pi))

    def draw(self, model: str, salt: object, at: float) -> Drawn:
        """The answer of a model to a request that comes at a moment."""
        how = self.behaviours[model]
        drift = WANDER * math.sin(at / (300.0 * self.scale) + self._phase)
        common = self.scale * math.exp(drift + self._block(salt))
        first = TTFT * common * how.times * math.exp(SPREAD * self._draw.standard_normal())
        if self._draw.random() < how.tail_share:
            first *= how.tail_times
        tokens = max(2, round(TOKENS * how.length))
        gaps = GAP * common * self._draw.gamma(20.0, 1.0 / 20.0, size=tokens - 1)
        later = np.concatenate([[0.0], np.cumsum(gaps)])
        return Drawn(first, later, bool(self._draw.random() < how.failing))

    def _block(self, salt: object) -> float:
        if salt not in self._blocks:
            self._blocks[salt] = BLOCK_SPREAD * float(self._draw.standard_normal())
        return self._blocks[salt]
