"""What every record on disk has in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.errors import ConfigError
from harness.records.base import Record, explain, read_record
from harness.yaml_files import read_yaml


class Inner(Record):
    size: float


class Outer(Record):
    inner: Inner
    name: str = "n"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_record_holds_finite_numbers(bad: float) -> None:
    with pytest.raises(ValidationError):
        Inner(size=bad)


def test_a_record_does_not_change() -> None:
    record = Inner(size=1.0)
    with pytest.raises(ValidationError):
        record.size = 2.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "inner: missing key"),
        ({"inner": {}}, "inner.size: missing key"),
        ({"inner": {"size": 1}, "nmae": "x"}, "nmae: unknown key; did you mean `name`?"),
    ],
)
def test_the_first_problem_is_one_line(data: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(data)
    assert explain(caught.value, Outer) == said


def test_a_part_of_a_file_is_read_and_its_problem_has_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("first: 1\nparts:\n  one:\n    inner:\n      size: 3\n")
    found = read_record(Outer, read_yaml(path, ConfigError), ConfigError, "parts", "one")
    assert found == Outer(inner=Inner(size=3.0))
    path.write_text("first: 1\nparts:\n  one:\n    inner:\n      size: big\n")
    with pytest.raises(ConfigError) as caught:
        read_record(
            Outer, read_yaml(path, ConfigError), ConfigError, "parts", "one", hint="look it up"
        )
    assert caught.value.where == f"{path}:5"
    assert caught.value.what.startswith("parts.one.inner.size: ")
    assert caught.value.hint == "look it up"
