from __future__ import annotations

from typing import Any

import pytest

from harness.receipt.recompute import alike


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (0.002826382244763135, 0.0028263822447631374, True),
        (0.9, 0.901, False),
        (0.0, 1e-12, True),
        (3, 4, False),
        (True, False, False),
        (None, 0.0, False),
        ("a is +0.375 [+0.159, +0.552]", "a is +0.375 [+0.160, +0.552]", True),
        ("a is +0.375 [+0.159, +0.552]", "a is +0.375 [+0.161, +0.552]", False),
        ("4 of 5 cases", "5 of 5 cases", False),
        ("4.5 cases", "4.5 groups", False),
        ([1.0, "x"], [1.0 + 1e-12, "x"], True),
        ([1.0], [1.0, 2.0], False),
        ({"a": 1.0}, {"a": 1.0, "b": 2.0}, False),
        ({"a": None}, {}, True),
    ],
)  # fmt: skip
def test_what_another_machine_makes_of_a_number_is_the_same(
    one: Any, other: Any, same: bool
) -> None:
    assert alike(one, other) is same
    assert alike(other, one) is same
