"""A costly pattern in windows finds what it finds in the whole text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from harness.scorers.answers import windows

PATTERN = re.compile(r"(?<!\w)(?:no\.?\s)?\d+(?:\s(?:kg|km)\b)?")
CLUE = re.compile(r"\d+")
REACH = 4  # `no. ` and ` km` go no further
PIECES = st.sampled_from(
    ["no", ".", " ", "\n", "\t", "1", "23", "kg", "km", "kma", "é", "x-", "中"]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def spans(matches: object) -> list[tuple[int, int]]:
    return [match.span() for match in matches]  # type: ignore[attr-defined]


@given(TEXTS)
def test_windows_find_what_the_whole_text_holds(text: str) -> None:
    assert spans(windows.matches(PATTERN, CLUE, text, REACH)) == spans(PATTERN.finditer(text))


@given(TEXTS)
def test_what_is_found_is_blank_and_the_rest_is_untouched(text: str) -> None:
    whole = PATTERN.sub(lambda match: " " * len(match.group()), text)
    assert windows.blanked(PATTERN, CLUE, text, REACH) == whole


@given(st.integers(0, 200), st.integers(0, 200))
def test_clues_far_apart_and_near_are_both_found(first: int, second: int) -> None:
    text = "word " * first + "no. 5 km " + "w" * second + " 7 kg"
    found = [match.group() for match in windows.matches(PATTERN, CLUE, text, REACH)]
    assert found == ["no. 5 km", "7 kg"]


def test_a_text_without_a_clue_has_no_match() -> None:
    assert list(windows.matches(PATTERN, CLUE, "no figure here", REACH)) == []
    assert windows.blanked(PATTERN, CLUE, "", REACH) == ""
