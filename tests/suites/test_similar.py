from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.records.suite import Case
from harness.suites.independence import independent_groups
from harness.suites.similar import (
    COPIES,
    MOST_SHARED,
    Question,
    clusters,
    shingles,
    similar_pairs,
    similarity,
)

WORDS = st.lists(st.sampled_from([*"abcdefg"]), min_size=1, max_size=12).map(" ".join)


@given(WORDS, WORDS)
def test_similarity_is_symmetric_and_one_for_the_same_words(one: str, other: str) -> None:
    first, second = shingles(one), shingles(other)
    assert similarity(first, second) == similarity(second, first)
    assert 0 <= similarity(first, second) <= 1
    assert similarity(first, shingles(f"  {one.upper()}!")) == 1


@given(st.lists(WORDS, max_size=12), st.sampled_from([0.3, 0.6, 1.0]))
def test_the_pairs_are_those_of_comparing_each_with_each(texts: list[str], least: float) -> None:
    known = [shingles(text) for text in texts]
    every = {
        (first, second)
        for second in range(len(known))
        for first in range(second)
        if similarity(known[first], known[second]) >= least
    }
    assert set(similar_pairs(known, least)) == every
    assert len(list(similar_pairs(known, least))) == len(every)


SENTENCE = "What does it cost to return a pair of boots?"


@pytest.mark.parametrize(
    "copy",
    [
        f"{SENTENCE}!!",
        SENTENCE.upper(),
        SENTENCE.replace("return", "re\u200bturn"),
        SENTENCE.replace("o", "\u043e"),
        SENTENCE.replace(" ", "\u00a0").replace("e", "e\u0301"),
        "\u202e" + SENTENCE.replace(" ", "_"),
        "".join(chr(ord(one) + 0xFEE0) if one.isalpha() else one for one in SENTENCE),
    ],
)
def test_what_a_reader_cannot_tell_apart_has_the_same_words(copy: str) -> None:
    assert shingles(copy) == shingles(SENTENCE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 3 + 5?", "What is 3 - 5?"),
        ("退货政策是什么", "退货地址是什么"),
        ("🙂🙂", "🙁"),
    ],
)
def test_what_means_something_else_has_other_words(one: str, other: str) -> None:
    assert similarity(shingles(one), shingles(other)) < COPIES


def groups(*texts: str, expected: str = "") -> list[int]:
    return clusters([Question(shingles(text), expected) for text in texts])


def test_a_question_with_a_few_words_more_is_the_same_where_the_same_is_expected() -> None:
    short = "Do you ship abroad?"
    assert groups(short, f"Hello there! {short}", f"{short} 17") == [0, 0, 0]
    apart = [Question(shingles(text), text) for text in (short, f"{short} 17")]
    assert clusters(apart) == [0, 1]


def test_copies_of_a_question_do_not_make_a_template_of_it() -> None:
    copies = [f"{SENTENCE} {number}" for number in range(3 * MOST_SHARED)]
    assert set(groups(SENTENCE, *copies, "Who mends a broken zip?")) == {0, 3 * MOST_SHARED + 1}


def test_instructions_before_every_question_do_not_make_them_one() -> None:
    before = "You are asked by a customer of the shop. Answer in one sentence and be polite. " * 3
    asked = (
        "How long can I keep shoes that hurt?", "Who repairs a broken zip of a tent in winter?",
        "What does a parcel to Spain cost in the week?", "Do you sell cards for the shop in Rome?",
    )  # fmt: skip
    assert groups(*(before + one for one in asked)) == [0, 1, 2, 3]


def test_what_is_like_two_clusters_makes_them_one() -> None:
    words = [f"w{number}" for number in range(60)]
    first, second = " ".join(words), " ".join([*words[:52], *"abcdefgh"])
    between = " ".join([*words[:56], *"efgh"])
    assert similarity(shingles(first), shingles(second)) < COPIES
    others = [" ".join(f"{name}{number}" for number in range(9)) for name in "xyz"]
    assert groups(*others, first, second, between) == [0, 1, 2, 3, 3, 3]


def test_no_two_groups_of_the_shipped_suites_are_one() -> None:
    """The false merges by which the threshold was chosen: none, in 2,121 cases."""
    root = Path(__file__).parents[2]
    within = ("", "harness/cli/new_*project/", "harness/cli/new_domains/*/", "examples/*/")
    found = [file for place in within for file in root.glob(f"{place}suites/*/*.jsonl")]
    # No data of other tasks, and no conversations whose likelihood is measured.
    files = [one for one in found if b'"id"' in one.read_bytes() and one.name != "chats.jsonl"]
    assert len(files) == 40
    for file in files:
        cases = [Case.model_validate_json(line) for line in file.read_text().splitlines()]
        assert independent_groups(cases) == {}, file
