"""What workers do in these tests; every node imports it. Items are `(group, number)`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import HarnessError, ServerError

Item = tuple[str, int]


def double(items: Sequence[Item], share: int) -> Iterator[list[tuple[Item, int]]]:
    """Each result twice."""
    for item in items:
        yield [(item, 2 * item[1]), (item, 2 * item[1])]


def dies_once(notes: str, items: Sequence[Item], share: int) -> Iterator[list[tuple[Item, int]]]:
    """Note each item; die after the fifth of all, but only the first worker that gets there."""
    for item in items:
        with Path(notes).open("a") as file:
            file.write(f"{item[1]}\n")
        yield [(item, share)]
        if len(Path(notes).read_text().splitlines()) >= 5:
            try:
                Path(f"{notes}.died").touch(exist_ok=False)
            except FileExistsError:
                continue
            os._exit(1)


def dies(items: Sequence[Item], share: int) -> Iterator[list[tuple[Item, int]]]:
    yield []
    os._exit(1)


def refuses(items: Sequence[Item], share: int) -> Iterator[list[tuple[Item, int]] | HarnessError]:
    yield [(items[0], 1)]
    yield ServerError("the server is gone", where="http://x", hint="bring it back")


def has_a_bug(items: Sequence[Item], share: int) -> Iterator[list[tuple[Item, int]]]:
    raise KeyError("no such thing")
    yield []
