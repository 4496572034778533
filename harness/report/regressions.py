"""The metrics that are worse than the baseline's, worded for people."""

from __future__ import annotations

from harness.records.verdict import Regression, Verdict
from harness.report import numbers
from harness.report.model import RegressionRow, RegressionsView
from harness.report.text import one_line


def build_regressions(verdict: Verdict) -> RegressionsView:
    """The verdict's regressions, the most certain first, and in words what was looked at."""
    return RegressionsView(told=_told(verdict), rows=tuple(map(_row, verdict.regressions)))


def _told(verdict: Verdict) -> str:
    looked = verdict.metrics_compared
    if looked is None:
        return "No regression was looked for."
    if not looked:
        return "No metric could be computed on both sides, so no regression was looked for."
    found = len(verdict.regressions)
    first = "No metric is significantly worse than the baseline's."
    if found:
        worse = "1 metric is" if found == 1 else f"{found} metrics are"
        first = f"{worse} significantly worse than the baseline's, whatever the rules ask."
    many = "1 metric" if looked == 1 else f"{looked} metrics"
    return (
        f"{first} Looked at {many}; the p-values are corrected for their number (Holm), so that "
        f"the chance of naming any metric falsely is at most {100 * verdict.alpha:g}%."
    )


def _row(found: Regression) -> RegressionRow:
    return RegressionRow(
        metric=one_line(found.metric, 120),
        difference=numbers.points(found.estimate),
        interval=numbers.interval(found.ci_low, found.ci_high, numbers.points),
        p_value=numbers.p_value(found.p_value),
        n=numbers.count(found.n),
        groups=numbers.count(found.groups),
    )
