import pytest

from harness.scorers.answers.expect import GoldExpect
from harness.scorers.answers.readers import READERS


@pytest.mark.parametrize(
    ("match", "answer", "value", "state"),
    [
        ("contains", "The red door.", "red door", "claimed"),
        ("contains", "Not the red door.", "red door", "doubtful"),
        ("exact", "The red door.", "red door", "claimed"),
        ("exact", "A big red door.", "red door", "absent"),
        ("regex", "no. 12", r"\d+", "claimed"),
        ("number", "There are 12.", "12", "claimed"),
        ("number", "12, or 13?", "12", "doubtful"),
        ("date", "On 4 May.", "4 May 2010", "claimed"),
        ("date", "In May.", "4 May 2010", "doubtful"),
        ("time", "At 6 pm.", "18:00", "claimed"),
        ("yes_no", "Yes.", "no", "absent"),
        ("yes_no", "Well.", "no", "doubtful"),
    ],
)
def test_how_an_answer_has_a_value(match: str, answer: str, value: str, state: str) -> None:
    expected = GoldExpect.model_validate({"answers": [value], "match": match})
    assert READERS[match](answer, "", expected).held(value).state == state
