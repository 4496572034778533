"""Which form a row is in."""

from __future__ import annotations

import pytest

from harness.data.form import detect, named
from harness.errors import UsageError


def test_a_row_in_no_known_form_is_told_with_its_fields() -> None:
    with pytest.raises(UsageError, match="it has the fields `q`, `a`") as raised:
        detect({"q": "x", "a": "y"}, "x.csv:2")
    assert raised.value.where == "x.csv:2"
    assert "--map prompt=COLUMN" in raised.value.hint


def test_a_row_that_may_be_of_two_forms_is_not_guessed() -> None:
    with pytest.raises(UsageError, match="may be any of the forms `alpaca`, `sharegpt`"):
        detect({"instruction": "x", "output": "y", "conversations": []}, "x")


def test_a_form_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean `sharegpt`"):
        named("sharegtp")
