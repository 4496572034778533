"""Cases that were asked more than once are counted once, and each of their answers is named."""

from __future__ import annotations

import re

from harness.report.cases import CaseCount
from harness.report.content import ReportContent
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from tests.report.fixtures import asked, pair

# Three askings of three cases: the first newly fails in two of them, the second is fixed in one.
ASKED = asked(
    *(
        [("gold", 0, True, a, True), ("gold", 4, False, b, c), ("scope", 1, False, d, True)]
        for a, b, c, d in (
            (False, True, False, False),
            (True, False, False, True),
            (False, True, True, True),
        )
    )
)


def test_a_section_counts_cases_and_says_how_many_answers() -> None:
    gold, scope, tone, _ = ReportContent(*ASKED).sections
    assert gold.cases == CaseCount(2, "6 answers")
    changes = gold.changes
    assert (changes["new_failure"], gold.new_critical) == (CaseCount(1, "2 answers"), 1)
    assert (changes["fixed"], changes["still_failing"]) == (
        CaseCount(1, "1 answer"),
        CaseCount(1, "1 answer"),
    )
    assert changes["still_passing"] == CaseCount(2, "2 answers")
    assert (scope.cases, scope.changes["new_failure"]) == (
        CaseCount(1, "3 answers"),
        CaseCount(1, "1 answer"),
    )
    assert (tone.cases, scope.new_critical) == (CaseCount(0, ""), 0)


def test_the_answers_of_a_case_stand_together_in_the_order_of_the_repeats() -> None:
    report = ReportContent(*ASKED)
    group = report.group("new_failure")
    assert group is not None
    assert group.size == CaseCount(2, "3 answers")
    assert [(case.path, case.repeat) for case in group.cases] == [
        ("support/gold/gold-000", "repeat 1 of 3"),
        ("support/gold/gold-000", "repeat 3 of 3"),
        ("support/scope/scope-001", "repeat 1 of 3"),
    ]
    assert len({case.number for group in report.groups for case in group.cases}) == 3


def test_the_page_counts_cases_and_names_the_repeat_in_each_closed_row() -> None:
    page = render_html(ReportContent(*ASKED))
    facts = re.sub(r"<[^>]+>", "", page[page.index('class="facts"') : page.index("<nav")])
    assert "2 cases newly fail (3 answers), 1 critical" in facts
    assert "1 case fixed (1 answer)" in facts
    assert 'New failures <span class="count">2 cases, 3 answers</span>' in page
    assert 'value="new_failure"> New failures <span class="count">2</span>' in page
    assert page.count('New failures<span class="sub">cases</span>') == 1
    rows = re.findall(r"<summary>(.*?)</summary>", page[page.index('class="list"') :])
    told = [re.findall(r"<i>(repeat \d of 3)</i>", row) for row in rows]
    assert sorted(each[0] for each in told if each) == [
        f"repeat {number} of 3" for number in (1, 2, 3) for _ in range(3)
    ]


def test_the_comment_counts_cases_and_names_the_repeat_of_each_answer() -> None:
    comment = render_markdown(ReportContent(*ASKED))
    assert "### New failures (2 cases, 3 answers)" in comment
    assert "**critical** `support/gold/gold-000`, repeat 3 of 3\n" in comment
    row = next(line for line in comment.splitlines() if line.startswith("| `support/gold`"))
    assert row.endswith(
        "| 1 case (2 answers, **1 critical**) | 1 case (1 answer) | 1 case (1 answer) |"
    )
    many = ReportContent(*asked(*[[("gold", i, False, False, True) for i in range(9)]] * 2))
    assert "8 more answers that newly fail are in `report.html`." in render_markdown(many)


def test_a_run_without_repeats_says_nothing_of_them() -> None:
    report = ReportContent(*pair("BLOCK"))
    page, comment = render_html(report), render_markdown(report)
    assert report.repeats == 1
    assert 'New failures <span class="count">15</span>' in page
    for absent in ("<i>repeat", '<span class="sub">cases</span>', "15 answers"):
        assert absent not in page
    assert "### New failures (15)\n" in comment
    assert "repeat" not in comment
