"""What follows from the steps of an examination."""

import pytest

from harness.doctor.step import Examination, Outcome, Step
from harness.errors import UsageError


@pytest.mark.parametrize(
    ("outcomes", "misconfigured", "usable", "code"),
    [
        (["ok", "cannot"], False, True, 0),
        (["ok", "failed"], False, False, 3),
        (["failed"], True, False, 2),
    ],
)
def test_one_that_failed_decides(
    outcomes: list[Outcome], misconfigured: bool, usable: bool, code: int
) -> None:
    steps = tuple(Step(str(n), outcome, "") for n, outcome in enumerate(outcomes))
    found = Examination("it", "about", steps, misconfigured=misconfigured)
    assert (found.usable, found.exit_code) == (usable, code)
    assert found.as_json()["usable"] is usable
    assert list(found.as_json()) == ["subject", "about", "steps", "not_tried", "usable"]


def test_a_step_of_an_error() -> None:
    error = UsageError("is wrong", where="here", hint="mend it")
    assert Step.of_error("x", error) == Step("x", "failed", "here: is wrong", "mend it")
