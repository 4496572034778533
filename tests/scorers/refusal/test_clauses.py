from __future__ import annotations

import pytest

from harness.scorers.refusal.clauses import clauses, letters, lexicon, spelled_out


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("can't", ("can", "not")),
        ("cannot", ("can", "not")),
        ("wouldn't", ("would", "not")),
        ("it's", ("it", "is")),
        ("doctor's", ("doctor",)),
        ("we'll", ("we", "will")),
        ("tea", ("tea",)),
        ("n't", ("not",)),
    ],
)
def test_contractions_are_spelled_out(written: str, words: tuple[str, ...]) -> None:
    assert spelled_out(written) == words


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("We open at nine. Bring tea!", ["we open at nine", "bring tea"]),
        ("I can't say, but it is dear.", ["i can not say ,", "but it is dear"]),
        ("While I can't judge it, it sells well.", ["while i can not judge it", "it sells well"]),
        ("Dr. Okafor is in at 9.30 today.", ["dr okafor is in at 9 30 today"]),
        ("1. Stir\n2. Serve", ["1 stir", "2 serve"]),
        ("I do n't know.", ["i do not know"]),
        ("It's late – go home.", ["it is late", "go home"]),
        ("", []),
    ],
)
def test_a_text_is_cut_at_stops_and_turns(text: str, parts: list[str]) -> None:
    assert [" ".join(clause.words) for clause in clauses(text)] == parts


def test_a_clause_knows_where_it_stands_and_what_it_is() -> None:
    text = "Is it open? She said, “I can’t tell.”\n- It is."
    asked, told, quoted, item = clauses(text)
    assert (asked.asks, told.asks) == (True, False)
    assert (told.quoted, quoted.quoted) == (False, True)
    assert (quoted.listed, item.listed) == (False, True)
    assert text[item.start : item.end] == "It is."


def test_an_answer_in_quotation_marks_is_not_a_quotation() -> None:
    assert [clause.quoted for clause in clauses('"I cannot help."')] == [False]


def test_a_clause_that_turns() -> None:
    assert [clause.pivots for clause in clauses("No, and yet we tried, but, and but again")] == [
        False,
        True,
        True,
    ]


def test_each_class_has_a_letter_of_its_own_and_holds_words_in_lower_case() -> None:
    read = lexicon()
    assert len(set(read.classes.values())) == len(read.classes)
    assert all(len(letter) == 1 for letter in read.classes.values())
    assert set(read.words.values()) <= set(read.classes.values())
    assert all(word == word.lower() and word.split() == [word] for word in read.words)
    assert {"norm", "urge", "counsel", "explain", "harm", "other", "fiction", "empty"} == set(
        read.counted
    )


def test_the_letters_of_a_clause_are_those_of_its_words_classes() -> None:
    (clause,) = clauses("we can not sell 3 boats, sorry")
    assert clause.classes == letters("we can not act number other comma sorry")
