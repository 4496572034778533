import pytest

from harness.scorers.answers.doubt import ASKED, CORRECTED, DENIED, declines, denial, negative


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is X.", ""),
        ("It is not X.", DENIED),
        ("It is not only X.", ""),
        ("It isn't Y, it is X.", ""),
        ("Anything except X.", DENIED),
        ("X is not right.", DENIED),
        ("Not until X.", ""),
        ("Is it X?", ASKED),
        ("X sang “Who is it?”", ""),
        ("It was X, now it is Y.", CORRECTED),
        ("It was X in what is now Y.", ""),
    ],
)
def test_what_is_done_to_a_value(text: str, expected: str) -> None:
    at = text.index("X")
    assert denial(text, at, at + 1) == expected


@pytest.mark.parametrize(
    ("text", "declined"),
    [
        ("I'm not sure, perhaps nine.", True),
        ("I couldn't find the year.", True),
        ("I do not know.", True),
        ("There is no official record of it.", True),
        ("I'm sorry for the delay: it is nine.", False),
        ("I can't give legal advice, but it is nine.", False),
        ("It is nine.", False),
    ],
)
def test_an_answer_that_says_it_does_not_know(text: str, declined: bool) -> None:
    assert bool(declines(text)) is declined


def test_a_question_that_asks_what_is_not_so() -> None:
    assert negative("Which one doesn’t fit?")
    assert not negative("Which one fits?")
