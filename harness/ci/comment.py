"""The comment on a pull or merge request: what to know before opening the report."""

from __future__ import annotations

from urllib.parse import quote

from harness.report import numbers
from harness.report.model import AnswerView, CaseView, ReportView, RuleView
from harness.report.plain import MARKS, cell, code, prose
from harness.report.text import one_line

# What every comment of a gate begins with.
MARK = "<!-- harness gate "
_RULES = 8
_CASES = 5
_PROBLEMS = 5
_TEXT = 160
_LINK = 2_000


def marker(candidate: str, baseline: str, config: str) -> str:
    """A line that no reader sees and by which the comment is found again.

    It holds what the job is told and not what comes of it, so that it stays the same when a
    configuration does not load or names another baseline.
    """
    parts = (quote(part, safe="").replace("-", "%2D") for part in (candidate, baseline, config))
    return f"{MARK}{' '.join(part or '*' for part in parts)} -->"


def link(url: str, told: str = "The whole report") -> str:
    """A link to where the report can be read; empty without a url."""
    if not url or len(url) > _LINK:
        return ""
    return f"[{told}]({quote(url, safe='/:?#&=%@+~,;')})"


def render_comment(view: ReportView, mark: str, url: str) -> str:
    """The comment under `mark`: verdict, deciding rules, the worst new failures, a link.

    No line begins with the words of a model, and all of these are code on one line: what a site
    makes of a line's beginning, such as a command, is never theirs.
    """
    title = f"{code(view.candidate)} against {code(view.baseline)}"
    parts = [
        mark,
        f"### {MARKS[view.verdict]} {view.verdict}: {title}",
        "",
        f"**Why:** {prose(view.headline)}",
        "",
        *_problems(view),
        *_rules(view),
        *_failures(view),
        " · ".join(filter(None, (link(url), f"judged {prose(view.created)}"))),
        "",
    ]
    return "\n".join(parts)


def _problems(view: ReportView) -> list[str]:
    if len(view.problems) < 2:
        return []
    lines = [
        f"- evidence: {prose(one_line(problem, 300))}" for problem in view.problems[:_PROBLEMS]
    ]
    left = len(view.problems) - _PROBLEMS
    return [*lines, *([f"- and {left} more"] if left > 0 else []), ""]


def _rules(view: ReportView) -> list[str]:
    """The rules that did not pass, the deciding kind first."""
    if view.problems:
        return []
    told = f"{view.rules_passed} of {numbers.counted(len(view.rules), 'rule')} pass."
    order = ("fail", "invalid", "inconclusive")
    decisive = sorted(
        (rule for rule in view.rules if rule.outcome != "pass"),
        key=lambda rule: order.index(rule.outcome),
    )
    if not decisive:
        return [told, ""]
    lines = [
        f"| | Rule | Required | Estimate ({view.confidence} interval) |",
        "| --- | --- | --- | ---: |",
        *(_rule(rule) for rule in decisive[:_RULES]),
        "",
    ]
    left = len(decisive) - _RULES
    return [*lines, f"{told}{f' {left} more do not.' if left > 0 else ''}", ""]


def _rule(rule: RuleView) -> str:
    interval = "" if rule.interval in (numbers.NONE, numbers.INFINITY) else f" ({rule.interval})"
    wanted = rule.requirement if rule.metric else rule.reason
    cells = (
        f"{MARKS[rule.outcome]} {rule.outcome}",
        cell(one_line(rule.name, 100)),
        prose(one_line(wanted, 160)),
        f"{rule.estimate}{interval}",
    )
    return f"| {' | '.join(cells)} |"


def _failures(view: ReportView) -> list[str]:
    group = view.group("new_failure")
    if group is None:
        return ["No new failures.", ""]
    critical = len({case.number for case in group.cases if case.critical})
    told = f"**New failures: {numbers.counted(group.tally.cases, 'case')}"
    told += f", {critical} critical.**" if critical else ", none critical.**"
    first: dict[int, CaseView] = {}
    for case in group.cases:
        first.setdefault(case.number, case)
    shown = list(first.values())[:_CASES]
    if group.tally.cases > len(shown):
        told += f" {len(shown)} of them:"
    return [told, "", *(line for case in shown for line in _case(case)), ""]


def _case(case: CaseView) -> list[str]:
    mark = "**critical** " if case.critical else ""
    prompt = case.turns[-1].content.text if case.turns else ""
    lines = [f"- {mark}{code(one_line(case.path, 120))}", f"  - asked: {_words(prompt)}"]
    if case.expected:
        lines.append(f"  - expected: {_words(case.expected)}")
    lines.append(f"  - baseline: {_answer(case.baseline)}")
    lines.append(f"  - candidate: {_answer(case.candidate)}")
    return lines


def _answer(answer: AnswerView) -> str:
    if not answer.answer.text:
        return prose(answer.note or ("the same answer" if answer.repeat_of_other else "empty"))
    return _words(answer.answer.text)


def _words(text: str) -> str:
    return code(one_line(text, _TEXT))
