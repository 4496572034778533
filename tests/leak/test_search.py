from __future__ import annotations

import pytest

from tests.leak.trained import kinds, texts_of

LATE = "If my parcel arrives damaged, can I get a full refund from the store?"


@pytest.mark.parametrize(
    ("trained", "asked", "kind"),
    [
        ("When do you open on Sundays?", "When do you open on Sundays?", "verbatim"),
        ("When do you  open\non Sundays?", "When do you open on Sundays?", "verbatim"),
        ("when do you open on sundays", "When do you open on Sundays?", "normalised"),
        ("When do you open on Sundays?!", "WHEN do you open: on Sundays", "normalised"),
        ("When do you opne on Sundays?", "When do you open on Sundays?", "edited"),
        ("When do yuo open on Sundas?", "When do you open on Sundays?", "edited"),
        ("If my parcel arrives damaged can I get the full refund from the store", LATE, "edited"),
        ("Can I get a full refund from the store if my parcel arrives damaged?", LATE, "reordered"),
        (f"Good morning! {LATE} Thank you.", LATE, "overlap"),
    ],
)
def test_a_copy_is_found_and_told_by_its_kind(trained: str, asked: str, kind: str) -> None:
    assert kinds([trained, "How are you today?"], asked)[:1] == [kind]


@pytest.mark.parametrize(
    ("trained", "asked"),
    [
        ("When do you close?", "When do you open?"),
        ("Where do you open?", "When do you open?"),
        ("How do I block my debit card?", "How do I block my credit card?"),
        ("Can I return it after 30 days?", "Can I return it after 60 days?"),
        ("Can I transfer money from savings?", "Can I transfer money to savings?"),
        ("Can I not return this jacket?", "Can I return this jacket?"),
        ("Is a trip from Oslo to Bergen cheap?", "Is a trip from Bergen to Oslo cheap?"),
        ("What is size S?", "What is size M?"),
        ("How do I activate my new card?", "How do I activate my card?"),
        ("Could you tell me when you open?", "Is there anybody there on Sundays?"),
        ("?", "!"),
    ],
)
def test_another_question_in_nearly_the_same_words_is_none(trained: str, asked: str) -> None:
    assert kinds(trained, asked) == []


def test_words_that_many_texts_use_are_no_misspellings_of_each_other() -> None:
    many = [f"{word} number {place}" for word in ("brown", "crown") for place in range(5)]
    assert kinds(["Do you sell crown boots?", *many], "Do you sell brown boots?") == []
    assert kinds(["Do you sell brwon boots?", *many], "Do you sell brown boots?") == ["edited"]


WORDS = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda",
    "muon", "nucleus", "xenon", "omicron",
]  # fmt: skip


def test_a_long_text_may_be_edited_anywhere_and_share_a_run_of_words() -> None:
    long = " ".join(WORDS)
    assert kinds(long.replace("theta", "other"), long) == ["edited"]
    quoted = " ".join(["my", "own", "words", "before", *WORDS[:13], "and", "then", "others"])
    assert kinds(quoted, long) == ["edited"]
    assert kinds(" ".join([*["so"] * 20, *WORDS[:13], *["on"] * 20]), long) == ["edited"]
    longer = " ".join([*WORDS, *(f"{word}s" for word in WORDS), *(f"{w}x" for w in WORDS)])
    assert kinds(" ".join(WORDS[:13]), longer) == ["overlap"]
    assert kinds(" ".join(WORDS[:12]), longer) == []


def test_what_a_template_says_is_no_overlap() -> None:
    frame = " ".join(WORDS)
    cases = [f"{frame} and the colour is {colour} today" for colour in ("red", "blue", "green")]
    trained = [f"{frame} and the size is {size} today" for size in ("large", "small")]
    texts = texts_of(trained, *cases)
    assert [list(texts.matches(case)) for case in cases] == [[], [], []]


def test_examples_are_found_by_their_texts() -> None:
    texts = texts_of(["Is it open?", "is it open", "Is it  open?"], "Is it open?")
    assert len(texts) == 1
    assert list(texts.examples_of(0)) == [0, 1, 2]
