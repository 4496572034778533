"""A measurement of latency in Markdown, in which no name or message is active."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.latency.metrics import in_words
from harness.report.latency.model import LatencyView, LoadView, MetricRow, Span
from harness.report.latency.words import CONTROL, INFINITE, TERMS
from harness.report.model import RuleView
from harness.report.plain import MARKS, cell, code, prose


def render_latency_markdown(view: LatencyView) -> str:
    """The section as a text of its own."""
    title = f"# Latency of {code(view.candidate)} against {code(view.baseline)}"
    facts = [f"- {name}: {prose(value)}" for name, value in view.facts]
    return "\n".join([title, "", *latency_lines(view, 2), *facts, ""])


def latency_lines(view: LatencyView, level: int) -> list[str]:
    """The section's lines, its heading at that level."""
    outcome = f"{MARKS[view.outcome]} {view.outcome}" if view.outcome else "measured"
    lines = [
        f"{'#' * level} Latency: {outcome}",
        "",
        view.meaning,
        "",
        *_listed("Problems", view.problems),
        *map(_rule, view.rules),
        *([""] if view.rules else []),
    ]
    for load in view.loads:
        lines += [f"{'#' * (level + 1)} {prose(load.title)}", "", *_load(load)]
    return [*lines, " ".join((TERMS, CONTROL, INFINITE if view.infinite else "")).rstrip(), ""]


def _rule(rule: RuleView) -> str:
    told = f"{cell(rule.name[:120])} {prose(rule.requirement)}: {prose(rule.reason[:300])}"
    return f"- {MARKS[rule.outcome]} {rule.outcome}: {told}"


def _listed(title: str, items: Sequence[str]) -> list[str]:
    return [f"**{title}**", "", *(f"- {prose(item)}" for item in items), ""] if items else []


def _load(load: LoadView) -> list[str]:
    lines = [f"{prose(load.facts)}.", ""]
    lines += [f"- {prose(found.told)}" for found in load.findings]
    lines += [""] if load.findings else []
    lines += _listed("Notes", load.notes)
    rows = [row for _, rows in load.families for row in rows]
    if rows:
        lines += [
            f"| Metric ({load.confidence} interval) | Candidate | Baseline | Ratio | Control |",
            "| --- | ---: | ---: | ---: | ---: |",
            *map(_metric, rows),
            "",
        ]
    if load.figures:
        lines += [
            f"| | {' | '.join(load.arms)} |",
            f"| --- |{' ---: |' * len(load.arms)}",
            *(
                f"| {_named(row.name, row.hint)} | {' | '.join(map(_span, row.cells))} |"
                for row in load.figures
            ),
            "",
        ]
    return lines


def _named(name: str, hint: str) -> str:
    return prose(f"{name} ({hint})" if hint else name)


def _metric(row: MetricRow) -> str:
    spans = (row.candidate, row.baseline, row.ratio, row.control)
    return f"| {_named(row.name, row.shortage)} | {' | '.join(map(_span, spans))} |"


def _span(span: Span) -> str:
    return prose(in_words(span))
