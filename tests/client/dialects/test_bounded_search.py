"""What an expression may cost."""

from __future__ import annotations

import pytest

from harness.client.dialect import BadAnswer
from harness.client.dialects.http import search
from harness.clock import SYSTEM_CLOCK
from harness.records.http_mapping import check_expression


@pytest.mark.parametrize("step", ["[@, @][]", "join('', [@, @])"])
def test_an_expression_that_doubles_what_it_has_is_given_up(step: str) -> None:
    path = " | ".join([step] * 60)
    assert check_expression(path) == path
    began = SYSTEM_CLOCK.now()
    with pytest.raises(BadAnswer, match="an expression takes too long on the answer"):
        search(path, ["x"] if "[]" in step else "x" * 1000)
    assert SYSTEM_CLOCK.now() - began < 20.0


def test_useful_ones_find_what_they_did() -> None:
    data = {"output": [{"text": "a" * 5_000_000, "n": number} for number in range(50)]}
    assert search("output[?n > `48`].text | [0]", data) == "a" * 5_000_000
    assert search("length(output[].text)", data) == 50
    assert search(None, data) is None


@pytest.mark.parametrize("path", ["(" * 5_000, "(" * 1_500 + "a" + ")" * 400, "a" * 3_000])
def test_an_expression_that_nobody_writes_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"longer than|is no JMESPath"):
        check_expression(path)
