import pytest

from harness.scorers.answers.expect import GoldExpect, has_words


def test_numbers_may_be_written_as_numbers() -> None:
    expect = GoldExpect.model_validate({"match": "number", "answers": [20.0, 3], "not": [7]})
    assert (expect.answers, expect.not_) == (("20.000000", "3"), ("7",))


@pytest.mark.parametrize(
    ("text", "expected"), [("C", True), ("==", True), ("🙂", True), ("%", True), ("?!…", False)]
)
def test_what_can_be_looked_for(text: str, expected: bool) -> None:
    assert has_words(text) is expected


def test_a_pattern_needs_no_word() -> None:
    for pattern in (".", r"^\W+$", "🙂|…"):
        assert GoldExpect.model_validate({"answers": [pattern], "match": "regex"})
