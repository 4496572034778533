from __future__ import annotations

from collections import Counter

from harness.records.suite import Case
from harness.suites.independence import group_sizes, independent_groups


def case(name: str, prompt: str, group: str | None = None) -> Case:
    return Case.model_validate({"id": name, "prompt": prompt, "group": group or name})


CASES = [
    case("a", "When do you open on Sundays?"),
    case("b", "Who repairs a broken zip?", "zips"),
    case("c", "Can a zip be mended here?", "zips"),
    case("d", "WHEN do you open\u200b on Sundays!", "late"),
    case("e", "Can a zip be mended here", "early"),
    case("f", "What does a parcel to Spain cost?"),
]


def test_groups_that_ask_the_same_are_called_as_the_first_of_them() -> None:
    assert independent_groups(CASES) == {"late": "a", "early": "zips"}
    assert group_sizes(CASES) == Counter(a=2, zips=3, f=1)


def test_groups_are_joined_by_way_of_others() -> None:
    linked = [*CASES, case("g", "Who repairs a broken zip?", "late")]
    assert independent_groups(linked) == {"late": "a", "early": "a", "zips": "a"}
