import pytest

from harness.scorers.answers.polarity import polarity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes.", "yes"),
        ("**Yes**, until nine.", "yes"),
        ("No problem!", "yes"),
        ("Sure, bring it.", "yes"),
        ("You may, if it is small.", "yes"),
        ("Let me check. Final answer: yes", "yes"),
        ("No.", "no"),
        ("Unfortunately not.", "no"),
        ("That isn't possible.", "no"),
        ("There are no lockers.", "no"),
        ("Nein, leider.", "no"),
        ("It depends on your plan.", ""),
        ("Yes, you cannot.", ""),
        ("Our office is on the square.", ""),
        ("", ""),
    ],
)
def test_what_an_answer_says(text: str, expected: str) -> None:
    assert polarity(text)[0] == expected


def test_what_is_said_of_the_question_is_granted() -> None:
    assert polarity("It is heated.", "Is the pool heated?")[0] == "yes"
    assert polarity("It is closed on Mondays.", "Is it closed on Mondays?")[0] == "yes"
    assert polarity("It is closed on Mondays.", "Is it open on Mondays?")[0] == "no"
    assert polarity("It is on the square.", "Is the pool heated?")[0] == ""


def test_the_words_that_decided_are_quoted() -> None:
    assert polarity("Dogs are not allowed.") == ("no", "are not")
