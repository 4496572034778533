"""What a report says of the metrics that are worse."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.report.content import ReportContent
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.runs import regression_numbers, regressions_sentence
from tests.report.fixtures import REGRESSIONS, pair
from tests.report.hostile import HOSTILE, hostile_pair

CORRECTED = (
    "the p-values are corrected for their number (Holm), so that the chance of naming any metric "
    "falsely is at most 5%."
)


def test_each_regression_has_its_numbers_as_people_read_them() -> None:
    assert [regression_numbers(found) for found in REGRESSIONS] == [
        ("−54.8 pp", "−64.1 to −43.7 pp"),
        ("−6.7 pp", "−12.1 to −1.8 pp"),
    ]


@pytest.mark.parametrize(
    ("looked", "regressions", "told"),
    [
        (
            7,
            REGRESSIONS,
            (
                "2 metrics are significantly worse than the baseline's, whatever the rules ask. "
                f"Looked at 7 metrics; {CORRECTED}"
            ),
        ),
        (
            7,
            (),
            (
                "No metric is significantly worse than the baseline's. "
                f"Looked at 7 metrics; {CORRECTED}"
            ),
        ),
        (
            1,
            REGRESSIONS[:1],
            (
                "1 metric is significantly worse than the baseline's, whatever the rules ask. "
                f"Looked at 1 metric; {CORRECTED}"
            ),
        ),
        (0, (), "No metric could be computed on both sides, so no regression was looked for."),
        (None, (), "No regression was looked for."),
    ],
)
def test_one_sentence_says_what_was_looked_at(
    looked: int | None, regressions: tuple[object, ...], told: str
) -> None:
    made, compared = pair("BLOCK")
    made = made.model_copy(update={"regressions": regressions, "metrics_compared": looked})
    report = ReportContent(made, compared)
    assert regressions_sentence(made) == told
    assert told.replace("'", "&#39;") in render_html(report)
    assert "regressions table" not in render_html(report).lower() or regressions


def test_page_and_comment_list_them_and_a_verdict_without_any_has_no_list() -> None:
    report = ReportContent(*pair("BLOCK"))
    page, comment = render_html(report), render_markdown(report)
    table = page[page.index('aria-label="Regressions table"') : page.index('id="sections"')]
    assert re.findall(r"<bdi>(.*?)</bdi>", table) == [one.metric for one in REGRESSIONS]
    assert "−64.1 to −43.7 pp" in table
    assert "- `support.scope.f1` −54.8 pp (−64.1 to −43.7 pp), p < 0.001" in comment
    good = ReportContent(*pair("PROMOTE"))
    assert "Regressions table" not in render_html(good)
    assert "No metric is significantly worse" in render_markdown(good)


def test_a_hostile_name_stays_text() -> None:
    report = ReportContent(*hostile_pair())
    made = report.verdict.model_copy(update={"rules": (), "problems": ()})
    page = render_html(replace(report, verdict=made))
    assert page.count("−0.3") or len(report.verdict.regressions) == len(HOSTILE)
    assert "support.&lt;script&gt;window.pwned=1" in page
    assert "<script>window.pwned" not in page
