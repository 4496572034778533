"""The sentence and the table on tokens and cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.records.cost import Asking, Price
from harness.records.run import Run
from harness.report.content import ReportContent
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.runs import spending_sentence
from tests.report.fixtures import comparison, pair


def run(price: Price | None, unknown: int = 0) -> Run:
    """60 answers of 60 + 20 tokens in 90 seconds, some of unknown usage."""
    made = comparison().candidate
    asking = Asking(price=price, seconds=90.0, answers=60)
    attempts = tuple(
        attempt.model_copy(update={"usage": None}) if place < unknown else attempt
        for place, attempt in enumerate(made.attempts)
    )
    return replace(
        made, header=made.header.model_copy(update={"asking": asking}), attempts=attempts
    )


@pytest.mark.parametrize(
    ("price", "unknown", "sentence"),
    [
        (None, 0, "tokens 3,600 in, 1,200 out"),
        (Price(input=1.0, output=5.0), 0,
         "tokens 3,600 in, 1,200 out; cost 0.0096, 0.16 per 1,000 answers"),
        (Price(gpu_hour=2.0), 0, "tokens 3,600 in, 1,200 out; cost 0.050, 0.83 per 1,000 answers"),
        (Price(input=1.0, output=5.0), 12,
         ("tokens 2,880 in, 960 out; cost 0.0077, 0.16 per 1,000 answers; "
          "usage of 12 of 60 answers unknown")),
        (Price(input=1.0, output=5.0), 60, "cost unknown; usage of 60 of 60 answers unknown"),
        (Price(gpu_hour=2.0), 60,
         "cost 0.050, 0.83 per 1,000 answers; usage of 60 of 60 answers unknown"),
        (None, 60, "usage of 60 of 60 answers unknown"),
    ],
)  # fmt: skip
def test_the_sentence(price: Price | None, unknown: int, sentence: str) -> None:
    made = run(price, unknown)
    assert spending_sentence(made.spending, made.header.asking) == sentence


def test_no_answers_no_sentence() -> None:
    made = replace(run(Price(gpu_hour=1.0)), attempts=())
    assert spending_sentence(made.spending, made.header.asking) == ""


def test_what_is_unknown_is_a_dash_and_never_a_zero() -> None:
    verdict, compared = pair("PROMOTE")
    compared = replace(compared, candidate=run(None, unknown=60))
    comment = render_markdown(ReportContent(verdict, compared))
    assert "| candidate | 60 | – | – | – | – |" in comment


def test_both_arms_stand_side_by_side_in_page_and_comment() -> None:
    verdict, compared = pair("PROMOTE")
    compared = replace(
        compared,
        candidate=run(Price(input=1.0, output=5.0)),
        baseline=run(Price(gpu_hour=2.0), unknown=12),
    )
    report = ReportContent(verdict, compared)
    comment = render_markdown(report)
    assert "| candidate | 60 | 3,600 | 1,200 | 0.0096 | 0.16 |" in comment
    assert "| baseline | 60 | 2,880 | 960 | 0.050 | 0.83 |" in comment
    assert "baseline: usage of 12 of 60 answers unknown." in comment
    page = render_html(report)
    for cells in (
        ("Candidate", "60", "3,600", "1,200", "0.0096", "0.16"),
        ("Baseline", "60", "2,880", "960", "0.050", "0.83"),
    ):
        first, *rest = cells
        row = "".join(f'<td class="num">{cell}</td>' for cell in rest)
        assert f'<tr><th scope="row">{first}</th>{row}</tr>' in page
    assert "Baseline: usage of 12 of 60 answers unknown." in page
