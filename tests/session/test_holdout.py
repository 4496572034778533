"""A suite that is asked only where everything else says PROMOTE, and that nobody sees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import HarnessError
from harness.session.context import open_context
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.pytest_plugin.sessions import session
from tests.shop import answer, gold_cases, suite_yaml, write_lines

CANARY = "zanzibar"
HELD = 30


@pytest.fixture
def held(project_dir: Path) -> Path:
    """The project with a holdout of its section `gold`; the folder of it."""
    folder = project_dir / "suites" / "shop-holdout"
    folder.mkdir()
    suite = suite_yaml()
    del suite["sections"]["scope"]
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
    rows = [
        {"id": f"{CANARY}-{i}", "prompt": f"What is {CANARY} fact {i}?",
         "expect": {"answers": [f"value {i}"]}}
        for i in range(HELD)
    ]  # fmt: skip
    write_lines(folder / "gold.jsonl", rows)
    edit(project_dir, lambda config: config["gate"].update(holdout="suites/shop-holdout"))
    return folder


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    change(config)
    path.write_text(yaml.safe_dump(config))


def overfitted(body: dict[str, Any]) -> str:
    """A candidate that knows the suite's facts and none of the holdout's."""
    if CANARY in body["messages"][-1]["content"] and body["model"] == "candidate":
        return f"It is no {CANARY} value at all."
    return answer(body)


def asked(mock: ThreadedMock) -> int:
    return sum(CANARY in str(request) for request in mock.server.requests)


Invoke = Callable[..., tuple[int, str]]


@pytest.fixture
def invoke(capfd: pytest.CaptureFixture[str]) -> Invoke:
    """Runs a command: its exit code, and what it wrote to both streams."""

    def run(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        code = call(*arguments)
        return code, "".join(capfd.readouterr())

    return run


def test_a_candidate_that_passes_both_is_promoted(
    held: Path, mock: ThreadedMock, invoke: Invoke
) -> None:
    code, out = invoke("gate", "candidate")
    assert code == 0, out
    assert "on the holdout (30 cases) every rule passes as well" in out
    assert asked(mock) == 2 * HELD
    assert invoke("promote", "candidate")[0] == 0
    assert invoke("verify", "baselines/candidate.unsigned.intoto.jsonl")[0] == 0
    assert not canaries(Path("reports"), Path("baselines"))


def canaries(*places: Path) -> list[Path]:
    files = [path for place in places for path in [place, *place.rglob("*")] if path.is_file()]
    assert files
    return [path for path in files if CANARY in path.read_text(errors="ignore")]


def test_a_candidate_that_fails_it_is_blocked_and_no_output_shows_a_case_of_it(
    held: Path, project_dir: Path, mock: ThreadedMock, invoke: Invoke
) -> None:
    mock.answer = overfitted
    code, out = invoke("gate", "candidate", "--output-dir", "out", "--annotations", "github",
                       "--summary", "md")  # fmt: skip
    assert code == 1, out
    assert "shop.gold.accuracy better_than_baseline failed" in out
    assert asked(mock) == 2 * HELD
    told = [out] + [
        invoke(*arguments.split())[1]
        for arguments in (
            "gate candidate --stored --json", "report candidate", "power", "report --history",
            "report --history --json", "compare candidate --output compared", "power candidate",
            "promote candidate", "validate", "lint",
        )
    ]  # fmt: skip
    done = session(project_dir, "suites", "--target", "candidate", "--baseline", "base", "-vv",
                   "--junit-xml", "out/pytest.xml")  # fmt: skip
    assert "on the holdout" in done.out, done.out + done.err
    assert "only `harness gate` asks the holdout" in told[6]
    assert all(CANARY not in one for one in (*told, done.out, done.err))
    assert not canaries(*map(Path, ("reports", "out", "compared", ".harness/gates.jsonl")))


def test_a_candidate_that_fails_anything_else_is_not_asked_the_holdout(
    held: Path, mock: ThreadedMock, invoke: Invoke
) -> None:
    mock.answer = lambda body: answer({**body, "model": "base"}) + body["model"]
    assert invoke("gate", "candidate")[0] in (1, 4)
    assert asked(mock) == 0


def test_a_verdict_from_before_the_holdout_is_not_promoted(
    held: Path, project_dir: Path, invoke: Invoke
) -> None:
    edit(project_dir, lambda config: config["gate"].pop("holdout"))
    assert invoke("gate", "candidate")[0] == 0
    edit(project_dir, lambda config: config["gate"].update(holdout="suites/shop-holdout"))
    code, out = invoke("promote", "candidate")
    assert code == 3
    assert "the holdout has no stored answers of `candidate` and `base`" in out


def test_the_target_of_a_sealed_baseline_is_asked_the_holdout(
    held: Path, project_dir: Path, mock: ThreadedMock, invoke: Invoke
) -> None:
    def against_the_sealed(config: dict[str, Any]) -> None:
        config["targets"]["next"] = {"server": "main", "model": "next"}
        config["gate"]["baseline"] = "sealed:candidate"
        config["gate"]["rules"] = [
            {"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.5}
        ]

    edit(project_dir, lambda config: config["gate"].update(rules=[
        {"metric": "shop.gold.accuracy", "require": "at_least", "value": 0.5}]))  # fmt: skip
    mock.server._models["next"] = None
    mock.answer = lambda body: answer({**body, "model": "candidate"}) + " " + body["model"]
    assert invoke("gate", "candidate")[0] == 0
    assert invoke("promote", "candidate")[0] == 0
    edit(project_dir, against_the_sealed)
    code, out = invoke("gate", "next")
    assert code == 0, out
    assert "on the holdout (30 cases) every rule passes as well" in out
    assert asked(mock) == 3 * HELD


@pytest.mark.parametrize("wrong", ["name", "copy", "rules", "folder"])
def test_a_holdout_that_can_decide_nothing_is_an_error(
    held: Path, project_dir: Path, wrong: str, invoke: Invoke
) -> None:
    suite = suite_yaml()
    del suite["sections"]["scope"]
    said = {
        "name": "called `other`, as no suite is",
        "copy": "40 cases of the holdout ask what cases of `shop` ask",
        "rules": "no rule of the policy is on a metric of the holdout",
        "folder": "no such folder",
    }[wrong]
    if wrong == "name":
        (held / "suite.yaml").write_text(yaml.safe_dump({**suite, "name": "other"}))
    elif wrong == "copy":
        write_lines(held / "gold.jsonl", gold_cases())
    elif wrong == "rules":
        suite["sections"] = {"mine": suite["sections"]["gold"]}
        (held / "suite.yaml").write_text(yaml.safe_dump(suite))
    else:
        edit(project_dir, lambda config: config["gate"].update(holdout="suites/none"))
    with pytest.raises(HarnessError, match=said):
        open_context(load_project(project_dir / "harness.yaml"), ["candidate"], None, ())
    assert said in invoke("validate")[1]
