"""The words in which two answers differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.report.text import Clip
from harness.report.word_diff import (
    BEYOND,
    NOT_MARKED,
    SPACES_ONLY,
    TOO_MANY,
    TextPart,
    compare_clips,
    compare_words,
)


def _told(parts: tuple[TextPart, ...]) -> str:
    return "".join(f"[{part.text}]" if part.changed else part.text for part in parts)


@pytest.mark.parametrize(
    ("baseline", "candidate", "ours", "theirs"),
    [
        (
            "Yes, within 60 days.", "Yes, within 30 days.",
            "Yes, within [30] days.", "Yes, within [60] days.",
        ),
        ("one two three", "one two three four", "one two three [four]", "one two three"),
        ("It costs 3.50 now", "It costs 3.75 now", "It costs [3.75] now", "It costs [3.50] now"),
        ("don't go there", "do go there", "[do] go there", "[don't] go there"),
        ("a b c d", "a  b\nc e", "a  b\nc [e]", "a b c [d]"),
        (
            "a cafe\u0301 in town", "a cafe in town",
            "a [cafe] in town", "a [cafe\u0301] in town",
        ),
        (
            "期限是六十天", "期限是三十天",
            "期限是[三]十天", "期限是[六]十天",
        ),
        (
            "\U0001f469\u200d\U0001f4bb is in", "\U0001f468\u200d\U0001f4bb is in",
            "[\U0001f468\u200d\U0001f4bb] is in", "[\U0001f469\u200d\U0001f4bb] is in",
        ),
        (
            "keep this, not a b c, and that end", "keep this, but x b y, and that end",
            "keep this, [but x b y], and that end", "keep this, [not a b c], and that end",
        ),
    ],
)  # fmt: skip
def test_a_word_that_only_one_side_has_is_marked(
    baseline: str, candidate: str, ours: str, theirs: str
) -> None:
    found = compare_words(baseline, candidate)
    assert (_told(found.candidate), _told(found.baseline), found.note) == (ours, theirs, "")


WORDS = st.lists(st.sampled_from(["a", "be", "sea", "Day", ",", "!", "\n", "3.5"]), max_size=30)


@given(WORDS, WORDS)
def test_the_parts_of_a_side_are_its_text_and_the_rest_of_both_is_the_same(
    baseline: list[str], candidate: list[str]
) -> None:
    theirs, ours = " ".join(baseline), " ".join(candidate)
    found = compare_words(theirs, ours)
    assert bool(found.note) is not bool(found.candidate or found.baseline)
    if not found.note:
        assert "".join(part.text for part in found.baseline) == theirs
        assert "".join(part.text for part in found.candidate) == ours
        kept = [
            "".join(part.text for part in side if not part.changed).split()
            for side in (found.baseline, found.candidate)
        ]
        assert kept[0] == kept[1]


@given(WORDS, st.integers(0, 29))
def test_one_word_more_is_the_only_one_marked(words: list[str], place: int) -> None:
    plain = [word for word in words if word.strip()] + ["so", "it", "ends"]
    longer = [*plain[:place], "UNIQUE", *plain[place:]]
    found = compare_words(" ".join(plain), " ".join(longer))
    assert [part.text for part in found.candidate if part.changed] == ["UNIQUE"]
    assert not any(part.changed for part in found.baseline)


@pytest.mark.parametrize(
    ("baseline", "candidate", "note"),
    [
        ("a b c", "a  b\nc ", SPACES_ONLY),
        ("quite another thing", "nothing of that sort", NOT_MARKED),
        ("A" * 1_000_000, "A" * 999_999, NOT_MARKED),
        ("a b " * 10_000, "b a " * 10_000, ""),
        ("x y z " * 7_000, " ".join(f"x y n{i}" for i in range(7_000)), TOO_MANY),
        ("e" + "\u0301" * 200_000, "e" + "\u0301" * 199_999, NOT_MARKED),
        (" " * 200_000 + "x", "x", ""),
    ],
)
def test_what_cannot_be_marked_says_why(baseline: str, candidate: str, note: str) -> None:
    assert compare_words(baseline, candidate).note == note


def test_more_edits_than_allowed_are_not_marked() -> None:
    words = [f"w{i}" for i in range(60)]
    other = [f"new{i}" if i % 6 == 0 else word for i, word in enumerate(words)]
    assert compare_words(" ".join(words), " ".join(other), 20).note == ""
    assert compare_words(" ".join(words), " ".join(other), 19).note == TOO_MANY


def test_answers_that_differ_after_the_cut_say_so() -> None:
    cut = Clip("the same words", "9 characters more")
    assert compare_clips(cut, cut, 100).note == BEYOND
    assert compare_clips(Clip(""), cut, 100).note == ""
