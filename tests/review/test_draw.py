from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from harness.errors import EvidenceError, UsageError
from harness.records.plan import PlannedRequest
from harness.records.suite import Suite
from harness.review.draw import Drawn, Wanted, assign, changed_answers, draw
from harness.review.items import Assignment
from harness.review.looks import DIFFER
from harness.sections.section_kinds import load_suites
from tests.builders import make_run, shop, usual

NOW = "2026-01-01T00:00:00Z"


def drawn(folder: Path, **given: object) -> tuple[Drawn, tuple[Suite, ...]]:
    project, suites = shop(folder)
    wanted = Wanted(**({"task": "label", "candidate": "candidate", "against": "base"} | given))
    runs = [
        make_run(project, suites, name, selection=None)
        for name in (wanted.candidate, wanted.against)
        if name
    ]
    return draw(suites, wanted, runs, NOW), suites


def test_both_sides_of_whole_groups_are_drawn_from_every_section_alike(tmp_path: Path) -> None:
    found, _ = drawn(tmp_path, items=40)
    sides = Counter((item.section, item.case) for item in found.items)
    assert set(sides.values()) == {2}
    assert Counter(section for section, _ in sides) == {"gold": 10, "scope": 10}
    assert {item.probability for item in found.items} == {0.25}
    assert {item.answers[0].target for item in found.items} == {"candidate", "base"}


def test_a_seed_draws_the_same_again(tmp_path: Path) -> None:
    one, _ = drawn(tmp_path / "a", items=10)
    two, _ = drawn(tmp_path / "b", items=10)
    assert one == two
    assert one.items != drawn(tmp_path / "c", items=10, seed=1)[0].items
    assert set(one.draw.cases) == {"shop.gold", "shop.scope"}


def test_a_preference_has_both_answers_in_one_item(tmp_path: Path) -> None:
    found, _ = drawn(tmp_path, task="prefer", items=8, sections=("shop.gold",))
    assert len(found.items) == 8
    assert all(len(item.answers) == 2 for item in found.items)


def test_what_a_label_asks_goes_by_the_case_and_does_not_give_it_away(tmp_path: Path) -> None:
    found, _ = drawn(tmp_path, items=80, against=None)
    refuse = [item for item in found.items if item.questions == "label refuse"]
    (asked,) = found.draw.questions["label refuse"]
    assert refuse
    assert asked.values == {"answered": 0.0, "refused": 1.0, "mixed": 0.0}
    assert all(item.reference == () for item in refuse)
    gold = next(item for item in found.items if item.section == "gold")
    assert gold.reference == (f"answers: value {gold.case[1:]}",)


def test_a_case_without_an_answer_of_each_side_is_not_drawn(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    some = make_run(project, suites, "base", lambda _, ask: "no" if ask.case.id == "g1" else "")
    runs = [make_run(project, suites, "candidate", lambda *_: "yes"), some]
    wanted = Wanted("grade", "candidate", "base", items=100)
    found = draw(suites, wanted, runs, NOW)
    assert {item.case for item in found.items} == {"g1"}
    nothing = make_run(project, suites, "base", lambda *_: "")
    with pytest.raises(EvidenceError, match="no case has a stored answer of every side"):
        draw(suites, wanted, [runs[0], nothing], NOW)


def test_a_section_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no section `shop.nothing` with answers"):
        drawn(tmp_path, sections=("shop.nothing",))


def test_answers_that_changed_since_are_counted(tmp_path: Path) -> None:
    found, _ = drawn(tmp_path / "a", items=8, sections=("shop.gold",))
    project, suites = shop(tmp_path / "b")
    assert changed_answers(found.items, make_run(project, suites, "base")) == (0, 4)
    case = found.items[0].case

    def other(target: str, ask: PlannedRequest) -> str:
        return "Another." if ask.case.id == case else usual(target, ask)

    assert changed_answers(found.items, make_run(project, suites, "base", other)) == (1, 4)


def by_rater(found: list[Assignment]) -> dict[int, list[Assignment]]:
    return {rater: [one for one in found if one.rater == rater] for rater in (1, 2, 3, 4)}


def test_each_item_is_seen_by_as_many_raters_and_each_rater_sees_as_many() -> None:
    wanted = Wanted("label", "a", None, raters=2, people=tuple("abcd"), overlap=0.5, again=0.0)
    found = assign(40, wanted)
    seen = Counter(one.item for one in found)
    assert Counter(seen.values()) == {2: 20, 1: 20}
    assert {len(own) for own in by_rater(found).values()} == {15}
    for own in by_rater(found).values():
        assert [one.place for one in own] == list(range(1, 16))
        assert len({one.item for one in own}) == 15


def test_some_items_come_again_later_to_the_same_rater() -> None:
    found = assign(40, Wanted("label", "a", None, raters=4, people=tuple("abcd"), again=0.25))
    for own in by_rater(found).values():
        again = [one for one in own if one.again]
        assert len(again) == 10
        for one in again:
            first = next(each for each in own if each.item == one.item)
            assert not first.again
            assert one.place >= first.place + 10


def test_groups_that_ask_the_same_are_drawn_together(tmp_path: Path) -> None:
    project, _ = shop(tmp_path)
    path = tmp_path / "suites/shop/gold.jsonl"
    first = path.read_text().splitlines()[0]
    twin = first.replace('"id": "g0"', '"id": "twin"').replace('"group": "g0"', '"group": "twin"')
    path.write_text(f"{path.read_text()}{twin}\n")
    suites = load_suites(project)
    runs = [make_run(project, suites, name) for name in ("candidate", "base")]
    for seed in range(4):
        wanted = Wanted(task="label", candidate="candidate", against="base", items=40, seed=seed)
        cases = {item.case for item in draw(suites, wanted, runs, NOW).items}
        assert ("g0" in cases) == ("twin" in cases)


def test_an_audit_draws_what_is_worth_a_look_more_often_and_says_so(tmp_path: Path) -> None:
    found, _ = drawn(tmp_path, items=40, sections=("shop.gold",), audit=True)
    # The candidate knows every fact, the base each fourth: 30 of 40 are not alike.
    chances = {item.case: item.probability for item in found.items}
    differ = {case for case in chances if int(case[1:]) % 4}
    assert {chances[case] for case in differ} == {17 / 30}
    assert {chances[case] for case in chances.keys() - differ} == {0.3}
    assert found.looks == {DIFFER: (17, 30)}
    # Weighted by one over its chance, a sample stands for the section.
    assert sum(1 / chance for chance in chances.values()) == pytest.approx(40)
