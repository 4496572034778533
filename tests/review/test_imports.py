from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from harness.errors import StorageError, UsageError
from harness.review.export import export, labels_of, write_sheet
from harness.review.imports import Imported, import_labels
from harness.review.store import ReviewStore
from tests.review.builders import review
from tests.review.test_export import say

ANSWER = "It is so. (good)"
NOW = "2026-01-02T00:00:00Z"


def take(store: ReviewStore, file: Path, *maps: str, **aliases: str) -> Imported:
    columns = dict(one.split("=") for one in maps)
    return import_labels(store, file, NOW, columns=columns, aliases=aliases)


def table(path: Path, *rows: dict[str, Any]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def row(**given: Any) -> dict[str, Any]:
    usual = {"item": 1, "rater": "anna", "answer": ANSWER, "value": "right", "reason": ""}
    return usual | given


def said(store: ReviewStore) -> list[tuple[str, str, str, float | None]]:
    return sorted(
        (label.rater, label.case, label.criterion, label.value) for label, _ in labels_of(store)
    )


def test_a_sheet_is_filled_in_and_taken_back(tmp_path: Path) -> None:
    store = review(tmp_path, items=20, again=0.2, text="=1+1")
    say(store, 1, 1, correct="right")
    sheet = tmp_path / "sheet.csv"
    assert write_sheet(store, sheet) == 39
    rows = list(csv.DictReader(sheet.open(newline="")))
    assert "good" not in {cell for one in rows for key, cell in one.items() if key != "answer"}
    for one in rows:
        one["value"] = "wrong" if one["rater"] == "ben" else "right"
    rows[0]["value"], rows[1]["value"], rows[1]["reason"] = "", "", "the prompt is unclear"
    done = take(store, table(sheet, *rows))
    assert (done.rows, done.added, done.empty, done.rejected) == (39, 38, 1, [])
    assert {each.value for each, _ in labels_of(store) if each.rater == "ben"} == {0.0}
    assert sum(each.value is None for each, _ in labels_of(store)) == 1
    assert take(store, sheet).known == 38
    assert write_sheet(store, sheet) == 1


def test_a_sheet_has_the_sides_as_the_page_would_show_them(tmp_path: Path) -> None:
    store = review(tmp_path, "prefer", items=30)
    sheet = tmp_path / "sheet.csv"
    write_sheet(store, sheet)
    rows = list(csv.DictReader(sheet.open(newline="")))
    flipped = [each.sheet.flipped for each in store.assigned()]
    assert [one["left"] == "It is so. (base)" for one in rows] == flipped
    assert set(flipped) == {True, False}
    for one in rows:
        one["value"] = "left" if "good" in one["left"] else "right"
    assert take(store, table(sheet, *rows)).added == 60
    assert {each.value for each, _ in labels_of(store) if each.target == "good"} == {1.0}


def test_an_export_can_come_back(tmp_path: Path) -> None:
    """The labels of one copy of a review are put into another copy."""
    (tmp_path / "b").mkdir()
    one, other = review(tmp_path, "grade"), review(tmp_path / "b", "grade")
    say(one, 1, 1, tone="4", accuracy="cannot-tell:unclear")
    export(one, tmp_path / "x.csv")
    assert take(other, tmp_path / "x.csv").added == 2
    assert said(other) == said(one)


@pytest.mark.parametrize(("swapped", "value"), [(False, 1.0), (True, 0.0)])
def test_left_and_right_are_where_the_answers_stood(
    tmp_path: Path, swapped: bool, value: float
) -> None:
    store = review(tmp_path, "prefer")
    texts = ["It is so. (good)", "It is so. (base)"]
    left, right = texts[::-1] if swapped else texts
    given = {"item": 1, "rater": "anna", "left": left, "right": right, "value": "left"}
    assert take(store, table(tmp_path / "x.csv", given)).added == 1
    (good,) = [label for label, _ in labels_of(store) if label.target == "good"]
    assert good.value == value


def test_each_criterion_may_have_a_column(tmp_path: Path) -> None:
    store = review(tmp_path, "grade")
    given = {"item": 2, "who": "Anna", "answer": ANSWER, "tone": "very good", "How right?": 2}
    done = take(store, table(tmp_path / "x.csv", given), "rater=who", "tone=tone",
                "accuracy=How right?")  # fmt: skip
    assert done.added == 2
    assert said(store) == [("anna", "g1", "accuracy", 2.0), ("anna", "g1", "tone", 5.0)]


LABEL_STUDIO = {
    "id": 7,
    "data": {"item": 1, "answer": ANSWER, "rater": "nobody"},
    "annotations": [
        {
            "id": 70,
            "completed_by": {"id": 3, "email": "anna@example.org"},
            "was_cancelled": False,
            "created_at": "2026-01-01T12:00:00.000000Z",
            "result": [
                {"from_name": "tone", "to_name": "text", "type": "rating", "value": {"rating": 4}},
                {"from_name": "accuracy", "to_name": "text", "type": "choices",
                 "value": {"choices": ["very poor"]}},
            ],
        },
        {"id": 71, "completed_by": 4, "was_cancelled": True, "result": []},
    ],
}  # fmt: skip
ARGILLA = {
    "id": "r-1",
    "fields": {"answer": ANSWER},
    "metadata": {"item": 1},
    "suggestions": {},
    "responses": {
        "tone": [{"value": 4, "user_id": "u-1"}],
        "accuracy": [{"value": "very poor", "user_id": "u-1"}],
    },
    "status": "completed",
}
ARGILLA_FLAT = {
    "id": "r-1",
    "answer": ANSWER,
    "item": 1,
    "tone.responses": [4, 1],
    "tone.responses.users": ["u-1", "u-2"],
    "tone.responses.status": ["submitted", "draft"],
    "accuracy.responses": ["very poor"],
    "accuracy.responses.users": ["u-1"],
    "accuracy.responses.status": ["submitted"],
}


@pytest.mark.parametrize(
    ("export", "who"),
    [(LABEL_STUDIO, "anna@example.org"), (ARGILLA, "u-1"), (ARGILLA_FLAT, "u-1")],
    ids=["label-studio", "argilla", "argilla-flat"],
)
def test_what_labelling_tools_export(tmp_path: Path, export: object, who: str) -> None:
    store = review(tmp_path, "grade")
    file = tmp_path / "export.json"
    file.write_text(json.dumps([export]))
    done = take(store, file, **{who: "anna"})
    assert (done.rows, done.added) == (1, 2)
    assert said(store) == [("anna", "g0", "accuracy", 1.0), ("anna", "g0", "tone", 4.0)]


def test_a_table_of_label_studio_names_its_columns(tmp_path: Path) -> None:
    store = review(tmp_path)
    given = {"answer": ANSWER, "item": 1, "annotator": 3, "sentiment": "wrong", "lead_time": 2.5}
    done = take(store, table(tmp_path / "x.csv", given), "rater=annotator", "value=sentiment",
                **{"3": "anna"})  # fmt: skip
    assert done.added == 1


@pytest.mark.parametrize("name", ["x.csv", "x.json"])
def test_a_rating_in_a_table_of_label_studio_is_a_list(tmp_path: Path, name: str) -> None:
    store = review(tmp_path, "grade")
    rating = [{"rating": 4}] if name == "x.json" else '[{"rating":4}]'
    given = {"answer": ANSWER, "item": 1, "annotator": "anna", "tone": rating}
    file = tmp_path / name
    if name == "x.json":
        file.write_text(json.dumps([given]))
    done = take(store, file if name == "x.json" else table(file, given), "rater=annotator",
                "tone=tone")  # fmt: skip
    assert done.added == 1
    assert said(store) == [("anna", "g0", "tone", 4.0)]
    two = {**given, "item": 2, "tone": json.dumps([{"rating": 4}, {"rating": 5}])}
    with pytest.raises(UsageError, match="is no level of `tone`"):
        take(store, table(tmp_path / "two.csv", two), "rater=annotator", "tone=tone")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"item": 9}, "no item `9`: they are numbered 1 to 4"),
        ({"item": "x"}, "no item `x`"),
        ({"rater": "zoe"}, "no rater `zoe` in the review; there is anna, ben"),
        ({"value": "great"}, "`great` is no level of `correct`; there is right, wrong"),
        ({"value": "7"}, "`7` is no level of `correct`"),
        ({"value": "cannot tell"}, "cannot tell for the reason ``; there is unclear"),
        ({"answer": "It was so."}, "the answer is another one than was drawn"),
        ({"answer": ""}, "the answer is another one than was drawn"),
        ({"again": "true"}, "item 1 was not given to `anna` a second time"),
        ({"again": "perhaps"}, "again: `perhaps` is neither true nor false"),
        ({"time": "yesterday"}, "time: `yesterday` is not like"),
        ({"time": "2026-01-01"}, "time: `2026-01-01` is not like"),
        ({"criterion": "tone"}, "`tone` is not asked of it; there is correct"),
        ({"item": 2, "value": "wrong"}, "contradicts"),
        ({"item": 3}, "the rater has said something else of `correct` before"),
    ],
)
def test_a_bad_row_is_kept_apart(tmp_path: Path, given: dict[str, Any], why: str) -> None:
    store = review(tmp_path)
    places = {each.number: each.sheet.place for each in store.assigned() if each.rater == 1}
    say(store, 1, places[3], correct="wrong")
    usual = {"again": "", "time": "", "criterion": ""}
    file = table(tmp_path / "x.csv", row(item=2, **usual), row(**(usual | given)))
    done = take(store, file)
    assert (done.rows, done.added) == (2, 1)
    (kept,) = map(json.loads, (tmp_path / "x.rejected.jsonl").read_text().splitlines())
    assert kept["place"] == f"{file}:3"
    assert why in kept["why"]
    assert kept["row"]["rater"] == given.get("rater", "anna")


