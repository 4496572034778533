"""The record of past gates."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.latency_world import header
from harness.errors import JournalError
from harness.storage.authentication import RUNS_KEY
from harness.storage.working_files import MeasurementFolder, keep_gate, kept_gates
from tests.latency.measured import FEW, SAME, SLOW, measure
from tests.report.history_fixtures import FIRST, kept, verdict

TWO = [kept(verdict()), kept(verdict(FIRST + timedelta(days=1)))]


def test_what_is_kept_is_read_again_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "gates.jsonl"
    assert kept_gates(path) == ()
    for gate in TWO:
        keep_gate(path, gate)
    assert list(kept_gates(path)) == TWO


def test_a_torn_last_line_is_left_out_and_harms_no_later_one(tmp_path: Path) -> None:
    path = tmp_path / "gates.jsonl"
    keep_gate(path, TWO[0])
    with path.open("ab") as file:
        file.write(path.read_bytes()[:80])
    assert list(kept_gates(path)) == TWO[:1]
    keep_gate(path, TWO[1])
    assert list(kept_gates(path)) == TWO


@pytest.mark.parametrize("bad", [b"{}", b"\xff", b"", b'{"schema_version": 2}'])
def test_another_damaged_line_is_named(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "gates.jsonl"
    keep_gate(path, TWO[0])
    path.write_bytes(path.read_bytes() + bad + b"\n" + path.read_bytes())
    with pytest.raises(JournalError, match=r"gates\.jsonl:2: is no record of a gate: .*delete it"):
        kept_gates(path)


def test_a_gate_without_a_moment_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "gates.jsonl"
    keep_gate(path, TWO[0])
    path.write_text(path.read_text().replace("T09:30:00Z", ""))
    with pytest.raises(JournalError, match="`2026-03-02` has no time zone"):
        kept_gates(path)


@pytest.fixture
def measured(tmp_path: Path) -> MeasurementFolder:
    folder = MeasurementFolder(tmp_path / "one" / "001")
    measure(folder, SAME)
    return folder


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_times_that_were_edited_are_seen(measured: MeasurementFolder) -> None:
    block = next((measured.path / "blocks").glob("*.json"))
    edit(block, seconds=0.001)
    with pytest.raises(JournalError, match="was changed after it was measured"):
        measured.blocks()
    block.unlink()
    with pytest.raises(JournalError, match="was changed after it was measured"):
        measured.blocks()


def test_with_a_key_no_time_counts_that_was_written_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS_KEY, "0123456789abcdef-secret")
    folder = MeasurementFolder(tmp_path / "one" / "001")
    measure(folder, SAME)
    assert len(folder.blocks()) > 0
    first, second = sorted((folder.path / "blocks").glob("*.json"))[:2]
    # Made again as one that is not finished, so that no seal speaks for the blocks.
    for change in (
        lambda: edit(folder.path / "measurement.json", finished=False, sealed=None),
        lambda: edit(first, seconds=0.001),
        lambda: edit(first, mac=None),
        lambda: shutil.copy(second, first),
    ):
        kept = {path: path.read_bytes() for path in (folder.path / "measurement.json", first)}
        change()
        with pytest.raises(JournalError, match=f"{RUNS_KEY} does not authenticate this"):
            folder.blocks()
        for path, content in kept.items():
            path.write_bytes(content)
    assert len(folder.blocks()) > 0
    moved = MeasurementFolder(shutil.copytree(folder.path, tmp_path / "other" / "001"))
    with pytest.raises(JournalError, match="does not authenticate this"):
        moved.header()


def test_blocks_of_an_earlier_measurement_of_that_name_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS_KEY, "0123456789abcdef-secret")
    folder = MeasurementFolder(tmp_path / "one" / "001")
    measure(folder, SAME)
    kept = shutil.copytree(folder.path, tmp_path / "kept")
    shutil.rmtree(folder.path)
    measure(folder, SLOW, after=700)
    assert len(folder.blocks()) > 0
    first = sorted((kept / "blocks").glob("*.json"))[0]
    shutil.copy(first, folder.path / "blocks" / first.name)
    with pytest.raises(JournalError, match=f"{RUNS_KEY} does not authenticate this"):
        folder.blocks()


def test_a_measurement_of_an_earlier_version_is_read_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUNS_KEY, "0123456789abcdef-secret")
    folder = MeasurementFolder(tmp_path / "one" / "001")
    folder.write_header(header(FEW, (), 0.05))
    measure(folder, SAME)
    assert "nonce" not in (folder.path / "measurement.json").read_text()
    assert len(folder.blocks()) > 0
