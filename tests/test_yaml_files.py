"""YAML that people write: what is refused, and on which line things stand."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from harness import files
from harness.clock import SYSTEM_CLOCK
from harness.errors import ConfigError, UsageError
from harness.yaml_files import any_of, line_of, model_schema, one_file, read_yaml

TEXT = """\
# a project
gate:
  baseline: base
  rules:
    - {metric: a.b.c, require: at_least, value: 0.5}
    - metric: a.b.d
      require: at_most
      value: 0.5
    - {require: no_new_critical_failures}
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("gate", 2),
        ("gate.baseline", 3),
        ("gate.rules[0]", 5),
        ("gate.rules[0].value", 5),
        ("gate.rules[1].value", 8),
        ("gate.rules[2]", 9),
        ("gate.rules[3]", 4),
        ("gate.rules.metric", 4),
        ("targets", None),
        ("[0]", None),
    ],
)
def test_the_line_of_a_key(key: str, line: int | None, tmp_path: Path) -> None:
    file = tmp_path / "harness.yaml"
    file.write_text(TEXT)
    assert line_of(file, key) == line


@pytest.mark.parametrize("text", ["", "a: [", "- x", "\x00"])
def test_a_file_that_is_no_mapping_has_no_lines(text: str, tmp_path: Path) -> None:
    file = tmp_path / "harness.yaml"
    file.write_text(text)
    assert line_of(file, "gate.rules[0]") is None
    assert line_of(tmp_path / "none.yaml", "gate") is None


def test_a_key_is_found_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a:\n  b.c: 1\n  d:\n    - x\n    - {e: 2}\n")
    file = read_yaml(path)
    assert file.data == {"a": {"b.c": 1, "d": ["x", {"e": 2}]}}
    assert file.where("a", "b.c") == f"{path}:2"
    assert file.where("a", "d", 1, "e") == f"{path}:5"
    assert file.where("a", "d", 7, "e") == f"{path}:3"
    assert file.where("z") == file.where() == str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2", r":2: YAML: "),
        ("a: 1\na: 2", r":2: YAML: key `a` given twice, first on line 1"),
        ("a: 1\nb:\n  no: 2", r':3: YAML: key `no` means false in YAML: write "no" in quotes'),
        ("On: 2", r':1: YAML: key `On` means true in YAML: write "On" in quotes'),
        ("a: {1: 2}", r':1: YAML: key `1` means a number in YAML: write "1" in quotes'),
        ("2026-01-01: 2", r":1: YAML: key `2026-01-01` means a date in YAML"),
        ("a:\n  ? \n  : 2", r":2: YAML: a key is empty"),
        ("- a\n- b", "must hold `key: value` lines"),
        ("a: !!python/object/apply:os.system [true]", "YAML: could not determine a constructor"),
        ("a: 1\n? [x]\n: 2", r":2: YAML: a key must be text, not a list or a mapping"),
        ("a: 1\n? {x: y}\n: 2", r":2: YAML: a key must be text, not a list or a mapping"),
        ("a: 1\nb:\n  c: 2026-13-45", r":3: YAML: cannot read `2026-13-45`: month must be"),
        ("a: 1\nb: " + "1" * 5000, r":2: YAML: cannot read `1{40}…`: Exceeds the limit"),
        ("a: !!bool maybe", r":1: YAML: cannot read `maybe`: "),
        ("a: !!timestamp soon", r":1: YAML: cannot read `soon`: "),
        ('a: 1\nb: "\\ud800"', r":2: YAML: half a surrogate pair"),
        ("a: " + "[" * 2000 + "]" * 2000, r"x.yaml: YAML: nested too deeply"),
    ],
)
def test_bad_yaml_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_yaml(path, ConfigError)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_yaml(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_yaml(tmp_path / "x.yaml")


def test_what_is_no_readable_file_is_one_line_of_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=f"^{tmp_path}: cannot read: Is a directory"):
        read_yaml(tmp_path, ConfigError)
    with pytest.raises(ConfigError, match="cannot read: embedded null byte"):
        read_yaml(tmp_path / "a\0b", ConfigError)
    with pytest.raises(ConfigError, match="cannot read: File name too long"):
        read_yaml(tmp_path / ("a" * 300), ConfigError)

    def denied(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files, "open_regular", denied)
    with pytest.raises(ConfigError, match=r"x\.yaml: cannot read: Permission denied$"):
        read_yaml(tmp_path / "x.yaml", ConfigError)


class Inner(BaseModel):
    size: int


class Outer(BaseModel):
    inner: Inner


class Other(BaseModel):
    class Inner(BaseModel):
        name: str

    inner: Inner


def test_parts_of_one_name_are_kept_apart() -> None:
    schema = one_file(
        "file.yaml", any_of([model_schema(Outer, "outer."), model_schema(Other, "other.")])
    )
    Draft202012Validator.check_schema(schema)
    fits = Draft202012Validator(schema).is_valid
    assert fits({"inner": {"size": 3}})
    assert fits({"inner": {"name": "three"}})
    assert not fits({"inner": {"size": "three"}})
    assert not fits({})
    assert set(schema["$defs"]) == {"outer.Inner", "other.Inner"}


def test_the_title_of_a_file_is_its_own() -> None:
    schema = one_file("recipe", model_schema(Inner))
    assert schema["title"] == "recipe"
    assert "$defs" not in schema


def test_alternatives_without_parts_have_no_definitions() -> None:
    assert "$defs" not in any_of([{"type": "string"}])
    assert Draft202012Validator(any_of([{"type": "string"}])).is_valid("x")


def bomb(levels: int, wide: int = 9) -> str:
    """A list of lists that is a few hundred bytes long and stands for wide ** levels texts."""
    lines = ["x: &a0 [" + ", ".join(["lol"] * wide) + "]"]
    for level in range(1, levels):
        lines.append(f"y{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * wide) + "]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb(9), "its aliases stand for more than 10000 values"),
        ("a: &a {k: v}\nb: [" + ", ".join(["*a"] * 4000) + "]\n", "its aliases stand for"),
        ("t: &t " + "x" * 100_000 + "\nl: [" + ", ".join(["*t"] * 50) + "]\n", "its aliases stand"),
        ("a: &a [1, *a]\n", "an alias stands within what it names"),
        ("a: &a {b: {c: *a}}\n", "an alias stands within what it names"),
    ],
)
def test_aliases_that_would_fill_the_memory_are_refused_at_once(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    began = SYSTEM_CLOCK.now()
    with pytest.raises(UsageError, match=said):
        read_yaml(path)
    assert SYSTEM_CLOCK.now() - began < 5.0


def test_a_few_aliases_and_a_long_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: &a {k: [1, 2]}\nb: *a\nc: {x: *a, d: 3}\n" + "".join(
        f"n{number}: {number}\n" for number in range(2_000)))  # fmt: skip
    data = read_yaml(path).data
    assert (data["b"], data["c"]) == ({"k": [1, 2]}, {"x": {"k": [1, 2]}, "d": 3})


def test_a_pipe_is_no_file_to_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yaml")
    with pytest.raises(UsageError, match="cannot read: not a regular file"):
        read_yaml(tmp_path / "x.yaml")
