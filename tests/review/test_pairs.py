from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.review.pairs import write_pairs
from harness.review.store import ReviewStore
from harness.training.candidate import Recipe
from harness.training.data_files import Pair, read_data
from tests.review.builders import review
from tests.review.test_export import say


def said(store: ReviewStore, *codes: tuple[str, str]) -> None:
    """What the two raters say of the items, in the items' order."""
    for rater in (1, 2):
        for place in range(1, len(codes) + 1):
            sheet = store.sheet(rater, place)
            assert sheet is not None
            number = int(sheet.item.case.removeprefix("g"))
            if code := codes[number][rater - 1]:
                say(store, rater, place, preferred=code)


def test_what_most_prefer_is_a_pair_that_a_training_reads(tmp_path: Path) -> None:
    store = review(tmp_path, "prefer")
    said(store, ("first", "first"), ("second", "cannot-tell:unclear"), ("first", "tie"),
         ("both-bad", "both-bad"))  # fmt: skip
    assert write_pairs(store, tmp_path / "pairs.jsonl") == (2, 2)
    recipe = Recipe(name="r", base="b", data=("pairs.jsonl",), method="dpo", steps=1)
    one, other = read_data(recipe, tmp_path)
    assert (one.group, one.messages[-1].content) == ("g0", "It is so. (good)")
    assert isinstance(one, Pair)
    assert one.rejected.content == "It is so. (base)"
    assert (other.group, other.messages[-1].content) == ("g1", "It is so. (base)")


def test_a_review_without_preferences_has_no_pairs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="compares no two answers"):
        write_pairs(review(tmp_path), tmp_path / "pairs.jsonl")
    store = review(tmp_path / "b", "prefer")
    said(store, ("tie", "tie"), ("first", "second"), ("", ""), ("", ""))
    with pytest.raises(UsageError, match="of 2 items that were graded"):
        write_pairs(store, tmp_path / "pairs.jsonl")
    assert not (tmp_path / "pairs.jsonl").exists()
