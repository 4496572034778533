"""`harness baselines` lists what was sealed, and `harness rollback` makes an earlier one count."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.clock import SystemClock
from tests.cli.builders import call


@pytest.fixture
def moments_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass from each look at the clock to the next: moments are kept to the second."""
    began, passed = datetime(2026, 1, 1, tzinfo=UTC), itertools.count()
    monkeypatch.setattr(SystemClock, "utc", lambda _: began + timedelta(seconds=next(passed)))


@pytest.mark.usefixtures("moments_apart")
def test_an_earlier_promotion_is_the_baseline_again(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("baselines") == 0
    assert "no baseline is sealed: `harness promote CANDIDATE` seals one" in (
        capsys.readouterr().out
    )
    assert call("gate", "candidate") == 0
    for _ in range(2):
        assert call("promote", "candidate", "--name", "v1") == 0
    capsys.readouterr()
    assert call("rollback", "v1", "--reason", "it was rude") == 0
    assert "`sealed:v1` stands for " in capsys.readouterr().out
    assert call("gate", "base", "--baseline", "sealed:v1") == 1
    capsys.readouterr()
    assert call("baselines", "v1") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "v1"
    assert "candidate candidate, shop, baselines/v1.unsigned.intoto.jsonl" in out
    assert ": it was rude\n" in out
    assert call("baselines", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["baselines"]
    first, second = found["promotions"]
    assert (found["current"], first["there"], second["there"]) == (first["id"], True, True)
    assert [one["action"] for one in found["history"]] == ["promote", "promote", "rollback"]
    # Its receipt went with it, and is verified where it lies now.
    assert first["receipt"] == f"baselines/v1.earlier/{first['id']}/v1.unsigned.intoto.jsonl"
    for one in (first, second):
        assert call("verify", one["receipt"]) == 0


@pytest.mark.usefixtures("moments_apart")
def test_going_back_to_what_nobody_signed_is_told_where_signatures_are_asked_for(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    for _ in range(3):
        assert call("promote", "candidate", "--name", "v1") == 0
    capsys.readouterr()
    assert call("rollback", "v1") == 0
    assert "warning" not in capsys.readouterr().err
    (project_dir / "baselines/keys.pem").write_text("")
    assert call("rollback", "v1") == 0
    assert "has an unsigned receipt, and `harness verify` asks for" in capsys.readouterr().err


def test_a_name_that_is_none_is_one_line(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("baselines", "v1") == 2
    assert "no sealed baseline `v1` - there is none" in capsys.readouterr().err
    assert call("rollback", "v1") == 2
    assert "no sealed baseline `v1` - there is none" in capsys.readouterr().err
