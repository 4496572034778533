import pytest
from pydantic import ValidationError

from harness.labels.files import label_line
from harness.records.label import Label
from tests.labels.builders import label


def test_a_label_is_read_back_from_its_line() -> None:
    for one in (label(), label(value=None, reason="cut off"), label(scale=(1, 5), value=4)):
        assert Label.model_validate_json(label_line(one)) == one


def test_a_value_has_its_place_on_the_scale() -> None:
    assert label(scale=(1, 5), value=4).share == 0.75
    assert label(value=None, reason="not mine to say").share is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scale": (1, 5), "value": 7}, "value: 7 is outside the scale 1 to 5"),
        ({"scale": (5, 1), "value": 3}, "scale: 5 is not below 1"),
        ({"value": None}, "the rater cannot tell, and needs a `reason`"),
        ({"probability": 0.0}, "greater than 0"),
        ({"rater": "a\nb"}, "pattern"),
        ({"time": "2026-01-01T00:00:00"}, "timezone"),
    ],
)
def test_what_is_no_label(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        label(**given)
