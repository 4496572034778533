import pytest

from harness.scorers.answers.phrases import COARSE, LESS, hits
from harness.scorers.answers.reference import UNQUALIFIED, phrase
from harness.scorers.answers.text import Text


def how(text: str, wanted: str, question: str = "", *among: str) -> str | None:
    asked = frozenset(word.form for word in Text(question).words)
    found = hits(Text(text), phrase(wanted), asked, tuple(map(phrase, among)))
    first = next(found, None)
    return None if first is None else first.how


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("within sixty days", "60 days", ""),
        ("within 160 days", "60 days", None),
        ("on May 4, 2010", "4 May 2010", ""),
        ("in May 2010", "4 May 2010", COARSE),
        ("day care", "daycare", "compound"),
        ("1 2", "12", None),
        ("two years", "two years (parts only)", UNQUALIFIED),
        ("value added tax", "value added tax (VAT)", "without what surrounds it"),
        ("Lena Okafor", "Professor Lena Okafor", "without titles"),
        ("Marta Keller", "Marta Ruth Keller", "middle names"),
        ("Marta S. Keller", "Marta Ruth Keller", None),
        ("rolls and coffee", "coffee and rolls", "list"),
        ("a solicitor", "a notary or a solicitor", "one of alternatives"),
        ("renovating, for the school: renovation", "renovation of schools", "all its words"),
        ("Renovation. The school.", "renovation of schools", None),
        ("floor 3", "third floor", "ordinal"),
        ("use ==", "==", ""),
        ("use ===", "==", None),
        ("in C++", "C", None),
    ],
)
def test_how_a_text_holds_a_phrase(text: str, wanted: str, expected: str | None) -> None:
    assert how(text, wanted) == expected


def test_what_the_question_said_need_not_be_said_again() -> None:
    assert how("The Tamar.", "Tamar River", "Which river is it?") == "question"
    assert how("The Tamar.", "Tamar River", "What is it?") is None
    assert how("It is value 13.", "value 12", "What is fact 12?") is None
    assert how("In Utrecht.", "Utrecht, Netherlands", "Where is it?") == "its first place"


def test_a_more_exact_date_binds_a_coarser_one() -> None:
    assert how("3 March 1962", "1962", "", "1962", "14 June 1962") is None
    assert how("14 June 1962", "1962", "", "1962", "14 June 1962") == ""


def test_what_leaves_something_out_is_told_apart() -> None:
    assert {COARSE, UNQUALIFIED} == LESS
