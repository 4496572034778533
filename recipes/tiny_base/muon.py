"""The Muon optimizer in float32.

`torch.optim.Muon` computes in bfloat16, which a processor without instructions for it multiplies
more slowly than float32 by a factor of 100 and more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch

# Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024): the quintic
# that pushes every singular value towards 1 in few steps.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
MOMENTUM = 0.95


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose update of each matrix is made nearly orthogonal."""

    def __init__(
        self, params: Iterable[torch.nn.Parameter], lr: float, weight_decay: float
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # takes no closure
        """Update every matrix in place from its gradient."""
        assert closure is None
        for group in self.param_groups:
            for matrix in group["params"]:
                self._update(matrix, group["lr"], group["weight_decay"])

    def _update(self, matrix: torch.nn.Parameter, rate: float, decay: float) -> None:
        if matrix.grad is None:
            return
        state: dict[str, Any] = self.state[matrix]
        momentum = state.setdefault("momentum", torch.zeros_like(matrix))
        momentum.lerp_(matrix.grad, 1 - MOMENTUM)
        update = orthogonal(matrix.grad.lerp(momentum, MOMENTUM))
        # As large as an update of AdamW, so that one learning rate serves both (Liu et al. 2025).
        scale = 0.2 * math.sqrt(max(matrix.shape))
        matrix.mul_(1 - rate * decay).add_(update, alpha=-rate * scale)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """A matrix of the same shape and singular vectors, its singular values near 1.

    Zero stays zero. Newton-Schulz iterations; values end between about 0.7 and 1.2.
    """
    wide: torch.Tensor = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / wide.norm().clamp_min(1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        square = wide @ wide.T
        wide = a * wide + (b * square + c * square @ square) @ wide
    return wide if matrix.shape[0] <= matrix.shape[1] else wide.T
