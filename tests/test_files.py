from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import files
from harness.errors import ConfigError, StorageError, UsageError
from harness.files import (
    Appender,
    append_line,
    canonical_json,
    digest_json,
    directory_digest,
    read_yaml,
    write_atomic,
)


def test_write_atomic_replaces_the_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    write_atomic(path, "a longer first content")
    write_atomic(path, "second")
    assert path.read_text() == "second"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_a_full_disk_keeps_the_old_content_and_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.txt"
    write_atomic(path, "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StorageError) as caught:
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]
    assert str(caught.value).startswith(f"{path}: cannot write: No space left on device - ")
    assert "\n" not in str(caught.value)


def test_lines_appended_at_once_are_all_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lines.txt"
    lines = [f"{n} {'x' * 30_000}" for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda line: append_line(path, line), lines))
    assert sorted(path.read_text().splitlines()) == sorted(lines)


@pytest.mark.parametrize("torn", ["", "torn", "x" * 200_000])
@pytest.mark.parametrize("before", ["", "first\n", "first\nsecond\n"])
def test_a_torn_last_line_gives_way_to_the_next(tmp_path: Path, before: str, torn: str) -> None:
    path = tmp_path / "lines.txt"
    path.write_text(before + torn)
    append_line(path, "next")
    assert path.read_text() == f"{before}next\n"


def test_a_line_that_finds_no_room_is_one_line_of_error() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(StorageError, match=r"^/dev/full: cannot write: "):
        append_line(Path("/dev/full"), "line")


def test_appender_on_a_full_disk_is_one_line() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(StorageError, match="No space left"):
        Appender(Path("/dev/full")).append("line")


def test_appended_lines_are_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    appender = Appender(path, batch=1000)
    appender.append("one")
    assert path.read_bytes() == b"one\n"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON))
def test_canonical_json_forgets_the_order_of_keys(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(turned)
    assert digest_json(value) == digest_json(turned)


def test_directory_digest_sees_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x")
    first = directory_digest(tmp_path, ["*.bin"])
    (tmp_path / "a.bin").rename(tmp_path / "b.bin")
    second = directory_digest(tmp_path, ["*.bin"])
    (tmp_path / "b.bin").write_bytes(b"y")
    third = directory_digest(tmp_path, ["*.bin"])
    assert len({first, second, third}) == 3
    with pytest.raises(UsageError, match="holds none of"):
        directory_digest(tmp_path, ["*.safetensors"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2", r":2: YAML: "),
        ("a: 1\na: 2", r":2: YAML: key `a` given twice"),
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

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(ConfigError, match=r"x\.yaml: cannot read: Permission denied$"):
        read_yaml(tmp_path / "x.yaml", ConfigError)
