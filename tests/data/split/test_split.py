"""Files in, parts and their record out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.data.lint import pairs
from harness.data.split import rows as split_rows
from harness.data.split import split as split_module
from harness.data.split.settings import RECORD, SplitSettings, read_split
from harness.data.split.split import Split, split_files
from harness.errors import UsageError
from harness.files import file_digest

HALVES = SplitSettings({"train": 0.5, "test": 0.5})
THINGS = ("bicycle", "kettle", "passport", "violin", "telescope", "umbrella", "carpet", "lantern")


def asks(text: str, answer: str = "Yes.", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text},
                         {"role": "assistant", "content": answer}], **more}  # fmt: skip


def questions() -> list[dict[str, Any]]:
    return [asks(f"How heavy is the {thing}?", thing) for thing in THINGS]


def write(path: Path, rows: Iterable[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def parts(folder: Path) -> dict[str, list[Any]]:
    return {path.stem: [json.loads(line) for line in path.read_text().splitlines()]
            for path in folder.glob("*.jsonl")}  # fmt: skip


def divide(tmp_path: Path, rows: Iterable[Any], settings: SplitSettings = HALVES) -> Split:
    return split_files([write(tmp_path / "data.jsonl", rows)], tmp_path / "out", settings)


def part_of(tmp_path: Path, text: str) -> str:
    (found,) = [part for part, rows in parts(tmp_path / "out").items()
                if any(row["messages"][0]["content"] == text for row in rows)]  # fmt: skip
    return found


def test_the_parts_hold_every_row_as_it_was(tmp_path: Path) -> None:
    rows = [*questions(), asks("Ça va ?", meta={"b": 1, "a": [None]})]
    done = divide(tmp_path, rows)
    found = parts(tmp_path / "out")
    assert sorted(map(json.dumps, found["train"] + found["test"])) == sorted(map(json.dumps, rows))
    assert {name: file.rows for name, file in done.record.files.items()} == {
        f"{part}.jsonl": len(rows) for part, rows in found.items()
    }
    for name, file in done.record.files.items():
        assert file.digest == file_digest(tmp_path / "out" / name)
    assert read_split(tmp_path / "out") == done.record


def test_equal_questions_near_duplicates_groups_and_sources_stay_together(tmp_path: Path) -> None:
    rows = [
        *questions(),
        asks("how heavy is the BICYCLE", "another answer"),
        asks("Please, how heavy is the kettel?"),
        asks("Where do lanterns come from?", group="g"), asks("May I swim here?", group="g"),
        asks("Who sings?", ticket=7), asks("Why is it closed on Mondays?", ticket=7),
    ]  # fmt: skip
    divide(tmp_path, rows, SplitSettings({"train": 0.5, "test": 0.5}, source="ticket"))
    for one, other in (
        ("How heavy is the bicycle?", "how heavy is the BICYCLE"),
        ("How heavy is the kettle?", "Please, how heavy is the kettel?"),
        ("Where do lanterns come from?", "May I swim here?"),
        ("Who sings?", "Why is it closed on Mondays?"),
    ):
        assert part_of(tmp_path, one) == part_of(tmp_path, other)


def test_what_the_search_for_leaks_finds_is_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not near duplicates: one is a sentence of the other.
    long = (
        "I bought it last week in the shop by the river. Where can I return a broken violin case?"
    )
    rows = [*questions(), asks(long), asks("Where can I return a broken violin case?")]
    salts = [SplitSettings(HALVES.parts, salt=str(number)) for number in range(8)]
    for settings in salts:
        folder = tmp_path / settings.salt
        folder.mkdir()
        assert divide(folder, rows, settings).leaks == ()
    monkeypatch.setattr(split_module, "_join", lambda *_: False)
    alone = []
    for settings in salts:
        folder = tmp_path / f"alone-{settings.salt}"
        folder.mkdir()
        alone += divide(folder, rows, settings).leaks
    assert {one.kind for one in alone} == {"overlap"}


def test_added_rows_move_none_and_go_where_their_like_is(tmp_path: Path) -> None:
    before = divide(tmp_path, questions())
    more = [asks("And how heavy is the violin?"), *questions(), asks("Do you deliver on Sundays?")]
    after = divide(tmp_path, more)
    assert after.kept == len(THINGS)
    assert {digest: after.record.rows[digest] for digest in before.record.rows} == (
        before.record.rows
    )
    assert part_of(tmp_path, "And how heavy is the violin?") == (
        part_of(tmp_path, "How heavy is the violin?")
    )


def test_a_row_that_goes_and_comes_back_finds_its_part_again(tmp_path: Path) -> None:
    first = divide(tmp_path, questions())
    divide(tmp_path, questions()[1:])
    assert divide(tmp_path, questions()).record.rows == first.record.rows


def test_a_row_between_two_parts_is_told_with_its_place(tmp_path: Path) -> None:
    rows = questions()
    divide(tmp_path, rows)
    groups = {part_of(tmp_path, row["messages"][0]["content"]): row for row in rows}
    one, other = groups["train"], groups["test"]
    bridge = [{**one, "group": "bridge"}, {**other, "group": "bridge"}]
    done = divide(tmp_path, [*rows, *bridge])
    assert ("data.jsonl:9", ("train", "test")) in [
        (Path(place).name, parts) for place, parts in done.bridges
    ]
    assert done.kept == len(rows)


def test_other_settings_than_before_are_refused(tmp_path: Path) -> None:
    divide(tmp_path, questions())
    with pytest.raises(UsageError, match="divided by other settings"):
        divide(tmp_path, questions(), SplitSettings({"train": 0.9, "test": 0.1}))
    (tmp_path / "out" / RECORD).write_text("{")
    with pytest.raises(UsageError, match="is no record of a split"):
        divide(tmp_path, questions())


def test_by_time_the_oldest_rows_are_in_the_first_part(tmp_path: Path) -> None:
    rows = [{**row, "meta": {"at": f"2026-0{number + 1}-01T00:00:00Z"}}
            for number, row in enumerate(questions())]  # fmt: skip
    divide(tmp_path, rows[::-1], SplitSettings({"train": 0.75, "test": 0.25}, time="meta.at"))
    found = parts(tmp_path / "out")
    assert sorted(row["meta"]["at"][5:7] for row in found["test"]) == ["07", "08"]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60.0), ("1970-01-01T01:01:00+01:00", 60.0),
        ("1970-01-01 00:01:00", 60.0), ("1970-01-02", 86_400.0),
        (60, 60.0), ("60.5", 60.5), (1_700_000_000_000, 1_700_000_000.0),
    ],
)  # fmt: skip
def test_times_are_read_in_the_forms_that_logs_have(
    tmp_path: Path, written: object, seconds: float
) -> None:
    path = write(tmp_path / "d.jsonl", [asks("x", at=written)])
    settings = SplitSettings(HALVES.parts, time="at")
    (row,) = split_rows.read_split_rows([path], settings, "utf-8").rows
    assert row.time == seconds


@pytest.mark.parametrize(
    ("line", "settings", "message"),
    [
        ('{"messages": 1', HALVES, "data.jsonl:9"),
        ('{"messages": []}', HALVES, "is no conversation in a form that trainers read"),
        ("", SplitSettings(HALVES.parts, source="ticket"), "no row has a column `ticket`"),
        ('{"prompt": "a", "completion": "b", "at": "soon"}',
         SplitSettings(HALVES.parts, time="at"), "`at` is no time"),
        ('{"prompt": "a", "completion": "b", "at": true}',
         SplitSettings(HALVES.parts, time="at"), "`at` is no time"),
    ],
    ids=["no JSON", "no conversation", "no column", "no time", "a flag"],
)  # fmt: skip
def test_what_cannot_be_divided_is_one_line_and_nothing_is_written(
    tmp_path: Path, line: str, settings: SplitSettings, message: str
) -> None:
    path = write(tmp_path / "data.jsonl", [{**row, "at": 1} for row in questions()])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(UsageError) as error:
        split_files([path], tmp_path / "out", settings)
    assert message in error.value.line
    assert not (tmp_path / "out").exists()


def test_a_table_and_a_zipped_list_become_json_lines(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("question,answer\n" + "".join(f"What is a {one}?,a thing\n" for one in THINGS))
    listed = tmp_path / "l.json.gz"
    listed.write_bytes(gzip.compress(json.dumps({"data": questions(), "by": "me"}).encode()))
    done = split_files([table, listed], tmp_path / "out", HALVES)
    found = [row for rows in parts(tmp_path / "out").values() for row in rows]
    assert done.total == len(found) == 16
    assert {tuple(row) for row in found} == {("question", "answer"), ("messages",)}


def test_beyond_the_limit_of_the_search_equal_questions_still_stay_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pairs, split_rows, split_module):
        monkeypatch.setattr(module, "MOST_COMPARED", 4)
    rows = [*questions(), *(asks(f"how heavy is the {one}", "another") for one in THINGS)]
    done = divide(tmp_path, rows)
    assert (done.compared, done.total) == (4, 16)
    for one in THINGS:
        assert part_of(tmp_path, f"How heavy is the {one}?") == (
            part_of(tmp_path, f"how heavy is the {one}")
        )
