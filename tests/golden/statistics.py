"""The tables of `harness.stats`: what each function gives on arrays that are written down here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np

from harness import stats


def drawn(seed: int, size: int) -> np.ndarray:
    """Numbers from 0 to 1 that are the same everywhere."""
    state, found = seed * 2654435761 % 2**32, []
    for _ in range(size):
        state = (1664525 * state + 1013904223) % 2**32
        found.append(state / 2**32)
    return np.array(found)


def arms(seed: int, size: int, groups: int, ours: float, theirs: float, kind: str) -> Any:
    """The values of two arms, and their groups."""
    a, b = drawn(seed, size), drawn(seed + 1, size)
    labels = np.array([f"g{i % groups}" for i in range(size)])
    if kind == "binary":
        return (a < ours).astype(float), (b < theirs).astype(float), labels
    return np.round(a * ours, 3), np.round(0.5 * a * theirs + 0.5 * b * theirs, 3), labels


DATA: dict[str, tuple[Any, ...]] = {
    "a clear gain": (1, 60, 60, 0.9, 0.4, "binary"),
    "a small loss": (2, 80, 40, 0.7, 0.75, "binary"),
    "pairs": (3, 40, 20, 0.6, 0.6, "binary"),
    "few groups": (4, 24, 3, 0.5, 0.5, "binary"),
    "two groups": (5, 10, 2, 0.8, 0.3, "binary"),
    "all right": (6, 30, 30, 1.1, 1.1, "binary"),
    "all wrong": (7, 30, 30, -1.0, -1.0, "binary"),
    "one arm right": (8, 20, 20, 1.1, -1.0, "binary"),
    "graded": (9, 50, 25, 1.0, 0.9, "graded"),
    "graded and low": (10, 50, 50, 0.1, 0.2, "graded"),
    "uneven groups": (11, 66, 11, 0.8, 0.6, "binary"),
    "many": (12, 600, 300, 0.82, 0.8, "binary"),
}


def _put(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _put(one) for name, one in asdict(value).items()}
    if isinstance(value, np.ndarray | tuple | list):
        return [_put(one) for one in value]
    if isinstance(value, np.generic):
        return _put(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value


def _row(name: str, work: Any) -> str:
    try:
        found = _put(work())
    except ValueError as error:
        found = f"ValueError: {error}"
    return f"{name}: {json.dumps(found, ensure_ascii=False)}"


def _paired(name: str, data: tuple[Any, ...]) -> Iterator[str]:
    ours, theirs, groups = arms(*data)
    if name == "uneven groups":
        groups = np.array([f"g{int(i**0.5)}" for i in range(len(ours))])
    ones = np.ones_like(ours)
    for alpha in (0.05, 0.01):
        told = f"{name}, alpha {alpha:g}"
        yield _row(f"mean, {told}", lambda a=alpha: stats.mean(ours, groups, alpha=a))
        yield _row(
            f"paired_difference, {told}",
            lambda a=alpha: stats.paired_difference(ours, theirs, groups, alpha=a),
        )
        yield _row(
            f"paired_ratio, {told}",
            lambda a=alpha: stats.paired_ratio(ours, theirs, groups, alpha=a),
        )
    yield _row(
        f"paired_ratio with a ceiling, {name}",
        lambda: stats.paired_ratio(ours, theirs, groups, ceiling=1.0),
    )
    # As F1 is: 2tp over 2tp + fp + fn.
    due = (drawn(77, len(ours)) < 0.6).astype(float)
    c_num, c_den = 2 * ours * due, ours + due
    b_num, b_den = 2 * theirs * due, theirs + due
    missing = np.array(["g0", "g1", "lost"])
    yield _row(f"ratio_of_sums, {name}", lambda: stats.ratio_of_sums(c_num, c_den, groups))
    yield _row(
        f"ratio_of_sums with missing, {name}",
        lambda: stats.ratio_of_sums(ours, ones, groups, missing=missing),
    )
    yield _row(
        f"paired_difference_of_ratios, {name}",
        lambda: stats.paired_difference_of_ratios(c_num, c_den, b_num, b_den, groups),
    )
    yield _row(
        f"paired_difference_of_ratios with missing, {name}",
        lambda: stats.paired_difference_of_ratios(
            ours, ones, theirs, ones, groups, missing=missing
        ),
    )
    yield from _spreads(name, ours, theirs, groups)


def _spreads(name: str, ours: Any, theirs: Any, groups: Any) -> Iterator[str]:
    ones = np.ones_like(ours)
    spreads = {
        "no change": lambda: stats.Spread.of_no_change(ours, ones, theirs, ones, groups),
        "value": lambda: stats.Spread.of_value(ours, ones, groups),
        "ratio": lambda: stats.Spread.of_ratio(ours, theirs, groups),
    }
    for kind, made in spreads.items():
        yield _row(f"detectable, {kind}, {name}", lambda made=made: made().detectable())
    if name in ("pairs", "graded"):
        yield _row(f"groups_needed, {name}", lambda: spreads["no change"]().groups_needed(0.05))


def _times() -> Iterator[str]:
    def rounds(seed: int, times: float, count: int = 12, size: int = 30) -> list[np.ndarray]:
        return [
            0.2 * times * (0.9 + 0.2 * drawn(seed, count)[one])
            * (0.5 + drawn(1000 * seed + one, size) ** 2)
            for one in range(count)
        ]  # fmt: skip

    base = rounds(1, 1.0)
    failing = [np.append(one, np.inf) for one in rounds(4, 1.0)]
    for name, found in {
        "the same": rounds(2, 1.0), "slower": rounds(3, 1.3), "failing": failing,
        "of three rounds": rounds(5, 1.1, 3),
    }.items():  # fmt: skip
        held = base[: len(found)]
        for share in (0.5, 0.95):
            told = f"{share:g}, {name}"
            yield _row(f"percentile {told}", lambda f=found, s=share: stats.percentile(f, s))
            yield _row(
                f"percentile_ratio {told}",
                lambda f=found, s=share, h=held: stats.percentile_ratio(f, h, s, alpha=0.035),
            )
        shares = [(one < 0.2).astype(float) for one in found]
        yield _row(f"pooled_mean, {name}", lambda s=shares: stats.pooled_mean(s))


def _others() -> Iterator[str]:
    yield _row("holm", lambda: stats.holm([0.01, 0.04, 0.03, 0.005, 0.5, 0.04]))
    yield _row("holm of none", lambda: stats.holm([]))
    for share in (0.5, 0.9, 0.95, 0.99, 1.0):
        yield _row(f"needed, {share:g}", lambda s=share: stats.needed(s))
    sizes = [1.0] * 20 + [3.0] * 5
    for share in (0.0, 0.1, 0.5):
        yield _row(
            f"planned, {share:g}", lambda s=share: stats.Spread.planned(sizes, s).detectable()
        )
        yield _row(
            f"groups_needed as planned, {share:g}",
            lambda s=share: stats.Spread.planned(sizes, s).groups_needed(0.05),
        )
        yield _row(
            f"planned_value, {share:g}",
            lambda s=share: stats.Spread.planned_value(sizes, s).detectable(0.01),
        )
    ratings = np.floor(drawn(31, 60).reshape(3, 20) * 3)
    ratings[1, 3] = np.nan
    for level in ("nominal", "ordinal", "interval"):
        yield _row(
            f"krippendorff_alpha, {level}",
            lambda v=level: stats.krippendorff_alpha(ratings, level=v),
        )
    for bad in ([1.0, float("nan")], [1.0], []):
        yield _row(f"mean of {bad}", lambda b=bad: stats.mean(b, ["a", "b"]))


def tables() -> str:
    """Every row of the tables."""
    rows = [row for name, data in DATA.items() for row in _paired(name, data)]
    return "\n".join((*rows, *_times(), *_others()))