@pytest.mark.parametrize(
    ("rows", "maps", "message"),
    [
        ([row()], ["value=Value"], "has no column `Value`; there is `item`"),
        ([row()], ["valeu=value"], "no field or criterion `valeu`; did you mean `value`?"),
        ([{"item": 1, "rater": "anna", "value": "right"}], [], "has no column `answer`"),
        ([{"item": 1, "answer": ANSWER, "value": "right"}], [], "has no column `rater`"),
        ([{"item": 1, "answer": ANSWER, "rater": "anna"}], [], "has no column `value`"),
        ([row(rater="zoe"), row(item=7)], [], "none of 2 rows can be taken; no rater `zoe`"),
    ],
)
def test_a_file_that_says_nothing_changes_nothing(
    tmp_path: Path, rows: list[dict[str, Any]], maps: list[str], message: str
) -> None:
    store = review(tmp_path)
    with pytest.raises(UsageError) as error:
        take(store, table(tmp_path / "x.csv", *rows), *maps)
    assert message in error.value.line
    assert not list(tmp_path.glob("*rejected*"))
    assert not store.given()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "x.csv",
            "item|rater|answer|value\n1|anna|x|right\n",
            "there is `item|rater|answer|value`",
        ),
        ("x.csv", "item;rater;answer;value\n1;anna;x;right\n", "none of 1 row can be taken"),
        ("x.csv", "item,rater,answer,value\n", "says nothing of any item"),
        ("x.json", "[1, 2]", "none of 2 rows can be taken; must be an object"),
        ("x.json", '[{"id": 1, "data": {}, "annotations": []}]', "says nothing of any item"),
        ("x.json", '[{"fields": {}, "responses": {"tone": 7}}]', "none of 1 row can be taken"),
        ("x.xlsx", "PK", "is of no known kind of file"),
    ],
)
def test_a_file_of_another_kind_is_one_line(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(UsageError) as error:
        take(review(tmp_path), file)
    assert message in error.value.line
    assert "\n" not in error.value.line


def test_true_and_false_are_right_and_wrong(tmp_path: Path) -> None:
    store = review(tmp_path)
    file = tmp_path / "x.jsonl"
    file.write_text("".join(f"{json.dumps(row(item=at, value=at > 1))}\n" for at in (1, 2)))
    assert take(store, file).added == 2
    assert [one[-1] for one in said(store)] == [0.0, 1.0]


def test_an_unknown_name_for_a_rater_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rater `zoe` in the review; there is anna, ben"):
        take(review(tmp_path), table(tmp_path / "x.csv", row(rater="3")), **{"3": "zoe"})


def test_a_file_is_taken_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = review(tmp_path)
    file = table(tmp_path / "x.csv", row(), row(item=2), row(item=9))
    monkeypatch.setattr("harness.review.sqlite_file.WAIT_SECONDS", 0.0)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="is locked by another program"):
            take(store, file)
        other.execute("ROLLBACK")
    assert not store.given()
    assert not list(tmp_path.glob("*rejected*"))
    assert take(store, file).added == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"annotations": [{"result": [{"value": {"rating": 4}}]}]},
        {"annotations": [7]},
        {"annotations": [{"completed_by": 3, "result": [
            {"from_name": "tone", "value": {"choices": ["good", "fair"]}}]}]},
    ],
    ids=["no-name", "no-object", "two-choices"],
)  # fmt: skip
def test_a_broken_task_is_kept_apart(tmp_path: Path, broken: dict[str, Any]) -> None:
    store = review(tmp_path, "grade")
    file = tmp_path / "export.json"
    file.write_text(json.dumps([LABEL_STUDIO, LABEL_STUDIO | broken]))
    done = take(store, file, **{"anna@example.org": "anna"})
    assert done.added == 2
    assert [one.place for one in done.rejected] == [f"{file}[2]"]
