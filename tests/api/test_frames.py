"""Frames made of columns."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.api.frames import (
    ATTEMPTS,
    DIFFERENCES,
    PAIRS,
    RULES,
    TERMS,
    VALUES,
    Column,
    frame,
)

TABLES = (ATTEMPTS, TERMS, VALUES, PAIRS, DIFFERENCES, RULES)
SMALL = (
    Column("name", "string", "A name"),
    Column("kind", "category", "What it is", ("b", "a")),
    Column("count", "Int64", "How many"),
)


@pytest.mark.parametrize("columns", TABLES, ids=lambda columns: columns[0].name)
def test_a_frame_without_rows_has_its_columns_and_their_types(columns: tuple[Column, ...]) -> None:
    empty = frame(columns, [])
    assert len(empty) == 0
    assert {column.name: column.dtype for column in columns} == {
        str(name): str(dtype) for name, dtype in empty.dtypes.items()
    }


def test_missing_values_are_na_and_no_number_becomes_a_float() -> None:
    made = frame(SMALL, [("x", "a", 2**60 + 1), (None, "b", None)])
    assert made["count"][0] == 2**60 + 1
    assert made.iloc[1].tolist() == [pd.NA, "b", pd.NA]
    assert not made.isna().iloc[0].any()


def test_a_category_keeps_its_order() -> None:
    made = frame(SMALL, [("x", "a", 1), ("y", "b", 2)])
    assert list(made.sort_values("kind")["name"]) == ["y", "x"]


def test_text_that_is_no_unicode_stays_as_it_is() -> None:
    assert frame(SMALL, [("\ud800", "a", 1)])["name"][0] == "\ud800"


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        frame(SMALL, [("x", "a")])


def test_no_table_has_a_column_twice_or_without_a_meaning() -> None:
    for columns in TABLES:
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert all(column.meaning[0].isupper() for column in columns)
