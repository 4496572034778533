"""What a report says of the metrics that are worse."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.model import RegressionRow
from harness.report.view import build_view
from tests.report.fixtures import REGRESSIONS, pair
from tests.report.hostile import HOSTILE, hostile_pair

CORRECTED = (
    "the p-values are corrected for their number (Holm), so that the chance of naming any metric "
    "falsely is at most 5%."
)


def test_each_regression_has_its_numbers_as_people_read_them() -> None:
    found = build_view(*pair("BLOCK")).regressions
    assert found.rows == (
        RegressionRow(
            "support.scope.f1", "−54.8 pp", "−64.1 to −43.7 pp", "< 0.001", "80", "80"
        ),
        RegressionRow(
            "support.general.accuracy", "−6.7 pp", "−12.1 to −1.8 pp", "0.031", "60", "60"
        ),
    )  # fmt: skip


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
    view = build_view(made, compared)
    assert view.regressions.told == told
    assert told.replace("'", "&#39;") in render_html(view)
    assert "regressions table" not in render_html(view).lower() or regressions


def test_page_and_comment_list_them_and_a_verdict_without_any_has_no_list() -> None:
    view = build_view(*pair("BLOCK"))
    page, comment = render_html(view), render_markdown(view)
    table = page[page.index('aria-label="Regressions table"') : page.index('id="sections"')]
    assert re.findall(r"<bdi>(.*?)</bdi>", table) == [one.metric for one in REGRESSIONS]
    assert "−64.1 to −43.7 pp" in table
    assert "- `support.scope.f1` −54.8 pp (−64.1 to −43.7 pp), p < 0.001" in comment
    good = build_view(*pair("PROMOTE"))
    assert "Regressions table" not in render_html(good)
    assert "No metric is significantly worse" in render_markdown(good)


def test_a_hostile_name_stays_text() -> None:
    view = build_view(*hostile_pair())
    assert len(view.regressions.rows) == len(HOSTILE)
    assert all(len(row.metric) <= 120 and "\n" not in row.metric for row in view.regressions.rows)
    page = render_html(replace(view, groups=(), problems=(), rules=()))
    assert "support.&lt;script&gt;window.pwned=1" in page
    assert "<script>window.pwned" not in page
