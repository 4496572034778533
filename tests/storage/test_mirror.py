from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import JournalError
from harness.records.run import RunRecord
from harness.storage.journal_segments import segments
from harness.storage.mirror import Mirror
from harness.storage.mirror_thread import Hold
from harness.storage.remote_store import Store
from tests.manual_clock import ManualClock
from tests.storage.builders import (
    append,
    begun,
    failed,
    fetched,
    finished,
    held,
    place,
    rows,
    written,
)


def half_way(store: Store, run: RunRecord, runs: Path, *, up: int, more: int = 0) -> None:
    """A machine that dies with `up` answers put up in two segments, and `more` not yet."""
    folder = place(run, runs)
    with written(folder, begun(run)) as journal:
        hold = Hold(store, folder.path, print, ManualClock())
        append(journal, *run.attempts[: up // 2])
        hold.follow()
        append(journal, *run.attempts[up // 2 : up])
        hold.push()
        append(journal, *run.attempts[up : up + more])


def test_a_finished_run_is_the_same_elsewhere(store: Store, run: RunRecord, tmp_path: Path) -> None:
    here = finished(run, tmp_path / "a")
    here.server_log.write_text("it went well")
    Mirror(store).finish(here.path)
    there, _ = fetched(store, run, tmp_path / "b")
    assert held(there) == held(here)
    assert there.server_log.read_text() == "it went well"


def test_a_lost_machine_loses_what_was_not_up_yet(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    half_way(store, run, tmp_path / "a", up=20, more=5)
    there, said = fetched(store, run, tmp_path / "b")
    assert list(there.attempts().values()) == list(run.attempts[:20])
    header = there.header()
    assert header is not None
    assert (header.finished, header.journal) == (None, None)
    assert said == []


def test_fetching_again_changes_nothing(store: Store, run: RunRecord, tmp_path: Path) -> None:
    half_way(store, run, tmp_path / "a", up=20)
    there, _ = fetched(store, run, tmp_path / "b")
    before = (there.path / "attempts.jsonl").read_bytes()
    fetched(store, run, tmp_path / "b")
    assert (there.path / "attempts.jsonl").read_bytes() == before


def test_whoever_goes_on_puts_up_only_what_is_new(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    half_way(store, run, tmp_path / "a", up=20)
    there, _ = fetched(store, run, tmp_path / "b")
    with written(there, begun(run)) as journal:
        hold = Hold(store, there.path, print, ManualClock())
        append(journal, *run.attempts[20:23])
        hold.follow()
        hold.push()
    run_id = run.header.run_id
    counts = [
        (store.read(f"{run_id}/{one.name}") or b"").count(b"\n") for one in segments(store, run_id)
    ]
    assert sorted(counts) == [3, 10, 10]


def test_a_missing_segment_is_told_of_and_costs_what_it_held(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    half_way(store, run, tmp_path / "a", up=20)
    first, _ = segments(store, run.header.run_id)
    store.delete(f"{run.header.run_id}/{first.name}")
    there, said = fetched(store, run, tmp_path / "b")
    assert list(there.attempts().values()) == list(run.attempts[10:20])
    assert said == [
        f"{store.where(run.header.run_id)}/{first.name}: is missing; what it held is asked again"
    ]


@pytest.mark.parametrize("damage", [b'{"key": 1}\n', b"no JSON\n", b'{"torn": '])
def test_a_damaged_segment_is_refused_by_name(
    store: Store, run: RunRecord, tmp_path: Path, damage: bytes
) -> None:
    half_way(store, run, tmp_path / "a", up=20)
    first, _ = segments(store, run.header.run_id)
    name = f"{run.header.run_id}/{first.name}"
    store.write(name, (store.read(name) or b"") + damage)
    with pytest.raises(JournalError) as caught:
        fetched(store, run, tmp_path / "b")
    assert caught.value.line.startswith(f"{store.where(name)}:11: damaged")


def test_a_finished_journal_that_changed_there_is_refused(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    Mirror(store).finish(finished(run, tmp_path / "a").path)
    name = f"{run.header.run_id}/attempts.jsonl"
    data = store.read(name) or b""
    store.write(name, data[: data.rfind(b"\n", 0, -1) + 1])
    with pytest.raises(JournalError, match="is not what it was"):
        fetched(store, run, tmp_path / "b")
    assert not (place(run, tmp_path / "b").path / "run.json").exists()


def test_answers_of_two_machines_are_merged_by_key(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    half_way(store, run, tmp_path / "a", up=20)
    there = place(run, tmp_path / "b")
    with written(there, begun(run)) as journal:
        # Ours: one that failed and that they have, one that both have, one that they have not.
        append(journal, failed(run.attempts[0]), run.attempts[1], run.attempts[30])
        (there.path / "attempts.jsonl").open("ab").write(b'{"torn')
    fetched(store, run, tmp_path / "b")
    found = there.attempts()
    assert {one.key for one in found.values()} == {
        one.key for one in (*run.attempts[:20], run.attempts[30])
    }
    assert all(one.status == "answered" for one in found.values())


def test_a_run_that_another_machine_finished_is_taken_as_it_is(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    here = finished(run, tmp_path / "a")
    Mirror(store).finish(here.path)
    there = place(run, tmp_path / "b")
    with written(there, begun(run)) as journal:
        append(journal, *run.attempts[5:9])
    fetched(store, run, tmp_path / "b")
    assert held(there) == held(here)


def test_answers_that_somebody_did_not_want_any_more_are_set_aside(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    there = finished(run, tmp_path / "b")
    anew = place(run, tmp_path / "a")
    with written(anew, begun(run, freshness=1)) as journal:
        append(journal, *run.attempts[:3])
        Hold(store, anew.path, print, ManualClock()).follow()
    fetched(store, run, tmp_path / "b")
    assert len(there.attempts()) == 3
    assert (there.path / "attempts.replaced-1.jsonl").exists()


def test_what_is_older_there_stays_there(store: Store, run: RunRecord, tmp_path: Path) -> None:
    Mirror(store).finish(finished(run, tmp_path / "a").path)
    there = place(run, tmp_path / "b")
    with written(there, begun(run, freshness=1)) as journal:
        append(journal, *run.attempts[:3])
    fetched(store, run, tmp_path / "b")
    assert len(there.attempts()) == 3


def test_only_the_targets_own_runs_that_are_wanted_are_fetched(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    Mirror(store).finish(finished(run, tmp_path / "a").path)
    Mirror(store).fetch(tmp_path / "b", "other")
    Mirror(store).fetch(tmp_path / "b", "base", lambda header: False)
    assert not (tmp_path / "b").exists()


def test_what_is_damaged_there_is_in_the_way_of_its_own_target_alone(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    Mirror(store).finish(finished(run, tmp_path / "a").path)
    store.write("base-v2-0123456789ab/run.json", b"{}")
    Mirror(store).fetch(tmp_path / "b", "base")
    assert [path.name for path in (tmp_path / "b").iterdir()] == [run.header.run_id]
    with pytest.raises(JournalError, match=r"base-v2-0123456789ab/run\.json: "):
        Mirror(store).fetch(tmp_path / "b", "base-v2")


def test_a_name_that_leads_elsewhere_is_no_run(tmp_path: Path, run: RunRecord) -> None:
    class Hostile(Store):
        def names(self, folder: str = "") -> list[str]:
            return ["base-/../../x", "base-..\\x", "base-\0"]

        def read(self, name: str) -> bytes | None:
            raise AssertionError(name)

    Mirror(Hostile.open(str(tmp_path / "m"))).fetch(tmp_path / "b", "base")
    assert not (tmp_path / "b").exists()


def test_without_a_url_nothing_is_mirrored(run: RunRecord, tmp_path: Path) -> None:
    mirror = Mirror.open(None)
    folder = finished(run, tmp_path / "a")
    before = sorted(path.name for path in folder.path.iterdir())
    mirror.fetch(tmp_path / "b", "base")
    with mirror.hold(folder.path) as hold:
        hold.follow()
        hold.check()
        hold.finish()
    mirror.finish(folder.path)
    assert sorted(path.name for path in folder.path.iterdir()) == before
    assert not (tmp_path / "b").exists()


def test_a_run_that_is_being_written_here_is_left_alone(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    half_way(store, run, tmp_path / "a", up=20)
    there = place(run, tmp_path / "b")
    with written(there, begun(run)) as journal:
        append(journal, *run.attempts[30:33])
        fetched(store, run, tmp_path / "b")
        assert len(there.attempts()) == 3


def test_both_finished_and_ours_holds_more_stays_finished(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    there = place(run, tmp_path / "a")
    with written(there, begun(run)) as journal:
        append(journal, *run.attempts[:40], *(failed(one) for one in run.attempts[40:]))
    there.finish(rows(run), None, "2026-01-02T00:00:00Z")
    Mirror(store).finish(there.path)
    here = finished(run, tmp_path / "b")
    before = held(here)
    fetched(store, run, tmp_path / "b")
    assert held(here) == before


def test_both_finished_and_each_holds_more_is_merged_and_open_again(
    store: Store, run: RunRecord, tmp_path: Path
) -> None:
    folders = place(run, tmp_path / "a"), place(run, tmp_path / "b")
    for folder, part in zip(folders, (run.attempts[:40], run.attempts[20:]), strict=True):
        with written(folder, begun(run)) as journal:
            append(journal, *part)
        folder.finish(rows(run), None, "2026-01-02T00:00:00Z")
    Mirror(store).finish(folders[0].path)
    fetched(store, run, tmp_path / "b")
    assert len(folders[1].attempts()) == len(run.attempts)
    header = folders[1].header()
    assert header is not None
    assert header.finished is None
