"""Cases gathered into the groups that are independent of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which group each case belongs to; `index` (n,) runs over 0 … count - 1."""

    index: npt.NDArray[np.intp]
    count: int

    @property
    def n(self) -> int:
        """The number of cases."""
        return int(self.index.size)

    def total(self, values: Floats) -> Floats:
        """The sum of the values in each group, shape (count,)."""
        sums = np.bincount(self.index, weights=values, minlength=self.count)
        return np.asarray(sums, dtype=np.float64)


def participation(weights: Floats) -> float:
    """How many equal weights are worth as much as these: (sum w)² / sum w², 0 for all zero.

    Source: Kish 1965, Survey Sampling.
    """
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0


def variance_known_by(residuals: Floats) -> float:
    """How many groups of equal weight tell a variance that is made of these residuals.

    One outlying group tells about one; as many groups as there are, all alike, tell without end.
    It is half of Satterthwaite's degrees of freedom with the kurtosis that is seen.

    Source: Satterthwaite 1946, Biometrics Bulletin 2.
    """
    alike = participation(np.square(residuals))
    rest = 1.0 / alike - 1.0 / residuals.size if alike > 0.0 else 0.0
    return 1.0 / rest if rest > 1e-9 else float(residuals.size)


def read_values(values: npt.ArrayLike, name: str) -> Floats:
    """The values as a finite 1-D array.

    Raises:
        ValueError: another shape, no value, or NaN or infinity among them.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got {array.ndim} dimensions")
    if array.size == 0:
        raise ValueError(f"{name} is empty: there is no case to say anything about")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or infinity: only scored cases belong here")
    return array


def read_clusters(groups: npt.ArrayLike, n: int) -> Clusters:
    """The groups of `n` cases, whatever their labels are.

    Raises:
        ValueError: another length than `n`, or a single group.
    """
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ValueError(f"groups must be one label a case: {n} cases, labels {labels.shape}")
    unique, index = np.unique(labels, return_inverse=True)
    if unique.size < 2:
        raise ValueError("all cases are in one group: there is nothing to tell its spread from")
    return Clusters(index.astype(np.intp), int(unique.size))


def same_length(**arrays: Floats) -> None:
    """Nothing, where all arrays are equally long.

    Raises:
        ValueError: they are not; the message names each with its length.
    """
    if len({array.size for array in arrays.values()}) > 1:
        listing = ", ".join(f"{name} {array.size}" for name, array in arrays.items())
        raise ValueError(f"arrays differ in length: {listing}")


def check_alpha(alpha: float) -> None:
    """Nothing, where alpha is a level for a one-sided bound.

    Raises:
        ValueError: it is outside (0, 0.5).
    """
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, got {alpha}")
