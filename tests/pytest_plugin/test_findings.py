from __future__ import annotations

import pytest

from harness.pytest_plugin.findings import Requirements, requirements_of
from harness.run.plan import Selection


def test_needs_are_gathered_by_target_each_once() -> None:
    requirements = requirements_of(
        ["s"], [("good", "s/a/1"), ("base", "s/a/1"), ("good", "s/a/1")], [("good", 2)]
    )
    assert requirements == Requirements(
        suites=("s",), cases={"good": ("s/a/1",), "base": ("s/a/1",)}, rules={"good": (2,)}
    )
    assert requirements.targets == ("good", "base")


@pytest.mark.parametrize(
    ("target", "suites", "selection"),
    [
        ("one", 1, Selection(cases=("s/a/1",))),
        ("one", 2, Selection(suites=("s",), cases=("s/a/1",))),
        ("all", 1, Selection()),
        ("rule", 1, Selection()),
        ("rule", 2, Selection(suites=("s",))),
    ],
)
def test_a_target_is_asked_for_what_is_needed(
    target: str, suites: int, selection: Selection
) -> None:
    requirements = Requirements(
        suites=("s",),
        cases={"one": ("s/a/1",), "all": ("s/a/1", "s/a/2"), "rule": ("s/a/1",)},
        rules={"rule": (0,)},
    )
    assert requirements.selection(target, 2, suites, None) == selection
