"""`harness collect`: proposals, what the ledger refuses, drift, and a coverage that is demanded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import train
from harness.data.ledger import read_ledger
from tests.cli.builders import call
from tests.data.collect.test_requests import chat, write
from tests.shop import write_project

THINGS = ("socks", "tents", "lamps", "ropes", "maps", "boots", "stoves", "kayaks", "bells", "axes")


def log(path: str, *things: str, times: int = 3) -> str:
    rows = [chat(f"How heavy are {thing}?", "I do not know.") for thing in things]
    rows += [chat("What is fact 7?", "value 7")] * 4
    write(Path(path), rows * times)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, the current one, with a log of ten questions and one that is covered."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, "http://127.0.0.1:9")
    log("log.jsonl", *THINGS)
    return tmp_path


def accept_all() -> dict[str, str]:
    """Accept every proposal with an answer; the side of each question."""
    path = Path("data/proposals.yaml")
    data = yaml.safe_load(path.read_text())
    for row in data["groups"]:
        row |= {"accept": True, "answer": "Two kilos."}
    path.write_text(yaml.safe_dump(data))
    return {row["asked"][0]: row["side"] for row in data["groups"]}


def set_config(**more: Any) -> None:
    path = Path("harness.yaml")
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | more))


def test_the_share_and_the_proposals_are_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("collect", "log.jsonl") == 0
    shown = capsys.readouterr().out
    assert "42 requests in 11 groups" in shown
    assert "the suites speak for 28.6% [" in shown
    assert "10 groups proposed in data/proposals.yaml" in shown
    assert call("collect", "log.jsonl") == 2
    assert "data/proposals.yaml: is there already" in capsys.readouterr().err
    before = read_ledger(project)
    assert call("collect", "log.jsonl", "--force") == 0
    after = read_ledger(project)
    assert before is not None
    assert after is not None
    assert before.groups == after.groups


def test_the_columns_of_a_table_are_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("log.csv").write_text("asked,said\n" + "How heavy are socks?,No idea.\n" * 3)
    assert call("collect", "log.csv") == 2
    assert "--map prompt=COLUMN" in capsys.readouterr().err
    named = ("--map", "prompt=asked", "--map", "answer=said")
    assert call("collect", "log.csv", *named, "--form", "kto") == 2
    assert "`--form` and `--map` exclude each other" in capsys.readouterr().err
    assert call("collect", "log.csv", *named, "--user", "usr") == 0
    shown = capsys.readouterr().out
    assert "1 group proposed" in shown
    assert "warning: no row has anything in a column `usr`" in shown


def test_what_was_taken_up_stays_on_its_side_everywhere(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of ten groups one of the two sides may have none: the salt is drawn.
    monkeypatch.setattr("secrets.token_hex", lambda size: "0123456789abcdef"[:size])
    assert call("collect", "log.jsonl") == 0
    sides = accept_all()
    assert {*sides.values()} == {"suite", "training"}
    assert call("collect", "--apply", "data/proposals.yaml", "--by", "Ada") == 0
    assert call("validate") == 0
    capsys.readouterr()
    of_suite = next(text for text, side in sides.items() if side == "suite")
    of_training = next(text for text, side in sides.items() if side == "training")

    monkeypatch.setattr(train, "require_training", lambda: None)
    write(Path("mine.jsonl"), [chat(of_suite.upper(), "Two kilos.", group="mine")])
    Path("r.yaml").write_text("name: r\nbase: b\ndata: [mine.jsonl]\nsteps: 1\n")
    assert call("train", "r.yaml") == 2
    assert capsys.readouterr().err.startswith("error: mine.jsonl:1: stands in training, and its")

    config = yaml.safe_load(Path("harness.yaml").read_text())
    config["targets"]["candidate"]["data"] = ["mine.jsonl"]
    set_config(targets=config["targets"])
    for command in (("validate",), ("gate", "candidate", "--stored")):
        assert call(*command) == 2
        assert "mine.jsonl:1: stands in training" in capsys.readouterr().err

    Path("mine.jsonl").write_text(json.dumps({"prompt": "Hello?", "completion": "Hi."}) + "\n")
    cases = Path("suites/shop/gold.jsonl")
    case = {"id": "new", "prompt": of_training, "expect": {"answers": ["Two kilos."]}}
    cases.write_text(cases.read_text() + json.dumps(case) + "\n")
    for command in (("validate",), ("gate", "candidate", "--stored")):
        assert call(*command) == 2
        shown = capsys.readouterr().err
        assert "error: shop/gold/new: stands in a suite, and its group" in shown
        assert shown.count("\n") == 1


def test_a_coverage_that_is_demanded_decides_the_exit_code(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for demanded, code, words in ((0.1, 0, "met"), (0.9, 1, "not met"), (0.3, 4, "cannot be told")):
        set_config(collect={"coverage": demanded})
        assert call("collect", "log.jsonl", "--force") == code
        assert capsys.readouterr().err == f"coverage of at least {demanded:.0%}: {words}\n"
    set_config(collect={"coverage": 2})
    assert call("collect", "log.jsonl", "--force") == 2


def test_drift_tells_what_is_new_and_proposes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log("now.jsonl", *THINGS[5:], times=20)
    log("before.jsonl", *THINGS[:5], times=20)
    assert call("collect", "now.jsonl", "--drift", "--before", "before.jsonl") == 0
    shown = capsys.readouterr().out
    assert "new: 55.6% [" in shown
    assert "drift from before: at least " in shown
    assert "drift covered requests, from the suites' cases: at least " in shown
    assert not Path("data").exists()
    assert call("collect", "now.jsonl", "--drift", "--before", "before.jsonl", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["from_before"]["least"]["low"] > 0.3
    assert found["new"]["low"] > 0.4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a log, or `--apply PROPOSALS`"),
        (["log.jsonl", "--before", "log.jsonl"], "`--before` goes with `--drift`"),
        (["--apply", "p.yaml"], "`--apply` goes with `--by NAME`"),
        (["--apply", "p.yaml", "--by", "Ada"], "knows no proposal"),
        (["gone.jsonl"], "no such file"),
    ],
)
def test_what_does_not_go_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert call("collect", *arguments) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1
