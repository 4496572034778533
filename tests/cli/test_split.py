"""`harness split`: shares, exit codes, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.data.split import split
from harness.data.split.split import PartLeak
from tests.cli.builders import call
from tests.data.split.test_split import THINGS, parts, questions, write


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one file of data in it, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return write(Path("data.jsonl"), questions())


def test_parts_are_written_once_and_again_with_force(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = ("--part", "train=0.5", "--part", "test=0.5")
    assert call("split", str(data), "-o", "out", *shares) == 0
    assert "leakage between the parts: 0 rows" in capsys.readouterr().out
    before = parts(Path("out"))
    assert sum(map(len, before.values())) == len(THINGS)
    assert call("split", str(data), "-o", "out") == 2
    assert "out/train.jsonl: is there already" in capsys.readouterr().err
    assert call("split", str(data), "-o", "out", "--force") == 0
    assert f"{len(THINGS)} rows kept the part they had, 0 are new" in capsys.readouterr().out
    assert parts(Path("out")) == before
    assert call("split", str(data), "-o", "out", "--salt", "other", "--force") == 2
    assert "was divided by other settings" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["train=0.5", "test=0.4"], "the shares add up to 0.9"),
        (["train=0.5", "train=0.5"], "a part is named twice"),
        (["train=all"], "`train=all` is no part"),
        (["../train=0.5", "b=0.5"], "`../train=0.5` is no part"),
        (["train=1"], "`train=1` is no part"),
    ],
)
def test_shares_that_are_none_are_one_line(
    data: Path, capsys: pytest.CaptureFixture[str], given: list[str], message: str
) -> None:
    options = [word for one in given for word in ("--part", one)]
    assert call("split", str(data), "-o", "out", *options) == 2
    assert message in capsys.readouterr().err
    assert not Path("out").exists()


def test_leaks_that_are_left_are_told_and_exit_with_1(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split, "_leaks", lambda *_: iter([(0, 1, "edited")]))
    monkeypatch.setattr(split, "_join", lambda *_: False)
    assert call("split", str(data), "-o", "out", "--json") == 1
    (leak,) = json.loads(capsys.readouterr().out)["leaks"]
    assert set(leak) == set(PartLeak.__slots__)
    assert call("split", str(data), "-o", "out", "--force") == 1
    assert "asks what stands in data.jsonl:2" in capsys.readouterr().out


def test_a_set_that_is_too_large_for_the_shares_is_a_warning(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(data, [{**row, "group": "one"} for row in questions()])
    assert call("split", str(data), "-o", "out") == 0
    shown = capsys.readouterr().out
    assert "warning: the largest set has 100% of the rows" in shown
    assert shown.count("has no row: there are too few groups for its share") == 2
