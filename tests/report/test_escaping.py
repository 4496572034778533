"""Text of models in Markdown."""

from __future__ import annotations

import re

import pytest

from harness.report.text import code, escape_prose, fence
from tests.report.hostile import HOSTILE


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
    assert escape_prose(text) == safe


@pytest.mark.parametrize("text", ["a`b", "``", "` `` ```", "plain", "a\nb", ""])
def test_a_code_span_is_closed_only_by_its_own_bars(text: str) -> None:
    made = code(text)
    bars = re.match("`+", made)
    assert bars is not None
    inner = made[len(bars[0]) : -len(bars[0])]
    assert bars[0] not in re.findall("`+", inner)
    assert "\n" not in made
