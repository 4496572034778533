"""`harness.lock`: what is written is read again, and what is damaged is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.hub.lock import LOCK_NAME, read_lock, write_lock
from harness.hub.name import HubName

COMMITS = {
    HubName("b/second"): "1" * 40,
    HubName("a/first", "v1"): "0" * 39 + "a",
    HubName("a/first"): "12345678e0" * 4,
}


def test_it_is_sorted_and_stable_and_read_again(tmp_path: Path) -> None:
    assert read_lock(tmp_path) is None
    write_lock(tmp_path, COMMITS)
    text = (tmp_path / LOCK_NAME).read_text()
    assert [line.strip() for line in text.splitlines() if "name:" in line] == [
        f'- {{name: "a/first", revision: "main", commit: "{"12345678e0" * 4}"}}',
        f'- {{name: "a/first", revision: "v1", commit: "{"0" * 39}a"}}',
        f'- {{name: "b/second", revision: "main", commit: "{"1" * 40}"}}',
    ]
    assert read_lock(tmp_path) == COMMITS
    write_lock(tmp_path, dict(reversed(COMMITS.items())))
    assert (tmp_path / LOCK_NAME).read_text() == text
    write_lock(tmp_path, {})
    assert read_lock(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 2\n", "version"),
        ("version: 1\nmodels: [{name: a/b, revision: main, commit: short}]\n", "commit"),
        ("version: 1\nmodels: [{name: a/b, revision: main}]\n", "commit"),
        ("version: [\n", "YAML"),
        ("version: 1\nmodel: []\n", "model"),
    ],
)
def test_a_damaged_lock(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / LOCK_NAME).write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_lock(tmp_path)
    assert LOCK_NAME in caught.value.line
