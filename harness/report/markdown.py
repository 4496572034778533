"""The Markdown report on a verdict, in which text of models is never active markup."""

from __future__ import annotations

from harness.report import formats
from harness.report.content import ReportContent
from harness.report.rendering import render_text

# GitHub refuses a comment of more than 65,536 characters.
LIMIT = 60_000
_CASES = 10


def render_markdown(report: ReportContent) -> str:
    """The report: verdict, rules, sections, the worst new failures; at most `LIMIT` characters."""
    context = {"report": report, "verdict": report.verdict, "latency": report.latency}
    head = _fit(render_text("report.md.j2", **context).split("\n"), LIMIT // 2)
    return head + _failures(report, LIMIT - len(head) - 200)


def _fit(lines: list[str], room: int) -> str:
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            kept += ["", f"{len(lines) - len(kept)} more lines are in `report.html`.", ""]
            break
        kept.append(line)
    return "\n".join(kept)


def _failures(report: ReportContent, room: int) -> str:
    group = report.group("new_failure")
    if group is None:
        return "\nNo new failures.\n"
    size = group.size
    size_words = (
        f"{formats.counted(size.cases, 'case')}, {size.answers}" if size.answers else size.cases
    )
    parts = [f"\n### New failures ({size_words})\n"]
    kept = 0
    for case in group.cases[:_CASES]:
        part = render_text("case.md.j2", case=case)
        if sum(map(len, parts)) + len(part) > room:
            break
        parts.append(part)
        kept += 1
    left = len(group.cases) - kept
    if left:
        what = "answers that newly fail" if size.answers else "new failures"
        parts.append(f"\n{left} more {what} are in `report.html`.\n")
    return "\n".join(parts)
