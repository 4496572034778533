"""The section in the page, in the comment, and by itself."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.errors import StorageError
from harness.report.content import ReportContent
from harness.report.html import render_html, render_latency_html
from harness.report.junit import render_junit
from harness.report.latency_content import LatencyContent
from harness.report.markdown import LIMIT, render_markdown
from harness.report.rendering import render_text
from harness.report.write import write_latency, write_report
from tests.report.fixtures import pair
from tests.report.hostile import HOSTILE, hostile_pair
from tests.report.measured import (
    Kind,
    hostile_section,
    load,
    measured,
    measured_pair,
    section,
    with_latency,
)

GOLDEN = Path(__file__).parents[1] / "golden"
KINDS: tuple[Kind, ...] = ("pass", "fail", "inconclusive", "invalid")


class _Page(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def page(kind: Kind) -> str:
    made, rules = measured(kind)
    return render_latency_html(LatencyContent(made, "good", "base", rules))


def test_the_text_is_the_golden_one() -> None:
    made, rules = measured("fail")
    text = render_text("latency_page.md.j2", latency=LatencyContent(made, "good", "base", rules))
    golden = GOLDEN / "latency.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_first_how_it_ended_and_why(kind: Kind) -> None:
    made, rules = measured(kind)
    text = page(kind)
    top = text[text.index("<main") : text.index('<h2 id="loads"')]
    assert f'<h1 id="verdict">{kind.upper()}</h1>' in top
    for rule in rules:
        assert rule.reason.replace("'", "&#39;") in top
    for problem in (p for one in made.loads for p in one.problems):
        assert problem.replace("'", "&#39;") in top


def test_notes_and_what_is_not_certifiable_are_shown() -> None:
    made, rules = measured("fail")
    comment = render_text("latency_page.md.j2", latency=LatencyContent(made, "good", "base", rules))
    for text in (page("fail"), comment):
        assert made.loads[0].notes[0] in text
        assert "too few requests to pass a rule: p99 needs 5,000 of each target" in text
        assert "count as infinitely late" in text
    assert "count as infinitely late" not in page("pass")


def test_a_page_by_itself_runs_no_script() -> None:
    text = page("pass")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert "script-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert "<script" not in text


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "report"])
def test_no_tag_or_attribute_comes_from_a_text(alone: bool) -> None:
    made, compared = hostile_pair()
    made = with_latency(made, hostile_section(), made.rules)
    text = (
        render_latency_html(LatencyContent(hostile_section(), HOSTILE[0], HOSTILE[1], made.rules))
        if alone
        else render_html(ReportContent(made, compared))
    )
    ids: list[str] = []
    for tag, attributes in _Page(text).tags:
        assert tag not in {"iframe", "object", "embed", "img", "base", "math", "noscript"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in {"style", "srcdoc", "action", "formaction", "src"}
            if name == "href":
                assert (value or "").startswith(("#", "data:,"))
            if name == "id":
                ids.append(value or "")
    assert len(ids) == len(set(ids))
    assert "⟨U+202E⟩gnp.exe" in text


def test_hostile_texts_stay_in_spans_or_escapes_of_the_comment() -> None:
    view = LatencyContent(hostile_section(), HOSTILE[0], HOSTILE[15], ())
    text = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", render_text("latency_page.md.j2", latency=view))
    assert not re.search(r"<\w", text)
    assert not re.search(r"@\w|://|\bwww\.", text)
    for line in text.splitlines():
        if line.startswith("| TTFT"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6


def test_the_report_has_the_section_in_page_and_comment_and_its_rules_in_junit() -> None:
    verdict, compared = measured_pair("fail")
    report = ReportContent(verdict, compared)
    text, comment = render_html(report), render_markdown(report)
    assert '<a href="#latency">Latency</a>' in text
    assert '<h2 id="latency">Latency' in text
    assert "### Latency: ❌ fail" in comment
    assert "latency.ttft_p99: at most 1.25× the baseline" in render_junit(report)
    without = ReportContent(*pair("BLOCK"))
    assert 'id="latency"' not in render_html(without)
    assert "### Latency" not in render_markdown(without)


def test_a_long_sweep_leaves_the_comment_its_room() -> None:
    made, compared = pair("BLOCK")
    loads = tuple(load(f"closed:{number}", rate=None) for number in range(1, 21))
    report = ReportContent(with_latency(made, section(*loads), ()), compared)
    comment = render_markdown(report)
    assert len(comment) < LIMIT
    assert "### New failures" in comment


def test_both_files_are_written_whole_and_again(tmp_path: Path) -> None:
    made, rules = measured("pass")
    write_report(*pair("PROMOTE"), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for _ in range(2):
        write_latency(made, "good", "base", rules, tmp_path)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(after) - set(before) == {"latency.html", "latency.md"}
    assert {name: after[name] for name in before} == before


def test_a_folder_that_cannot_be_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    made, rules = measured("pass")
    with pytest.raises(StorageError, match="cannot write"):
        write_latency(made, "good", "base", rules, tmp_path / "reports")
