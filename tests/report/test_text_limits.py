"""How much of each text a page shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.records.comparison import ComparisonRecord, PairedCase
from harness.report import text_limits
from harness.report.content import ReportContent
from harness.report.html import render_html
from harness.report.text_limits import choose_limits
from tests.report.fixtures import attempt, comparison, rows, verdict


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page of 2 MB at most, and what is the same on every page."""
    monkeypatch.setattr(text_limits, "_PAGE", 2_000_000)


def _answers(text: str, count: int) -> ComparisonRecord:
    def change(case: PairedCase) -> PairedCase:
        return replace(
            case,
            candidate_attempt=attempt(case.section, case.case, f"{text} {case.case}"),
            baseline_attempt=attempt(case.section, case.case, text),
        )

    return comparison(rows(count), changes=change)


def test_a_small_page_shows_all_there_is_to_a_bound() -> None:
    found = choose_limits(_answers("x" * 100, 40))
    assert set(found.of.values()) == {20_000}


def test_passing_cases_are_cut_first_and_new_failures_last(small: None) -> None:
    found = choose_limits(_answers("x" * 9_000, 400))
    assert found.of["new_failure"] == 20_000
    assert 600 < found.of["other"] < 9_000
    assert found.of["still_passing"] == 300


def test_a_page_that_nothing_can_make_small_enough_has_the_least(small: None) -> None:
    found = choose_limits(_answers("x" * 500, 2_000))
    assert found.of == {"new_failure": 400, "other": 250, "still_passing": 120}


@pytest.mark.parametrize(("sign", "count"), [("<", 70), ("漢", 90), ("\u202e", 25)])
def test_the_page_stays_in_its_size_whatever_a_character_takes(
    small: None, sign: str, count: int
) -> None:
    compared = _answers(sign * 4_000, count)
    assert choose_limits(compared).of["still_passing"] < 4_000
    page = render_html(ReportContent(verdict("BLOCK", compared), compared))
    assert len(page.encode()) < 2_000_000 + 130_000


def test_many_cases_have_their_words_compared_less_deeply() -> None:
    assert choose_limits(_answers("x", 40)).edits == 400
    assert choose_limits(_answers("x", 2_000)).edits == 200
