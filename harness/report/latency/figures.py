"""What the arms did at a load: requests, failures, goodput, throughput."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.records.latency import Arm, ArmFigures
from harness.report import numbers
from harness.report.latency.metrics import span
from harness.report.latency.model import FigureRow, Span
from harness.report.text import one_line

_Cell = Callable[[ArmFigures], Span]


def figure_rows(arms: Sequence[ArmFigures], slo: str) -> tuple[FigureRow, ...]:
    """The rows of the table, without those that no arm has; `slo` is what goodput keeps."""
    if not arms:
        return ()
    rows: list[tuple[str, str, _Cell]] = [
        ("Requests", "counted, the opening waves left out", lambda a: _plain(a.requests)),
        ("Failed", "", _failed),
        ("Error rate", "", lambda a: span(a.error_rate, numbers.share)),
    ]
    if any(arm.goodput for arm in arms):
        rows.append(("Goodput", slo, lambda a: span(a.goodput, numbers.share)))
    rows.append(("Requests per second", "", lambda a: _number(a.requests_per_second)))
    if any(arm.tokens_per_second is not None for arm in arms):
        rows.append(("Tokens per second", "", lambda a: _number(a.tokens_per_second)))
    if any(arm.tokens_mean is not None for arm in arms):
        rows.append(("Tokens per answer", "mean", lambda a: _number(a.tokens_mean)))
    if any(arm.longest_gap is not None for arm in arms):
        rows.append(("Longest gap", "between two chunks of an answer", _gap))
    return tuple(FigureRow(name, hint, tuple(map(cell, arms))) for name, hint, cell in rows)


def unfinished(arms: Sequence[ArmFigures], drawn: Sequence[Arm]) -> tuple[str, ...]:
    """A sentence for each arm with failures, on what they do to its curve."""
    return tuple(
        f"{numbers.share(arm.failed / arm.requests)} of the {arm.arm}'s requests failed: "
        f"{'its curve ends below 100%' if arm.arm in drawn else 'it has no curve'}."
        for arm in arms
        if arm.failed and arm.requests
    )


def _plain(value: int) -> Span:
    return Span(numbers.count(value), numbers.NONE)


def _number(value: float | None) -> Span:
    return Span(numbers.number(value), numbers.NONE)


def _gap(arm: ArmFigures) -> Span:
    endless = arm.longest_gap is None and arm.failed
    return Span(numbers.INFINITY if endless else numbers.duration(arm.longest_gap), numbers.NONE)


def _failed(arm: ArmFigures) -> Span:
    causes = sorted(arm.failures.items(), key=lambda item: (-item[1], item[0]))
    told = ", ".join(f"{one_line(cause, 60)} {numbers.count(count)}" for cause, count in causes)
    return Span(numbers.count(arm.failed), told or numbers.NONE)
