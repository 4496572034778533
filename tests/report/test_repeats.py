"""Whether asking a case again gives the same text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.records.run import Run
from harness.report.content import ReportContent
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.runs import repeats_sentences
from tests.report.fixtures import attempt, header, pair

CAUSE = "at temperature 0 the target does not answer alike each time"


def run_of(texts: list[list[str | None]], temperature: float = 0.0, repeats: int = 0) -> Run:
    """A run of one case for each list, with the list's texts as its repeats; None failed."""
    attempts = tuple(
        attempt("gold", f"gold-{place}", text, repeat=repeat)
        for place, said in enumerate(texts)
        for repeat, text in enumerate(said)
    )
    settings = {"temperature": temperature, "repeats": repeats or max(map(len, texts))}
    made = header("base", len(attempts)).model_copy(update={"generation": settings})
    return Run(made, attempts, ())


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
def test_the_sentence(texts: list[list[str | None]], temperature: float, words: str) -> None:
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
