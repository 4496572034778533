"""`harness verify` checks what `harness promote` wrote, with nothing else at hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.builders import call

RECEIPT = "baselines/v1.unsigned.intoto.jsonl"


@pytest.fixture
def receipt(project_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A receipt and its files, away from their project."""
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    away = tmp_path / "away"
    shutil.copytree(project_dir / "baselines", away / "baselines")
    monkeypatch.chdir(away)
    return away / RECEIPT


def test_a_receipt_is_verified_without_project_and_server(
    receipt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert call("verify", RECEIPT) == 0
    out = capsys.readouterr().out
    assert f"verified {RECEIPT}: PROMOTE for `candidate` against `base`, sealed on " in out
    assert "unsigned: it shows that the verdict follows from the records, not who sealed" in out
    assert "160 answers were scored again" in out
    assert call("verify", RECEIPT, "--sample", "20", "--seed", "1") == 0
    out = capsys.readouterr().out
    assert f"sampled {RECEIPT}: PROMOTE for `candidate`" in out
    assert "20 of 160 answers were drawn: each stands in the tree and earns its score" in out
    assert "of 1 12.5 %, of 10 74.8 %, of 100 100 %; of 21 or more at least 95 %" in out
    assert call("verify", RECEIPT, "--sample", "20", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verified"], found["scored"], found["sample"]["drawn"]) == (False, 20, 20)
    assert found["predicate"]["verdict"]["decision"] == "PROMOTE"


def test_what_does_not_hold_is_one_line_and_code_3(
    receipt: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert call("verify", "baselines") == 2
    assert "is a directory" in capsys.readouterr().err
    assert call("verify", "nothing.jsonl") == 2
    assert "nothing.jsonl: no such receipt - `harness promote` writes it" in (
        capsys.readouterr().err
    )
    assert call("verify", RECEIPT, "--seed", "1") == 2
    evidence = receipt.parent / "v1.evidence.jsonl"
    evidence.write_text(evidence.read_text().replace("I have no idea at all.", "It is value 7."))
    capsys.readouterr()
    assert call("verify", RECEIPT, "--json") == 3
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "ReceiptRejected"
    evidence.unlink()
    assert call("verify", RECEIPT) == 3
    assert "v1.evidence.jsonl: is gone" in capsys.readouterr().err
