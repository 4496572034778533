"""A history as Markdown, in which no name is active."""

from __future__ import annotations

from harness.report.history.model import Course, GateRow, HistoryView
from harness.report.numbers import counted
from harness.report.plain import MARKS, cell, code, prose

_GATES = 50


def render_history_markdown(view: HistoryView) -> str:
    """The latest gates and where every metric stood at the latest of them."""
    left = len(view.gates) - _GATES
    lines = [
        f"## History of suite {code(view.suite)}",
        "",
        f"{counted(len(view.gates), 'gate')}, {prose(view.span)}.",
        "",
        "| When | Candidate | Against | Verdict | Why | Promoted as | Suite |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_gate(gate) for gate in view.gates[:_GATES]),
        *(["", f"{counted(left, 'older gate')} in `history.html`."] if left > 0 else []),
        "",
        "| Metric | Latest gate | Value | Baseline | Outcome | Gates |",
        "| --- | --- | ---: | ---: | --- | ---: |",
        *(_course(course) for course in view.courses),
        "",
    ]
    return "\n".join(lines)


def _gate(gate: GateRow) -> str:
    cells = (
        gate.created,
        cell(gate.candidate),
        cell(gate.baseline),
        f"{MARKS[gate.verdict]} {gate.verdict}",
        prose(gate.reason),
        ", ".join(map(prose, gate.promoted)),
        cell(gate.version) + (", changed" if gate.changed else ""),
    )
    return f"| {' | '.join(cells)} |"


def _course(course: Course) -> str:
    last = course.last
    outcome = "no rule" if last.outcome is None else f"{MARKS[last.outcome]} {last.outcome}"
    values = (last.value, last.baseline, outcome, str(course.gates))
    return f"| {' | '.join((cell(course.name), last.created, *values))} |"
