"""Rows of each kind of file, and what is said of files that cannot be read."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.data.rows import read_rows
from harness.errors import UsageError

ROWS = [{"a": "one", "b": "ä, \u2028 x"}, {"a": "two", "b": ""}]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines() -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", lines()),
        ("x.log", lines()),
        ("x.jsonl", "\ufeff" + lines().replace("\n", "\r\n\n")),
        ("x.jsonl.gz", gzip.compress(lines().encode())),
        ("x.json", json.dumps(ROWS)),
        ("x.json", json.dumps({"data": ROWS})),
        ("x.csv", 'a,b\none,"ä, \u2028 x"\ntwo,\n'),
        ("x.csv", '\ufeffa,b\r\none,"ä, \u2028 x"\r\n\r\ntwo,\r\n'),
        ("x.tsv", "a\tb\none\tä, \u2028 x\ntwo\t\n"),
        ("x.yaml", json.dumps({"tests": ROWS})),
    ],
    ids=["lines", "log", "bom", "gzip", "list", "container", "csv", "windows", "tsv", "yaml"],
)
def test_the_rows_of_a_file(tmp_path: Path, name: str, content: str | bytes) -> None:
    path = written(tmp_path, name, content)
    found = [{key: row[key] for key in "ab"} for _, row in read_rows(path)]
    assert found == ROWS


def test_a_parquet_file_keeps_types(tmp_path: Path) -> None:
    day = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    pd.DataFrame({"a": ["x"], "day": [day]}).to_parquet(tmp_path / "x.parquet")
    ((place, row),) = read_rows(tmp_path / "x.parquet")
    assert place == f"{tmp_path / 'x.parquet'}[1]"
    assert row["a"] == "x"
    assert isinstance(row["day"], datetime.datetime)


def test_the_place_of_a_row_is_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "x.csv", 'a\n"two\nlines"\nnext\n')
    assert [place for place, _ in read_rows(path)] == [f"{path}:3", f"{path}:4"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"a": 1, "a": 2}', "key `a` given twice"),
        ('{"a": NaN}', "NaN is no finite number"),
        ('{"a": ', "Expecting value"),
    ],
)
def test_a_bad_line_is_an_error_in_its_place(tmp_path: Path, line: str, why: str) -> None:
    path = written(tmp_path, "x.jsonl", f'{line}\n{{"a": "good"}}\n')
    (_, bad), (_, good) = read_rows(path)
    assert isinstance(bad, ValueError)
    assert why in str(bad)
    assert good == {"a": "good"}


def test_a_line_with_too_many_cells_is_an_error_in_its_place(tmp_path: Path) -> None:
    ((_, bad),) = read_rows(written(tmp_path, "x.csv", "a,b\n1,2,3\n"))
    assert str(bad) == "3 cells under 2 columns"


def test_a_table_with_semicolons_is_read_as_one(tmp_path: Path) -> None:
    table = '"Question";"Price"\n"Which; and when?";1,50\n'
    ((place, row),) = read_rows(written(tmp_path, "x.csv", table))
    assert (place.rpartition(":")[2], row) == (
        "2",
        {"Question": "Which; and when?", "Price": "1,50"},
    )


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("x.csv", "Wie sp\u00e4t?".encode("latin-1"), "is not utf-8: byte 0xe4"),
        ("x.jsonl", b'{"a": "\xe4"}\n', "is not utf-8: byte 0xe4"),
        ("x.json", b'["\xe4"]', "is not utf-8 at byte 2"),
        ("x.json", '{"a": 1}\n{"a": 2}\n', "bad JSON"),
        ("x.json", "3", "holds no list of rows"),
        ("x.csv", "a,a\n1,2\n", "two columns have the name `a`"),
        ("x.csv", 'a\n"x\n', "bad CSV"),
        ("x.csv", "", "no line with the names"),
        ("x.txt", "hello", "no known kind of file"),
        ("x.jsonl.gz", gzip.compress(b"{}")[:12], "cannot be read"),
        ("x.parquet", b"PAR1", "bad Parquet"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("x.") else "",
)
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: Any, what: str
) -> None:
    path = written(tmp_path, name, content)
    with pytest.raises(UsageError, match=what) as raised:
        list(read_rows(path))
    assert str(path) in raised.value.line


def test_a_missing_file_and_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        list(read_rows(tmp_path / "no.jsonl"))
    path = written(tmp_path, "x.csv", "a\nsp\u00e4t\n".encode("latin-1"))
    assert [row for _, row in read_rows(path, "latin-1")] == [{"a": "sp\u00e4t"}]
    with pytest.raises(UsageError, match="no encoding"):
        list(read_rows(path, "latin-99"))
