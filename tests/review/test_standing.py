from __future__ import annotations

from pathlib import Path

import pytest

from harness.review.export import labels_of
from harness.review.standing import standing
from tests.review.builders import review
from tests.review.test_export import say


def test_it_says_who_has_done_what_and_where_people_disagree(tmp_path: Path) -> None:
    store = review(tmp_path, items=4)
    for rater in (1, 2):
        for place in range(1, 5):
            sheet = store.sheet(rater, place)
            assert sheet is not None
            odd = sheet.item.case == "g0" and rater == 2
            say(store, rater, place, correct="wrong" if odd or sheet.item.case == "g1" else "right")
    flagged = store.sheet(1, 1)
    assert flagged is not None
    store.remark(flagged, "look", True)
    found = standing(store)
    assert [(one.name, one.done, one.total) for one in found.raters] == [
        ("anna", 4, 4), ("ben", 4, 4)]  # fmt: skip
    assert {one.distance for one in found.raters} == {0.25}
    (agreement,) = found.agreement
    assert agreement.estimate == pytest.approx(8 / 15)  # by hand: 1 - 7 * 2 / (2 * 3 * 5)
    assert {one.path for one in found.to_adjudicate} == {
        "shop/gold/g0", f"shop/gold/{flagged.item.case}"}  # fmt: skip
    split = next(one for one in found.to_adjudicate if one.path == "shop/gold/g0")
    assert split.values == {"anna": 1.0, "ben": 0.0}
    assert "look" in " ".join(one.words for one in found.to_adjudicate)
    assert "secret" not in str(found.as_json())


def test_nothing_said_is_no_agreement(tmp_path: Path) -> None:
    found = standing(review(tmp_path))
    assert found.agreement == ()
    assert [(one.distance_words, one.again_words) for one in found.raters] == [("–", "–")] * 2


def test_a_preference_is_counted_once(tmp_path: Path) -> None:
    store = review(tmp_path, "prefer", items=3)
    for place in (1, 2, 3):
        say(store, 1, place, preferred="first")
        say(store, 2, place, preferred="first" if place > 1 else "tie")
    found = standing(store)
    assert [one.criterion for one in found.agreement] == ["preferred-over-base"]
    assert len(found.to_adjudicate) in (0, 1)


def test_own_consistency_is_counted(tmp_path: Path) -> None:
    store = review(tmp_path, items=20, again=0.5)
    seen: set[str] = set()
    for place in range(1, 31):
        sheet = store.sheet(1, place)
        assert sheet is not None
        first, odd = sheet.item.case not in seen, sheet.item.case in ("g0", "g1", "g2", "g3")
        seen.add(sheet.item.case)
        say(store, 1, place, correct="right" if first or not odd else "wrong")
    anna, ben = standing(store).raters
    changed = sum(one.value == 0.0 for one, _ in labels_of(store))
    assert (anna.same, anna.repeats) == (10 - changed, 10)
    assert ben.repeats == 0
