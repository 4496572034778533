"""Events are read as they come, each once, and never half."""

from __future__ import annotations

from pathlib import Path

from harness.weights.events import Events, read_events


def test_a_line_is_read_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "events"
    assert read_events(path, 0) == ([], 0)
    events = Events(path)
    events.progress("loading", 0, 3)
    with path.open("a") as file:
        file.write('{"event":"say",')
    (first,), offset = read_events(path, 0)
    assert (first.text, first.done, first.total) == ("loading", 0, 3)
    assert read_events(path, offset) == ([], offset)
    with path.open("a") as file:
        file.write('"text":"on"}\n')
    (second,), _ = read_events(path, offset)
    assert second.text == "on"


def test_want_of_memory_is_told_from_other_errors(tmp_path: Path) -> None:
    events = Events(tmp_path / "events")
    for error in (
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        KeyError("a"),
    ):
        events.fail(error)
    found, _ = read_events(tmp_path / "events", 0)
    assert [each.kind for each in found] == ["memory", "memory", "other"]
