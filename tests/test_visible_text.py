"""Texts of others, shown with nothing hidden in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.visible_text import on_a_line, one_line, visible

TEXT = st.text(st.characters())


@given(TEXT)
def test_nothing_hidden_is_left_and_nothing_is_named_twice(text: str) -> None:
    shown = visible(text)
    shown.encode()
    assert visible(shown) == shown
    assert not {"\x1b", "\x00", "\u202e", "\u2066", "\ufeff"} & set(shown)


@given(st.text("abc äß中\n\t"))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(TEXT, st.integers(1, 80))
def test_a_line_keeps_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


@given(TEXT)
def test_a_line_has_single_spaces_and_all_of_the_words(text: str) -> None:
    assert one_line(text).split() == visible(text).split()
    assert "  " not in one_line(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [("abcdef", "abc…"), ("abcd", "abcd"), ("ab  cdef", "ab…"), ("    ab", "ab")],
)
def test_what_is_cut_ends_in_a_mark(text: str, line: str) -> None:
    assert one_line(text, 4) == line


@given(TEXT)
def test_a_runner_finds_no_command_within_a_line(text: str) -> None:
    assert "##[" not in on_a_line(f"{text}##[error]{text}")
