"""Runs that carry the code of a key, and the ways to get round it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import JournalError, UsageError
from harness.records.recording import Recording
from harness.storage import RunFolder
from harness.storage.authentication import RUNS_KEY, runs_key
from harness.storage.mirror import Mirror
from harness.storage.mirror_thread import Hold
from harness.storage.remote_store import Store
from tests.builders import recorded
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.manual_clock import ManualClock
from tests.storage.builders import a_run, append, begun, fetched, finished, place, written

KEY = "0123456789abcdef-secret"


@pytest.fixture
def keyed(project_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a key, whose two targets were asked."""
    monkeypatch.setenv(RUNS_KEY, KEY)
    assert call("gate", "candidate") == 0
    return project_dir


def folder(project: Path, target: str) -> Path:
    (found,) = project.glob(f".harness/runs/{target}-*")
    return found


def forget(path: Path, **update: object) -> None:
    header = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**header, **update}))


def unsealed(path: Path) -> None:
    ended = ("finished", "journal", "scores", "scorers", "summary")
    forget(path, **dict.fromkeys(ended))


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RUNS_KEY, raising=False)
    assert runs_key() is None
    monkeypatch.setenv(RUNS_KEY, " ")
    assert runs_key() is None
    monkeypatch.setenv(RUNS_KEY, KEY)
    assert runs_key() == KEY.encode()
    monkeypatch.setenv(RUNS_KEY, "short")
    with pytest.raises(UsageError, match="has less than 16 characters"):
        runs_key()


def test_with_the_key_runs_are_used_again_and_promoted_without_a_word(
    keyed: Path, mock: ThreadedMock
) -> None:
    asked = len(mock.server.requests)
    (keyed / ".harness/journals.jsonl").unlink()  # as where a cache brings the runs alone
    assert call("gate", "candidate") == 0
    assert len(mock.server.requests) == asked
    assert call("promote", "candidate") == 0
    assert KEY not in "".join(
        path.read_text() for path in keyed.rglob("*") if path.suffix in (".json", ".jsonl")
    )


def test_whatever_was_edited_or_made_without_the_key_is_refused(
    keyed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = folder(keyed, "candidate")
    kept = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    attacks = {
        "scores": lambda: forget(run, scores=None),
        "chain": lambda: forget(run, chain=[]),
        "code": lambda: forget(run, mac=None),
        "seals": lambda: unsealed(run),
        "proof": lambda: forget(run, freshness=7),
    }
    for name, attack in attacks.items():
        attack()
        assert call("gate", "candidate") == 3, name
        assert f"{RUNS_KEY} does not authenticate this" in capsys.readouterr().err, name
        for path, data in kept.items():
            path.write_bytes(data)
    monkeypatch.setenv(RUNS_KEY, f"{KEY}-another")
    assert call("gate", "candidate", "--stored") == 3
    monkeypatch.setenv(RUNS_KEY, KEY)
    other = run.with_name("candidate-0123456789ab")
    other.mkdir()
    for path, data in kept.items():
        (other / path.name).write_bytes(data)
    assert call("gate", "candidate") == 3, "the code is that of another run"


def test_lines_that_nobody_vouched_for_are_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS_KEY, KEY)
    run = a_run(tmp_path)
    folder = place(run, tmp_path / "runs")
    with written(folder, begun(run)) as journal:
        append(journal, run.attempts[0])
    forged = run.attempts[1].model_copy(update={"text": "just right"})
    with (folder.path / "attempts.jsonl").open("a") as file:
        file.write(forged.model_dump_json(exclude_none=True) + "\n")
    assert list(folder.attempts()) == [run.attempts[0].key]
    with folder.writing() as journal:
        append(journal, run.attempts[1])
    assert folder.attempts()[run.attempts[1].key].text == run.attempts[1].text


def test_recorded_results_are_authenticated_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "runs/base-0123456789ab")
    folder.path.mkdir(parents=True)
    monkeypatch.setenv(RUNS_KEY, KEY)
    folder.record(Recording(freshness=0, sections=(recorded("a", t=1.0),)))
    assert folder.recording() is not None
    path = folder.path / "recorded.json"
    path.write_text(path.read_text().replace('"value":1.0', '"value":0.0'))
    with pytest.raises(JournalError, match="does not authenticate"):
        folder.recording()


def test_a_bucket_is_safe_to_share_with_the_key(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS_KEY, KEY)
    run = a_run(tmp_path)
    here = finished(run, tmp_path / "a")
    Mirror(store).finish(here.path)
    there, _ = fetched(store, run, tmp_path / "b")
    assert len(there.load().attempts) == len(run.attempts)
    name = f"{here.path.name}/run.json"
    header = json.loads(store.read(name) or b"")
    store.write(name, json.dumps({**header, "freshness": 5}).encode())
    with pytest.raises(JournalError, match="does not authenticate this"):
        fetched(store, run, tmp_path / "c")


def test_an_unfinished_run_in_a_bucket_is_not_taken_over_with_a_key(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS_KEY, KEY)
    run = a_run(tmp_path)
    folder = place(run, tmp_path / "a")
    with written(folder, begun(run)) as journal:
        append(journal, run.attempts[0])
        with Hold(store, folder.path, print, ManualClock()) as hold:
            hold.follow()
    there, said = fetched(store, run, tmp_path / "b")
    assert there.header() is None
    assert "is not finished, so no key authenticates it" in said[-1]
