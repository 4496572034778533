from __future__ import annotations

from pathlib import Path

from harness.sections.pytest_child import EventLog, PytestChild, TestEvent


class Heard:
    def __init__(self) -> None:
        self.told: list[tuple[str, int, int, str]] = []

    def say(self, text: str) -> None:
        raise AssertionError(text)

    def progress(self, stage: str, done: int, total: int, detail: str) -> None:
        self.told.append((stage, done, total, detail))


def test_progress_names_the_test_that_is_under_way(tmp_path: Path) -> None:
    child, heard = PytestChild(tmp_path / "log", tmp_path / "events.jsonl"), Heard()
    log = EventLog(str(child.events))
    child.tell(heard)
    assert heard.told == [], "nothing is collected yet"
    log.write(TestEvent(event="collected", count=6))
    for over in (0, 2, 6):
        log.write(TestEvent(event="progress", count=over))
        child.tell(heard)
    assert heard.told == [
        ("Python tests", 0, 6, "test 1 of 6"),
        ("Python tests", 2, 6, "test 3 of 6"),
        ("Python tests", 6, 6, ""),
    ]
