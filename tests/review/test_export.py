from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.labels.files import check_labels, read_labels
from harness.review.export import export, labels_of
from harness.review.store import ReviewStore
from tests.review.builders import review


def say(store: ReviewStore, rater: int, place: int, **replies: str) -> None:
    sheet = store.sheet(rater, place)
    assert sheet is not None
    given = {name: tuple(f"{code}:".split(":")[:2]) for name, code in replies.items()}
    store.choose(sheet, given, len(replies), (1.0, "2026-01-01T00:00:00Z"))


def test_labels_are_read_back_as_they_were_given(tmp_path: Path) -> None:
    store = review(tmp_path, "grade")
    say(store, 1, 1, tone="4", accuracy="cannot-tell:unclear")
    file = tmp_path / "labels.jsonl"
    assert export(store, file) == 2
    found = {one.criterion: one for one in read_labels(file)}
    check_labels(tuple(found.values()))
    assert (found["tone"].value, found["tone"].scale) == (4.0, (1.0, 5.0))
    assert (found["accuracy"].value, found["accuracy"].reason) == (None, "the prompt is unclear")
    assert found["tone"].probability == 0.5
    assert found["tone"].rater == "anna"


@pytest.mark.parametrize(
    ("code", "values"),
    [("first", (1.0, 0.0)), ("second", (0.0, 1.0)), ("tie", (0.5, 0.5)), ("both-bad", (0.5, 0.5))],
)
def test_a_preference_is_a_label_of_each_side(
    tmp_path: Path, code: str, values: tuple[float, float]
) -> None:
    store = review(tmp_path, "prefer")
    say(store, 1, 1, preferred=code)
    good, base = (label for label, _ in labels_of(store))
    assert (good.target, good.criterion) == ("good", "preferred-over-base")
    assert (base.target, base.criterion) == ("base", "preferred-over-good")
    assert (good.value, base.value) == values
    assert good.reason == ("both bad" if code == "both-bad" else "")


def test_a_second_look_is_marked(tmp_path: Path) -> None:
    store = review(tmp_path, items=20, again=0.5)
    for place in range(1, 31):
        say(store, 1, place, correct="right")
    labels = [label for label, _ in labels_of(store)]
    assert sum(label.again for label in labels) == 10
    check_labels(labels)


def test_a_spreadsheet_has_the_texts_and_no_formula(tmp_path: Path) -> None:
    store = review(tmp_path, text="=HYPERLINK(1)")
    say(store, 1, 1, correct="right")
    assert export(store, tmp_path / "x.csv") == 1
    (row,) = csv.DictReader((tmp_path / "x.csv").open(newline=""))
    assert row["answer"].startswith("'=HYPERLINK")
    assert (row["rater"], row["value"], row["flagged"]) == ("anna", "1.0", "False")


def test_what_cannot_be_exported_is_one_line(tmp_path: Path) -> None:
    store = review(tmp_path)
    with pytest.raises(UsageError, match="nothing has been graded yet"):
        export(store, tmp_path / "x.csv")
    with pytest.raises(UsageError, match=r"must end in \.jsonl or \.csv"):
        export(store, tmp_path / "x.xlsx")
