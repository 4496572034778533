"""The record of past gates."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from harness.errors import JournalError
from harness.storage.working_files import keep_gate, kept_gates
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
