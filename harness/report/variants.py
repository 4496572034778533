"""What is right as written and in each variant of the same cases, on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness import stats
from harness.records.attempt import Score
from harness.records.comparison import ComparisonRecord, PairedCase
from harness.report import formats
from harness.sections.perturbed.section import MARK
from harness.visible_text import one_line

Pairs = list[tuple[PairedCase, PairedCase]]
ShareWords = tuple[str, str]


@dataclass(frozen=True, slots=True)
class VariantRow:
    """A kind of variant with four shares of the same cases, each in words and with its interval.

    A `clean` share is of the cases as they are written.
    """

    name: str
    cases: int
    candidate_clean: ShareWords
    candidate: ShareWords
    baseline_clean: ShareWords
    baseline: ShareWords


def variant_rows(comparison: ComparisonRecord, alpha: float) -> tuple[VariantRow, ...]:
    """A row for each form and each asker that cases of a section have, in their order.

    Bounds are at alpha each. A pair without a score, of the case or of the variant, is left out.
    """
    cases = {(case.path, case.repeat): case for case in comparison.cases}
    found: dict[str, Pairs] = {}
    for case in comparison.cases:
        written, _, variant = case.path.rpartition(MARK)
        metric = f"{case.suite}.{case.section}.{variant}"
        original = cases.get((written, case.repeat))
        if original is None or metric not in comparison.metrics:
            continue
        pairs = found.setdefault(metric, [])
        if "not_comparable" not in (case.change, original.change):
            pairs.append((original, case))
    return tuple(_rows(found, alpha))


def _rows(found: Mapping[str, Pairs], alpha: float) -> Iterator[VariantRow]:
    for metric, pairs in found.items():
        groups = [case.group for case, _ in pairs]
        if len(set(groups)) > 1:  # one group alone has no interval
            sides = (
                [case.candidate_score for case, _ in pairs],
                [variant.candidate_score for _, variant in pairs],
                [case.baseline_score for case, _ in pairs],
                [variant.baseline_score for _, variant in pairs],
            )
            number = len({case.path for case, _ in pairs})
            shares = (_share(side, groups, alpha) for side in sides)
            yield VariantRow(one_line(metric, 120), number, *shares)


def _share(scores: Sequence[Score], groups: Sequence[str], alpha: float) -> ShareWords:
    found = stats.mean([_right(score) for score in scores], groups, alpha=alpha)
    return formats.share(found.estimate), formats.interval(found.low, found.high, formats.share)


def _right(score: Score) -> float:
    assert score.value is not None  # a pair without a score is left out
    return score.value if score.passed is None else float(score.passed)
