"""Clusters: cases gathered into groups that are independent of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which group each case belongs to; `index` (n,) runs over 0 … count - 1."""

    index: npt.NDArray[np.intp]
    count: int

    @property
    def n(self) -> int:
        """The number of cases."""
        return int(self.index.size)

    @property
    def largest(self) -> int:
        """The number of cases in the largest group: an unseen one may have as many."""
        return int(np.bincount(self.index, minlength=self.count).max())

    def total(self, values: Floats) -> Floats:
        """The sum of the values in each group, shape (count,)."""
        sums = np.bincount(self.index, weights=values, minlength=self.count)
        return np.asarray(sums, dtype=np.float64)


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


def read_shares(values: npt.ArrayLike, name: str) -> Floats:
    """The values as a 1-D array of shares.

    Raises:
        ValueError: as `read_values`, or a value outside [0, 1] by more than rounding.
    """
    array = read_values(values, name)
    outside = array[(array < -_ROUNDING) | (array > 1.0 + _ROUNDING)]
    if outside.size:
        raise ValueError(f"{name} holds {outside[0]:g}: scores lie between 0 and 1")
    return np.clip(array, 0.0, 1.0)


def read_terms(
    num: npt.ArrayLike, den: npt.ArrayLike, num_name: str, den_name: str
) -> tuple[Floats, Floats]:
    """The terms of a ratio of sums that lies in [0, 1].

    Raises:
        ValueError: as `read_values`, lengths differ, a negative value, a numerator above its
            denominator by more than rounding, or nothing but zeros below.
    """
    top, bottom = read_values(num, num_name), read_values(den, den_name)
    same_length(**{num_name: top, den_name: bottom})
    if min(top.min(), bottom.min()) < 0.0:
        name = num_name if top.min() < 0.0 else den_name
        raise ValueError(f"{name} holds a negative value")
    if not bottom.any():
        raise ValueError(f"{den_name} sums to 0: no case says anything about this ratio")
    if (top > bottom * (1.0 + _ROUNDING)).any():
        raise ValueError(f"a case has more {num_name} than {den_name}")
    return np.minimum(top, bottom), bottom


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
        raise ValueError("all cases are in one group, so its spread is unknown")
    return Clusters(index.astype(np.intp), int(unique.size))


def with_missing(groups: npt.ArrayLike, missing: npt.ArrayLike | None) -> npt.NDArray[Any]:
    """The labels of the cases with values, and behind them those of the cases without."""
    labels = np.asarray(groups)
    if missing is None or not np.asarray(missing).size:
        return labels
    return np.concatenate([labels, np.asarray(missing)])


def filled(values: Floats, n: int, value: float) -> Floats:
    """The values, and behind them `value` for each of the cases up to `n`."""
    return np.concatenate([values, np.full(n - values.size, value)])


def same_length(**arrays: Floats) -> None:
    """Check that all arrays are equally long.

    Raises:
        ValueError: they are not; the message names each with its length.
    """
    if len({array.size for array in arrays.values()}) > 1:
        listing = ", ".join(f"{name} {array.size}" for name, array in arrays.items())
        raise ValueError(f"arrays differ in length: {listing}")


def check_alpha(alpha: float) -> None:
    """Check that alpha is a level for a one-sided bound.

    Raises:
        ValueError: it is outside (0, 0.5).
    """
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, got {alpha}")
