from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import files
from harness.errors import StorageError, UsageError
from harness.files import (
    Access,
    Appender,
    append_line,
    canonical_json,
    digest_json,
    directory_digest,
    make_folder,
    read_bytes,
    read_text,
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


def test_a_pipe_and_a_device_are_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(UsageError, match="not a regular file"):
            read_text(path)
        with pytest.raises(StorageError, match="not a regular file"):
            read_bytes(path)
    with pytest.raises(StorageError, match="Is a directory"):
        read_bytes(tmp_path)


@pytest.mark.filterwarnings("error")
def test_a_text_has_one_kind_of_line_end_and_its_file_is_closed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a\r\nb\rc\n")
    assert read_text(tmp_path / "x") == "a\nb\nc\n"


@pytest.mark.parametrize(
    ("access", "shared", "file", "folder"),
    [
        ("usual", "", 0o600, 0o700), ("usual", "1", 0o644, 0o755),
        ("public", "", 0o644, 0o755), ("secret", "1", 0o600, 0o700),
    ],
)  # fmt: skip
def test_who_may_read_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, access: Access, shared: str, file: int,
    folder: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("HARNESS_SHARED_FILES", shared)
    before = os.umask(0o022)
    try:
        write_atomic(tmp_path / "a/b/x", "x", access=access)
    finally:
        os.umask(before)
    found = [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b", "a/b/x")]
    assert found == [folder, folder, file]


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(OSError, match=r"exists|directory"):
        make_folder(tmp_path / "a")
    with pytest.raises(StorageError):
        write_atomic(tmp_path / "a/b", "x")
