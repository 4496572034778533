"""A line-up as Markdown, in which no name is active."""

from __future__ import annotations

from collections.abc import Iterator

from harness.report.lineup.model import LineupView, MetricCell, RecommendationView, RuleCell
from harness.report.plain import MARKS, cell, code, prose

_LISTED = 20


def render_lineup_markdown(view: LineupView) -> str:
    """The recommendation, the verdicts, every rule and metric side by side."""
    names = [cell(one.name) for one in view.contenders]
    lines = [f"## {', '.join(names)} against {cell(view.baseline)}", ""]
    if view.recommendation is not None:
        lines += [*_recommendation(view.recommendation), *_rules(view, names)]
    lines += [
        _row("Metric", cell(view.baseline), *names),
        _row("---", "---:", *["---:"] * len(names)),
        *(
            _row(cell(row.name), row.baseline, *(_metric(one) for one in row.cells))
            for row in view.metrics
        ),
        "",
        f"Differences to the baseline with their {view.confidence} interval.",
        "",
        *_critical(view),
        *(f"- {prose(note)}" for note in view.notes),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _recommendation(found: RecommendationView) -> Iterator[str]:
    yield from (f"**{prose(found.title)}.** {_coded(found.reason)}.", "")
    for each in found.advantages:
        yield (
            f"- {cell(each.metric)}: {cell(each.better)} before {cell(each.worse)}, "
            f"{each.difference} ({each.interval}), p {each.p_value}"
        )
    yield from (f"- {prose(note)}" for note in filter(None, (found.told, *found.notes)))
    yield ""


def _coded(text: str) -> str:
    """The text with what stands in backquotes as code."""
    parts = enumerate(text.split("`"))
    return "".join(code(part) if place % 2 else _spaced(part) for place, part in parts)


def _spaced(part: str) -> str:
    """Plain words with the spaces at their ends, which `prose` drops."""
    return f"{' ' * part.startswith(' ')}{prose(part)}{' ' * part.endswith(' ')}"


def _rules(view: LineupView, names: list[str]) -> Iterator[str]:
    yield _row("Rule", "Required", *names)
    yield _row("---", "---", *["---"] * len(names))
    verdicts = (f"{MARKS[one.verdict]} {one.verdict}" for one in view.contenders)
    yield _row("**the policy**", "every rule", *verdicts)
    for row in view.rules:
        yield _row(cell(row.name), prose(row.requirement), *map(_rule, row.cells))
    yield ""


def _rule(one: RuleCell | None) -> str:
    return "–" if one is None else f"{MARKS[one.outcome]} {prose(one.told)}"


def _metric(one: MetricCell) -> str:
    interval = f" ({one.interval})" if one.interval else ""
    return f"{one.value}<br>{one.difference}{interval}"


def _critical(view: LineupView) -> Iterator[str]:
    for one in view.contenders:
        if one.new_critical:
            shown = ", ".join(map(cell, one.new_critical[:_LISTED]))
            left = len(one.new_critical) - _LISTED
            more = f" and {left} more" if left > 0 else ""
            yield f"- {cell(one.name)} newly fails critical cases: {shown}{more}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
