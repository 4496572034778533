"""While a run is held, its journal goes up beside the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StorageError
from harness.records.run import RunRecord
from harness.storage.journal_segments import segments
from harness.storage.mirror import Mirror
from harness.storage.remote_store import Store
from tests.storage.builders import (
    append,
    begun,
    fetched,
    finished,
    held,
    place,
    rows,
    written,
)


def test_run_json_is_put_up_last(tmp_path: Path, run: RunRecord) -> None:
    order = []

    class Noting(Store):
        def write(self, name: str, data: bytes) -> None:
            order.append(name.rpartition("/")[2])
            super().write(name, data)

        def upload(self, path: Path, name: str) -> None:
            order.append(name.rpartition("/")[2])
            super().upload(path, name)

    Mirror(Noting.open(str(tmp_path / "mirror"))).finish(finished(run, tmp_path / "a").path)
    assert order == ["attempts.jsonl", "scores.jsonl", "run.json"]


def test_while_a_run_is_held_its_journal_goes_up_by_itself_in_the_end(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    folder = place(run, tmp_path / "a")

    def broken_off() -> None:
        with Mirror(store).hold(folder.path) as hold, written(folder, begun(run)) as journal:
            hold.follow()
            append(journal, *run.attempts[:7])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    there, _ = fetched(store, run, tmp_path / "b")
    assert len(there.attempts()) == 7
    assert store.read(f"{run.header.run_id}/lease.json") is None


def test_finishing_leaves_no_segments(store: Store, run: RunRecord, tmp_path: Path) -> None:
    folder = place(run, tmp_path / "a")
    with Mirror(store).hold(folder.path) as hold:
        with written(folder, begun(run)) as journal:
            append(journal, *run.attempts)
            hold.follow()
        folder.finish(rows(run), None, "2026-01-02T00:00:00Z")
        hold.finish()
    assert segments(store, run.header.run_id) == []
    there, _ = fetched(store, run, tmp_path / "b")
    assert held(there) == held(folder)


def test_a_mirror_that_fails_does_not_stop_the_run_but_its_end(
    run: RunRecord, tmp_path: Path
) -> None:
    class Failing(Store):
        down = False

        def write(self, name: str, data: bytes) -> None:
            if self.down:
                raise StorageError("is down")
            super().write(name, data)

    store = Failing.open(str(tmp_path / "mirror"))
    folder = place(run, tmp_path / "a")

    def asked() -> None:
        with Mirror(store).hold(folder.path) as hold, written(folder, begun(run)) as journal:
            hold.follow()
            store.down = True
            append(journal, *run.attempts)

    with pytest.raises(StorageError, match="is down"):
        asked()
    assert len(folder.attempts()) == len(run.attempts)
