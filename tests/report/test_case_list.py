"""How a page lists the cases."""

from __future__ import annotations

from harness.report.case_list import build_case_list
from harness.report.content import ReportContent
from harness.report.html import render_html
from tests.report.fixtures import pair, pair_of_repeats
from tests.report.hostile import hostile_pair


def _view(count: int) -> ReportContent:
    return ReportContent(*pair("BLOCK", count))


def test_a_list_of_a_thousand_is_open_throughout() -> None:
    listing = build_case_list(_view(1_000))
    assert all(group.rest == () for group in listing.groups)
    assert "<noscript>" not in render_html(_view(1_000))


def test_a_longer_list_keeps_the_first_cases_of_each_group_open_and_loses_none() -> None:
    report = _view(1_001)
    listing = build_case_list(report)
    for listed, group in zip(listing.groups, report.groups, strict=True):
        assert len(listed.first) == min(100, len(group.cases))
        rest = [case for chunk in listed.rest for case in chunk]
        assert (*listed.first, *rest) == group.cases


def test_no_text_ends_what_it_is_wrapped_in() -> None:
    page = render_html(ReportContent(*hostile_pair(11)))
    wraps = page.count("<noscript>")
    assert wraps == page.count("</noscript>") > 0
    assert page.count('<details class="case" data-case=') == len(hostile_pair(11)[1].cases)


def test_a_mark_names_section_and_tags_by_their_place_in_the_filter() -> None:
    report = _view(60)
    listing = build_case_list(report)
    case = report.groups[0].cases[0]
    section, tags, critical, number = listing.mark(case).split(";")
    assert list(listing.sections)[int(section) - 1] == case.section
    assert [list(listing.tags)[int(tag) - 1] for tag in tags.split()] == list(case.tags)
    assert (critical, number) == (str(int(case.critical)), "")


def test_repeats_carry_the_number_of_their_case_and_count_once_among_the_worst() -> None:
    report = ReportContent(*pair_of_repeats())
    listing = build_case_list(report)
    case = report.groups[0].cases[0]
    assert listing.mark(case).endswith(f";{case.number}")
    assert len({case.path for case in listing.worst}) == len(listing.worst) == 5


def test_a_page_says_when_it_shows_a_text_in_part() -> None:
    said = "Some texts are cut on this page"
    assert said in render_html(ReportContent(*hostile_pair()))
    assert said not in render_html(_view(60))
