"""What a report says of runs: regressions, repeats, tokens and cost."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.records.cost import Asking, Price
from harness.records.run import RunRecord
from harness.report.content import ReportContent
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.runs import (
    regression_numbers,
    regressions_sentence,
    repeats_sentences,
    spending_sentence,
)
from tests.report.fixtures import REGRESSIONS, attempt, comparison, header, pair
from tests.report.hostile import HOSTILE, hostile_pair

CORRECTED = (
    "The p-values are corrected for their number (Holm): the chance that any metric is listed "
    "wrongly is at most 5%."
)


def test_each_regression_has_its_numbers_as_people_read_them() -> None:
    assert [regression_numbers(found) for found in REGRESSIONS] == [
        ("−54.8 points", "−64.1 to −43.7 points"),
        ("−6.7 points", "−12.1 to −1.8 points"),
    ]


@pytest.mark.parametrize(
    ("looked", "regressions", "told"),
    [
        (
            7,
            REGRESSIONS,
            (
                "2 metrics are significantly worse than the baseline's, whatever the rules ask. "
                f"Compared: 7 metrics. {CORRECTED}"
            ),
        ),
        (
            7,
            (),
            (
                "No metric is significantly worse than the baseline's. "
                f"Compared: 7 metrics. {CORRECTED}"
            ),
        ),
        (
            1,
            REGRESSIONS[:1],
            (
                "1 metric is significantly worse than the baseline's, whatever the rules ask. "
                f"Compared: 1 metric. {CORRECTED}"
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
    names = re.findall(r"<bdi>(.*?)</bdi>", table.replace("<wbr>", ""))
    assert names == [one.metric for one in REGRESSIONS]
    assert "−64.1 to −43.7 points" in table
    assert "- `support.scope.f1` −54.8 points (−64.1 to −43.7 points), p < 0.001" in comment
    good = ReportContent(*pair("PROMOTE"))
    assert "Regressions table" not in render_html(good)
    assert "No metric is significantly worse" in render_markdown(good)


def test_a_hostile_name_stays_text() -> None:
    report = ReportContent(*hostile_pair())
    made = report.verdict.model_copy(update={"rules": (), "problems": ()})
    page = render_html(replace(report, verdict=made))
    assert page.count("−0.3") or len(report.verdict.regressions) == len(HOSTILE)
    assert "support.&lt;script&gt;window.pwned=1" in page.replace("<wbr>", "")
    assert "<script>window" not in page


def priced_run(price: Price | None, unknown: int = 0) -> RunRecord:
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
def test_the_sentence_on_spending(price: Price | None, unknown: int, sentence: str) -> None:
    made = priced_run(price, unknown)
    assert spending_sentence(made.spending, made.header.asking) == sentence


def test_no_answers_no_sentence() -> None:
    made = replace(priced_run(Price(gpu_hour=1.0)), attempts=())
    assert spending_sentence(made.spending, made.header.asking) == ""


def test_what_is_unknown_is_a_dash_and_never_a_zero() -> None:
    verdict, compared = pair("PROMOTE")
    compared = replace(compared, candidate=priced_run(None, unknown=60))
    comment = render_markdown(ReportContent(verdict, compared))
    assert "| candidate | 60 | – | – | – | – |" in comment


def test_both_arms_stand_side_by_side_in_page_and_comment() -> None:
    verdict, compared = pair("PROMOTE")
    compared = replace(
        compared,
        candidate=priced_run(Price(input=1.0, output=5.0)),
        baseline=priced_run(Price(gpu_hour=2.0), unknown=12),
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


CAUSE = "at temperature 0 the target does not always give the same answer"


def run_of(texts: list[list[str | None]], temperature: float = 0.0, repeats: int = 0) -> RunRecord:
    """A run of one case for each list, with the list's texts as its repeats; None failed."""
    attempts = tuple(
        attempt("gold", f"gold-{place}", text, repeat=repeat)
        for place, said in enumerate(texts)
        for repeat, text in enumerate(said)
    )
    settings = {"temperature": temperature, "repeats": repeats or max(map(len, texts))}
    made = header("base", len(attempts)).model_copy(update={"generation": settings})
    return RunRecord(made, attempts, ())


@pytest.mark.parametrize(
    ("texts", "temperature", "words"),
    [
        (
            [["a", "a", "b"], ["c", "c", "c"]],
            0.0,
            f"3 repeats a case at temperature 0: texts differ in 1 of 2 cases; {CAUSE}",
        ),
        (
            [["a", "a"], ["c", "c"]],
            0.0,
            "2 repeats a case at temperature 0: texts differ in none of 2 cases",
        ),
        (
            [["a", "b"], ["c", "d"]],
            0.7,
            "2 repeats a case at temperature 0.7: texts differ in 2 of 2 cases",
        ),
        (
            [["a", None], ["c", "c"], [None, None]],
            0.0,
            "2 repeats a case at temperature 0: texts differ in none of 1 case",
        ),
        ([["a"], ["b"]], 0.0, ""),
        ([["a", None]], 0.0, ""),
    ],
)
def test_the_sentence_on_repeats(
    texts: list[list[str | None]], temperature: float, words: str
) -> None:
    assert repeats_sentences([run_of(texts, temperature)]) == [words]


def test_what_should_not_be_is_said_of_the_first_run_that_shows_it() -> None:
    alike, warm, unsteady = (
        run_of([["a", "a"]]),
        run_of([["a", "b"]], 0.7),
        run_of([["a", "b"]]),
    )
    told = repeats_sentences([alike, warm, unsteady, unsteady])
    assert [CAUSE in sentence for sentence in told] == [False, False, True, False]


def test_page_and_comment_say_it_for_each_run_that_has_repeats() -> None:
    made, compared = pair("PROMOTE")
    plain = ReportContent(made, compared)
    for text in (render_html(plain), render_markdown(plain)):
        assert "repeats a case" not in text
    one = replace(
        compared,
        candidate=run_of([["a", "b"]]),
        baseline=run_of([["a", "a"], ["b", "c"]]),
    )
    report = ReportContent(made, one)
    told = (
        f"andidate: 2 repeats a case at temperature 0: texts differ in 1 of 1 case; {CAUSE}.",
        "aseline: 2 repeats a case at temperature 0: texts differ in 1 of 2 cases.",
    )
    page, comment = render_html(report), render_markdown(report)
    for words in told:
        assert page.count(words.replace("'", "&#39;")) == 1
        assert comment.count(words) == 1
