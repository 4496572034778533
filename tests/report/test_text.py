"""Nothing hidden, nothing active."""

from __future__ import annotations

import re

import pytest

from harness.report.text import anchor, clip
from harness.visible_text import one_line, visible
from tests.report.hostile import HOSTILE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("a\x00b\x1b[31m\x7f\x85", "a␀b␛[31m␡⟨U+0085⟩"),
        ("\u202egnp.exe\u2069", "⟨U+202E⟩gnp.exe⟨U+2069⟩"),
        ("\ud800 \udfff", "⟨U+D800⟩ ⟨U+DFFF⟩"),
        ("\ufffe\U000e0041", "⟨U+FFFE⟩⟨U+E0041⟩"),
        ("a\u2028b", "a⟨U+2028⟩\nb"),
        ("\U0001f468\u200d\U0001f469 نص", "\U0001f468\u200d\U0001f469 نص"),
    ],
)
def test_what_cannot_be_seen_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_every_hostile_text_becomes_encodable_and_stays_so(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert visible(shown) == shown
    assert re.fullmatch(r"case-[a-z0-9-]+", anchor(text, 0))
    assert "\n" not in one_line(text, 80)
    assert len(one_line(text, 80)) <= 80


def test_a_long_text_is_cut_with_a_count() -> None:
    assert clip("abc", 3).more == ""
    assert clip("x" * 1_000_000, 20_000).more == "980,000 characters more"
    assert len(clip("x" * 1_000_000, 20_000).text) == 20_000


def test_anchors_differ_by_path_and_repeat_and_hold_over_time() -> None:
    names = {
        anchor(path, repeat) for path in ("s/a/b c", "s/a/b-c", "s/a/B c") for repeat in (0, 1)
    }
    assert len(names) == 6
    assert anchor("support/gold/returns-01", 0) == anchor("support/gold/returns-01", 0)
    assert anchor("support/gold/returns-01", 0).startswith("case-support-gold-returns-01-")
