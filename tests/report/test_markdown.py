"""The pull-request comment."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from harness.report.content import ReportContent
from harness.report.markdown import LIMIT, render_markdown
from tests.report.fixtures import content_with, pair
from tests.report.hostile import hostile_pair

GOLDEN = Path(__file__).parents[1] / "golden"


def test_the_comment_is_the_golden_one() -> None:
    made = render_markdown(ReportContent(*pair("BLOCK")))
    golden = GOLDEN / "report.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")


def test_the_verdict_is_the_first_line() -> None:
    for decision in ("PROMOTE", "INCONCLUSIVE", "INVALID"):
        first = render_markdown(ReportContent(*pair(decision))).splitlines()[0]  # type: ignore[arg-type]
        assert decision in first
        assert first.startswith("## ")


def test_no_metric_of_a_section_is_given_where_the_evidence_cannot_be_trusted() -> None:
    made, compared = pair("BLOCK")
    report = ReportContent(made, compared)
    row = re.compile(r"^\| `support/\w+` \| (.+?) \|", re.MULTILINE)
    given = row.findall(render_markdown(report))
    assert len(given) == len(report.sections)
    assert all(" → " in metrics for metrics in given)
    doubted = made.model_copy(update={"problems": ("nobody knows",)})
    withheld = row.findall(render_markdown(ReportContent(doubted, compared)))
    assert withheld == ["not given"] * len(report.sections)


def test_hostile_texts_stay_in_fences_spans_or_escapes() -> None:
    comment = render_markdown(ReportContent(*hostile_pair()))
    comment.encode()
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?\n\1$", "", comment)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert not re.search(r"<(?!details)\w", outside)
    assert not re.search(r"@\w|://|\bwww\.", outside)


def test_the_comment_has_room_on_github_and_counts_what_is_left_out() -> None:
    report = ReportContent(*pair("BLOCK", 3_000))
    group = report.group("new_failure")
    assert group is not None
    comment = render_markdown(report)
    assert len(comment) < LIMIT
    assert f"{len(group.cases) - 10} more new failures are in `report.html`." in comment
    many = content_with(report, rules=report.rules * 300, sections=report.sections * 300)
    flood = render_markdown(many)
    assert len(flood) < LIMIT
    assert "more lines are in `report.html`" in flood
    first = group.cases[0]
    bars = replace(first.baseline, answer=replace(first.baseline.answer, text="`" * 1_400 + "x"))
    loud = replace(first, baseline=bars)
    huge = content_with(report, groups=(replace(group, cases=(loud,) * 500),))
    assert len(render_markdown(huge)) < LIMIT
