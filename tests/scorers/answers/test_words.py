import pytest

from harness.scorers.answers.words import (
    cleaned,
    is_unspaced,
    parted,
    read,
    sentence_ends,
    singular,
)


def forms(text: str) -> str:
    return " ".join(word.form for word in read(cleaned(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The **Nurses'** room", "the nurse room"),
        ("Don’t ask Anna's cats", "dont ask anna cat"),
        ("1,234.50, 36.0, .5 and 007", "1234.5 36 0.5 and 007"),
        ("twenty-one, two hundred and six, 2 million", "21 206 2000000"),
        ("one of the sixth graders, no one", "one of the 6th grader no one"),
        ("3rd, 21st and the 1980s", "3th 21th and the 1980s"),
        ("4-inch, 54Mbps, 5 dollars, $5", "4 inch 54 mbps 5 $ 5 $"),
        ("the U.S. and the UK but us", "the united state and the united kingdom but us"),
        ("at 8 a.m.", "at 8 am"),
        ("J. R. Novák of Łódź", "jr novak of lodz"),
        ("l’espèce dell'acqua O'Neill", "espece acqua oneill"),
        ("C++, C# and A+", "c++ c# and a+"),
        ("m² and 10² and Rome³", "m2 and 10 2 and rome"),
        ("seen[2] there【1†a】", "seen there"),
        ("[the form](https://a.example/b)", "the form"),
        ("1998–99 and 3-5 and -5", "1998 1999 and 3 5 and -5"),
        ("東京 हिन्दी", "東 京 हिन्दी"),
        ("bus glasses boxes cities Paris", "bus glass box city paris"),
    ],
)
def test_what_is_written_in_several_ways_is_written_in_one(text: str, expected: str) -> None:
    assert forms(text) == expected


def test_a_word_says_where_it_stands() -> None:
    clean = cleaned("It is **Form** B7")
    word = read(clean)[2]
    assert (clean[word.start : word.end], word.capital, word.number) == ("Form", True, False)


def test_only_what_shows_a_plural_loses_its_s() -> None:
    assert [singular(word) for word in ("bills", "gas", "status", "basis", "class")] == [
        "bill",
        "gas",
        "status",
        "basis",
        "class",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("京都", True), ("アメ", False), ("十三", False), ("กา", False), ("a b", True)],
)
def test_runs_that_readers_do_not_part(text: str, expected: bool) -> None:
    left, right = read(text)
    assert parted(left, right) is expected


def test_scripts_without_spaces() -> None:
    assert [is_unspaced(sign) for sign in "東ทខລရaक"] == [True] * 5 + [False] * 2


def test_a_point_within_a_number_ends_no_sentence() -> None:
    assert sentence_ends("It is 2.5 km. Go! 好。") == [13, 17, 20]
