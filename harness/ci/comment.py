"""The comment on a pull or merge request: what to know before opening the report."""

from __future__ import annotations

from urllib.parse import quote

from harness.report.cases import CaseText
from harness.report.content import Failure, ReportContent
from harness.report.rendering import render_text

# What every comment of a gate begins with.
MARK = "<!-- harness gate "
_CASES = 5
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


def render_comment(report: ReportContent, mark: str, url: str) -> str:
    """The comment under `mark`: verdict, deciding rules, the worst new failures, a link.

    No line begins with the words of a model, and all of these are code on one line: what a site
    makes of a line's beginning, such as a command, is never theirs.
    """
    group = report.group("new_failure")
    first: dict[int, CaseText] = {}
    for case in group.cases if group else ():
        first.setdefault(case.number, case)
    order = ("fail", "invalid", "inconclusive")
    return render_text(
        "comment.md.j2",
        mark=mark,
        report=report,
        verdict=report.verdict,
        open_rules=sorted(
            (rule for rule in report.rules if rule.outcome != "pass"),
            key=lambda rule: order.index(rule.outcome),
        ),
        group=group,
        critical=len({case.number for case in first.values() if case.critical}),
        failures=list(first.values())[:_CASES],
        link=link(url),
    )


def render_failure(failure: Failure, url: str) -> str:
    """The summary of a gate without a verdict: the word, why, and what it does not mean."""
    return render_text("failure.md.j2", failure=failure, link=link(url, "The job's page"))
