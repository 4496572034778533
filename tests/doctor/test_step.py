"""What follows from the steps of an examination."""

import pytest

from harness.doctor.step import Examination, Outcome, Step
from harness.errors import ServerError, UsageError


@pytest.mark.parametrize(
    ("outcomes", "misconfigured", "usable", "code"),
    [
        (["ok", "cannot"], False, True, 0),
        (["ok", "failed"], False, False, 3),
        (["ok", "failed"], True, False, 2),
        (["ok", "cannot"], True, True, 0),
    ],
)
def test_one_that_failed_decides(
    outcomes: list[Outcome], misconfigured: bool, usable: bool, code: int
) -> None:
    steps = tuple(
        Step(str(n), outcome, "", misconfigured=misconfigured) for n, outcome in enumerate(outcomes)
    )
    found = Examination("it", "about", steps)
    assert (found.usable, found.exit_code) == (usable, code)
    assert found.as_json()["usable"] is usable
    assert list(found.as_json()) == ["subject", "about", "steps", "not_tried", "usable"]


def test_a_step_of_an_error() -> None:
    error = UsageError("is wrong", where="here", hint="mend it")
    wrong = Step("x", "failed", "here: is wrong", "mend it", misconfigured=True)
    assert Step.of_error("x", error) == wrong
    assert not Step.of_error("x", ServerError("is gone")).misconfigured
    assert list(Examination("it", "", (wrong,)).as_json()["steps"][0]) == [
        "name", "outcome", "found", "remedy",
    ]  # fmt: skip
