"""The HTML page, as text; `tests/e2e/test_report_browser.py` opens it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from harness.records.verdict import Decision, EvidenceWarning
from harness.report.content import ReportContent
from harness.report.html import build_case_list, render_html
from harness.report.markdown import render_markdown
from tests.report.fixtures import content_with, pair, pair_of_repeats
from tests.report.hostile import hostile_pair


class _Page(HTMLParser):
    """Collects what a strict page must not have, and what a good one must."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _page(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    return page


@pytest.mark.parametrize("decision", ["PROMOTE", "BLOCK", "INCONCLUSIVE", "INVALID"])
def test_the_verdict_and_its_reason_come_first(decision: Decision) -> None:
    made, compared = pair(decision)
    report = ReportContent(made, compared)
    text = render_html(report)
    main = text[text.index("<main") :]
    assert main.index(f">{decision}</h1>") < main.index(report.headline) < main.index("<h2 id=")
    assert "<h1" in text
    assert text.count("<h1") == 1


def test_what_there_is_nothing_of_has_no_table() -> None:
    report = ReportContent(*pair("INVALID"))
    bare = render_html(content_with(report, timed=False))
    assert "No rule is judged" in bare
    assert "rules pass" not in bare
    assert "Times table" not in bare
    assert report.priced is ("Per 1,000 answers" in bare)
    assert "Times table" in render_html(content_with(report, timed=True))


def test_no_metric_of_a_section_is_given_where_the_evidence_cannot_be_trusted() -> None:
    made, compared = pair("BLOCK")
    report = ReportContent(made, compared)
    metrics = [
        metric.name.rpartition(".")[2] for section in report.sections for metric in section.metrics
    ]
    given, withheld = (
        re.search(r'(?s)<table class="sections">.*?</table>', render_html(one))
        for one in (
            report,
            ReportContent(made.model_copy(update={"problems": ("nobody knows",)}), compared),
        )
    )
    assert given is not None
    assert withheld is not None
    assert re.search(r"better|worse|\d%", given[0])
    told = given[0].replace("<wbr>", "")
    assert all(f"<bdi>{metric}</bdi>" in told for metric in metrics)
    assert "not given" not in given[0]
    assert not any(f"<bdi>{metric}</bdi>" in withheld[0] for metric in metrics)
    assert not re.search(r"better|worse|\d%", withheld[0])
    told = "not given: the evidence cannot be trusted"
    assert withheld[0].count(told) == len(report.sections)


def test_headings_descend_one_level_at_a_time() -> None:
    levels = [
        int(tag[1]) for tag, _ in _page(render_html(ReportContent(*pair("INVALID")))).tags
        if re.fullmatch("h[1-6]", tag)
    ]  # fmt: skip
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("made", [pair("BLOCK"), hostile_pair()], ids=["plain", "hostile"])
def test_no_tag_or_attribute_comes_from_a_text(made: tuple[object, object]) -> None:
    text = render_html(ReportContent(*made))  # type: ignore[arg-type]
    text.encode()
    ids: list[str] = []
    for tag, attributes in _page(text).tags:
        assert tag not in {"iframe", "object", "embed", "img", "base", "math", "noscript"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "srcdoc", "action", "formaction", "src"}
            if name == "href":
                assert (value or "").startswith(("#", "data:,"))
            if name == "id":
                ids.append(value or "")
    assert len(ids) == len(set(ids))
    tags = [tag for tag, _ in _page(text).tags]
    assert tags.count("script") == tags.count("style") == 1


def test_the_policy_admits_exactly_the_two_inline_blocks() -> None:
    text = render_html(ReportContent(*pair("BLOCK")))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    rules = dict(part.split(" ", 1) for part in policy[1].replace("&#39;", "'").split("; "))
    assert rules["default-src"] == "'none'"
    for tag in ("script", "style"):
        block = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert block is not None
        digest = base64.b64encode(hashlib.sha256(block[1].encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert "unsafe" not in policy[1]


def test_texts_are_whole_escaped_and_isolated() -> None:
    text = render_html(ReportContent(*hostile_pair()))
    assert "&lt;script&gt;window.pwned=1;alert(1)&lt;/script&gt;" in text
    assert "{{ 7*7 }} {% for x in y %}" in text
    assert "⟨U+202E⟩gnp.exe" in text
    assert "980,000 characters more" in text
    assert not re.search("[\x00-\x08\u202a-\u202e\u2066-\u2069]", text)


FINE = {"detectable": 0.08, "groups_needed": 310}


@pytest.mark.parametrize(
    ("decision", "tones"),
    [("INCONCLUSIVE", ["inconclusive"]), ("PROMOTE", ["muted"]), ("INVALID", [])],
)
def test_a_warning_is_loud_only_where_its_rule_is_inconclusive(
    decision: Decision, tones: list[str]
) -> None:
    made, compared = pair(decision)
    rules = tuple(
        rule.model_copy(update=FINE) if rule.require == "no_worse_than_baseline" else rule
        for rule in made.rules
    )
    report = ReportContent(made.model_copy(update={"rules": rules}), compared)
    found = re.findall(r'<span class="warning (\w+)">([^<]+)</span>', render_html(report))
    assert [tone for tone, _ in found] == tones
    told = [report.warning_of(rule) for rule in report.rules if report.warning_of(rule)]
    assert [words for _, words in found] == told
    comment = render_markdown(report)
    assert sum(words in comment for words in told) == len(tones)


def test_the_p_of_the_rules_says_what_it_is() -> None:
    page = render_html(ReportContent(*pair("BLOCK")))
    table = page[page.index('class="rules"') : page.index('id="regressions"')]
    assert table.count("two-sided, against no difference") == 1


def test_the_page_is_the_same_each_time() -> None:
    made = pair("BLOCK")
    assert render_html(ReportContent(*made)) == render_html(ReportContent(*made))


def test_five_thousand_cases_stay_lean() -> None:
    text = render_html(ReportContent(*pair("BLOCK", 5_000)))
    assert text.count('<details class="case" data-case=') == 5_000
    assert len(text) < 5_000_000


def test_the_style_names_every_class_the_page_uses() -> None:
    style = (Path(__file__).parents[2] / "harness/report/templates/report.css").read_text()
    for verdict in ("promote", "block", "inconclusive", "invalid"):
        assert f".v-{verdict}" in style
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def _view(count: int) -> ReportContent:
    return ReportContent(*pair("BLOCK", count))


def test_a_list_of_a_thousand_is_open_throughout() -> None:
    listing = build_case_list(_view(1_000))
    assert listing.first == 1_000
    assert "<noscript>" not in render_html(_view(1_000))


def test_a_longer_list_keeps_the_first_cases_of_each_group_open_and_loses_none() -> None:
    report = _view(1_001)
    listing = build_case_list(report)
    assert listing.first == 100
    page = render_html(report)
    outside = re.sub(r"(?s)<noscript>.*?</noscript>", "", page)
    entry = '<details class="case" data-case='
    assert outside.count(entry) == sum(min(100, len(group.cases)) for group in report.groups)
    assert page.count(entry) == 1_001


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


def test_what_stands_in_backquotes_is_code_and_still_text() -> None:
    made, compared = pair("BLOCK")
    hostile = EvidenceWarning(code="x", place="base", what="`<b>` is `a<script>` or ` alone")
    text = render_html(ReportContent(made.model_copy(update={"warnings": (hostile,)}), compared))
    assert "<code>&lt;b&gt;</code> is <code>a&lt;script&gt;</code> or <code> alone</code>" in text
    shown = re.sub(r"(?s)<(script|style|pre)\b.*?</\1>", "", text)
    assert "`" not in shown
