"""The pull-request comment."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.report.markdown import LIMIT, code, fence, prose, render_markdown
from harness.report.view import build_view
from tests.report.fixtures import pair
from tests.report.hostile import HOSTILE, hostile_pair

GOLDEN = Path(__file__).parents[1] / "golden"


def test_the_comment_is_the_golden_one() -> None:
    made = render_markdown(build_view(*pair("BLOCK")))
    golden = GOLDEN / "report.md"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(made, encoding="utf-8")
    assert made == golden.read_text(encoding="utf-8")


def test_the_verdict_is_the_first_line() -> None:
    for decision in ("PROMOTE", "INCONCLUSIVE", "INVALID"):
        first = render_markdown(build_view(*pair(decision))).splitlines()[0]  # type: ignore[arg-type]
        assert decision in first
        assert first.startswith("## ")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_leaves_its_fence(text: str) -> None:
    lines = fence(text.replace("\r", "\n"), 1_500).split("\n")
    bars = lines[0].removesuffix("text")
    assert set(bars) == {"`"}
    assert len(bars) >= 3
    assert lines[-1] == bars
    assert not [line for line in lines[1:-1] if bars in line]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("@octocat", "@\u200boctocat"),
        ("see #12 and GH-12", "see \\#\u200b12 and GH\u200b-12"),
        ("https://evil.test www.evil.test", "https:\u200b//evil.test www\u200b.evil.test"),
        ("<b>x</b> &amp;", "&lt;b>x&lt;/b> &amp;amp;"),
        ("[a](b) ![c](d)", "\\[a\\]\\(b) !\\[c\\]\\(d)"),
        ("a | b", "a \\| b"),
        ("# not a heading", "\\# not a heading"),
        ("- not a list\n> nor a quote", "\\- not a list > nor a quote"),
        ("`code` *b* _i_ ~s~ $m$", "\\`code\\` \\*b\\* \\_i\\_ \\~s\\~ \\$m\\$"),
    ],
)
def test_prose_is_plain_words(text: str, safe: str) -> None:
    assert prose(text) == safe


@pytest.mark.parametrize("text", ["a`b", "``", "` `` ```", "plain", "a\nb", ""])
def test_a_code_span_is_closed_only_by_its_own_bars(text: str) -> None:
    made = code(text)
    bars = re.match("`+", made)
    assert bars is not None
    inner = made[len(bars[0]) : -len(bars[0])]
    assert bars[0] not in re.findall("`+", inner)
    assert "\n" not in made


def test_hostile_texts_stay_in_fences_spans_or_escapes() -> None:
    comment = render_markdown(build_view(*hostile_pair()))
    comment.encode()
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?\n\1$", "", comment)
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert not re.search(r"<(?!details)\w", outside)
    assert not re.search(r"@\w|://|\bwww\.", outside)


def test_the_comment_has_room_on_github_and_counts_what_is_left_out() -> None:
    view = build_view(*pair("BLOCK", 3_000))
    group = view.group("new_failure")
    assert group is not None
    comment = render_markdown(view)
    assert len(comment) < LIMIT
    assert f"{len(group.cases) - 10} more new failures are in `report.html`." in comment
    many = replace(view, rules=view.rules * 300, sections=view.sections * 300)
    flood = render_markdown(many)
    assert len(flood) < LIMIT
    assert "more lines are in `report.html`" in flood
    first = group.cases[0]
    bars = replace(first.baseline, answer=replace(first.baseline.answer, text="`" * 1_400 + "x"))
    loud = replace(first, baseline=bars)
    huge = replace(view, groups=(replace(group, cases=(loud,) * 500),))
    assert len(render_markdown(huge)) < LIMIT
