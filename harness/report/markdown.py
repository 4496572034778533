"""A comment for a pull request, in which no text of a model is active."""

from __future__ import annotations

from harness.report import numbers
from harness.report.latency.markdown import latency_lines
from harness.report.model import (
    AnswerView,
    CaseView,
    ReportView,
    RuleView,
    SectionView,
    Tally,
)
from harness.report.plain import MARKS, cell, code, fence, prose

# GitHub refuses a comment of more than 65,536 characters.
LIMIT = 60_000
_CASES = 10
_ANSWER = 1_500
_PROMPT = 1_000
_LISTED = 20


def render_markdown(view: ReportView) -> str:
    """The comment: verdict, rules, sections, the worst new failures; at most `LIMIT` characters."""
    title = f"{code(view.candidate)} against {code(view.baseline)}"
    lines = [
        f"## {MARKS[view.verdict]} {view.verdict}: {title}",
        "",
        prose(view.headline),
        "",
        *_problems(view),
        *_rules(view),
        *_regressions(view),
        *_sections(view),
        *_accounting(view),
        *_costs(view),
        *(latency_lines(view.latency, 3) if view.latency else []),
    ]
    head = _fit(lines, LIMIT // 2)
    return head + _failures(view, LIMIT - len(head) - 200)


def _fit(lines: list[str], room: int) -> str:
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            kept += ["", f"{len(lines) - len(kept)} more lines are in `report.html`.", ""]
            break
        kept.append(line)
    return "\n".join(kept)


def _problems(view: ReportView) -> list[str]:
    if not view.problems or view.problems == (view.headline,):
        return []
    lines = ["**Problems with the evidence**", ""]
    lines += [f"- {prose(problem)}" for problem in view.problems[:_LISTED]]
    return [*lines, *_rest(len(view.problems), "problems"), ""]


def _rest(total: int, what: str) -> list[str]:
    return [f"- and {total - _LISTED} more {what}"] if total > _LISTED else []


def _rules(view: ReportView) -> list[str]:
    return [
        f"| | Rule | Required | Candidate | Baseline | Estimate ({view.confidence} interval) | n |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
        *(_rule(rule) for rule in view.rules),
        "",
        *([view.noise, ""] if view.noise else []),
        *(f"- {cell(rule.name[:120])}: {rule.warning}" for rule in view.rules if rule.warning),
        *([""] if any(rule.warning for rule in view.rules) else []),
    ]


def _rule(rule: RuleView) -> str:
    interval = "" if rule.interval in ("–", "∞") else f" ({rule.interval})"
    cells = (
        f"{MARKS[rule.outcome]} {rule.outcome}",
        cell(rule.name[:120]),
        prose(rule.requirement if rule.metric else rule.reason[:300]),
        rule.candidate,
        rule.baseline,
        f"{rule.estimate}{interval}{f'; {rule.noise}' if rule.noise else ''}",
        rule.n,
    )
    return f"| {' | '.join(cells)} |"


def _regressions(view: ReportView) -> list[str]:
    found = [
        f"- {cell(row.metric)} {row.difference} ({row.interval}), p {row.p_value}"
        for row in view.regressions.rows
    ]
    return [f"**Regressions.** {prose(view.regressions.told)}", "", *found, *([""] * bool(found))]


def _sections(view: ReportView) -> list[str]:
    return [
        "| Section | Metrics, baseline → candidate | New failures | Fixed | Still failing |",
        "| --- | --- | ---: | ---: | ---: |",
        *(_section(section) for section in view.sections),
        "",
    ]


def _section(section: SectionView) -> str:
    metrics = (f"{cell(m.name)} {m.baseline} → {m.candidate}" for m in section.metrics)
    critical = f"**{section.new_critical} critical**" if section.new_critical else ""
    cells = (
        cell(section.name),
        ", ".join(metrics) or "not given",
        _tally(section.new_failures, critical),
        _tally(section.fixed),
        _tally(section.still_failing),
    )
    return f"| {' | '.join(cells)} |"


def _tally(tally: Tally, more: str = "") -> str:
    cases = numbers.counted(tally.cases, "case") if tally.answers else str(tally.cases)
    told = ", ".join(filter(None, (tally.answers, more)))
    return f"{cases} ({told})" if told else cases


def _accounting(view: ReportView) -> list[str]:
    parts = [
        f"{run.role}: {run.planned} planned, {run.scored} scored, {run.unscored} unscored, "
        f"{run.failed} failed, {run.truncated} cut off, {run.empty} empty"
        for run in view.counts
    ]
    told = f"{'; '.join(parts)}. Judged {prose(view.created)}."
    repeats = [f"{run.role}: {prose(run.repeats)}." for run in view.counts if run.repeats]
    return [" ".join([told, *repeats]), ""]


def _costs(view: ReportView) -> list[str]:
    lines = [
        "| Tokens and cost | Answers | Tokens in | Tokens out | Cost | Per 1,000 answers |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for run in view.costs:
        cells = (run.answers, run.tokens_in, run.tokens_out, run.cost, run.per_thousand)
        lines.append(f"| {run.role} | {' | '.join(cells)} |")
    unknown = [f"{run.role}: {run.unknown}." for run in view.costs if run.unknown]
    return [*lines, "", *([" ".join(unknown), ""] if unknown else [])]


def _failures(view: ReportView, room: int) -> str:
    group = view.group("new_failure")
    if group is None:
        return "\nNo new failures.\n"
    size = group.tally
    told = f"{numbers.counted(size.cases, 'case')}, {size.answers}" if size.answers else size.cases
    parts = [f"\n### New failures ({told})\n"]
    shown = 0
    for case in group.cases[:_CASES]:
        part = _case(case)
        if sum(map(len, parts)) + len(part) > room:
            break
        parts.append(part)
        shown += 1
    left = len(group.cases) - shown
    if left:
        what = "answers that newly fail" if size.answers else "new failures"
        parts.append(f"\n{left} more {what} are in `report.html`.\n")
    return "\n".join(parts)


def _case(case: CaseView) -> str:
    mark = "**critical** " if case.critical else ""
    prompt = case.turns[-1].content if case.turns else None
    return "\n".join(
        [
            f"{mark}{code(case.path)}{case.repeat and f', {case.repeat}'}",
            "",
            "Prompt:",
            fence(prompt.text, _PROMPT, prompt.more) if prompt else "none",
            "",
            *([f"Expected: {prose(case.expected)}", ""] if case.expected else []),
            *_side("Baseline", case.baseline),
            *_side("Candidate", case.candidate),
        ]
    )


def _side(title: str, answer: AnswerView) -> list[str]:
    told = " · ".join(filter(None, (answer.label and code(answer.label), prose(answer.reason))))
    return [
        f"{title}: {answer.verdict}{f', {told}' if told else ''}",
        fence(answer.answer.text, _ANSWER, answer.answer.more)
        if answer.answer.text
        else prose(answer.note or ("the same answer" if answer.repeat_of_other else "empty")),
        "",
    ]
