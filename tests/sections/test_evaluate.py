"""Kinds of section that live in the tests keep the protocol, whatever a user does with them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.records.verdict import RuleResult, Verdict
from harness.sections.section_kinds import kinds
from harness.storage import RunFolder
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.pytest_plugin.sessions import environment, session
from tests.sections.kinds import register_all
from tests.shop import answer, config, suite_yaml, write_lines

COUNT = 24
PROGRAM = """
import json, sys
points = 4 if sys.argv[1] == "candidate" else 2
print(json.dumps({name: points + int(name[1:]) % 2 for name in json.load(sys.stdin)}))
"""
SECTIONS: dict[str, dict[str, Any]] = {
    "critique": {"questions": "critique.jsonl", "critic": "critic"},
    "program": {"program": "points.py", "given": "program.jsonl"},
    "nats": {"texts": "nats.jsonl", "measured": "measured.json"},
}
RULES: dict[str, dict[str, Any]] = {
    "critique": {"require": "better_than_baseline"},
    "program": {"require": "at_least", "value": 3.5},
    "nats": {"require": "no_worse_than_baseline", "margin": 0.05, "cap": 4},
}
METRICS = {"critique": "shop.critique.quality", "program": "shop.program.points",
           "nats": "shop.nats.nats"}  # fmt: skip
MAIN = """
from harness.cli.main import main
from tests.sections.kinds import register_all
register_all()
main()
"""
FORMATS = ("html", "md")
LATEST = {"critique": "75.0%", "program": "4.5 points", "nats": "nats per token"}
COMPARED = {"critique": "+50.0 points", "program": "+2 points", "nats": "nats per token"}


def graded(body: dict[str, Any]) -> str:
    """The critic likes what the candidate says; everybody else answers as in the shop."""
    said = body["messages"][-1]["content"]
    if body["model"] == "critic":
        return "3" if "for candidate" in said else "1"
    return f"Here it is, for {body['model']}." if said.startswith("Tell") else answer(body)


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    kinds.cache_clear()
    register_all()
    yield
    kinds.cache_clear()


@pytest.fixture(params=SECTIONS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def project(project_dir: Path, mock: ThreadedMock, name: str) -> Path:
    return write(project_dir, mock, name)


def write(folder: Path, mock: ThreadedMock, *names: str) -> Path:
    """A project whose suite has a section of each of those kinds beside its cases."""
    mock.answer = graded
    mock.server._models["critic"] = None
    suite = folder / "suites/shop"
    written = suite_yaml()
    settings = config(mock.url)
    settings["targets"]["critic"] = {"server": "main", "model": "critic"}
    for name in names:
        written["sections"][name] = SECTIONS[name]
        settings["gate"]["rules"].append({"metric": METRICS[name], **RULES[name]})
        letter = name[0]
        rows = [{"id": f"{letter}{n}", "prompt": f"Tell me {n}"} for n in range(COUNT)]
        write_lines(suite / f"{name}.jsonl", rows)
    (suite / "suite.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    (suite / "points.py").write_text(PROGRAM)
    nats = {
        target: {f"n{n}": [start + scale * n, 10 + n % 3] for n in range(COUNT)}
        for target, start, scale in (("base", 20.0, 1.0), ("candidate", 5.0, 0.1))
    }
    (suite / "measured.json").write_text(json.dumps(nats))
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    return folder


def run_of(folder: Path, target: str) -> Any:
    (found,) = (
        path.parent for path in (folder / ".harness/runs").glob(f"{target}-*/recorded.json")
    )
    return RunFolder(found).load()


def test_a_suite_with_it_is_valid(project: Path, name: str, capsys: Any) -> None:
    assert call("validate") == 0
    assert f"  {name}: {COUNT} cases in {COUNT} groups, " in capsys.readouterr().out
    written = suite_yaml()
    written["sections"][name] = {**SECTIONS[name], "colour": "red"}
    (project / "suites/shop/suite.yaml").write_text(yaml.safe_dump(written))
    assert call("validate") == 2
    assert f"sections.{name}: colour: unknown key" in capsys.readouterr().err


def test_a_run_scores_it_and_the_next_does_nothing_again(
    project: Path, name: str, mock: ThreadedMock, capsys: Any
) -> None:
    assert call("run", "candidate") == 0
    assert METRICS[name] in capsys.readouterr().out
    scores = [each for each in run_of(project, "candidate").scores if each.section == name]
    assert len(scores) == COUNT
    assert {each.status for each in scores} == {"scored"}
    asked = len(mock.server.requests)
    assert call("run", "candidate") == 0
    assert len(mock.server.requests) == asked


def test_a_gate_judges_it_and_a_promotion_seals_it(
    project: Path, name: str, mock: ThreadedMock, capsys: Any
) -> None:
    assert call("gate", "candidate") == 0
    folder = project / "reports/candidate-vs-base"
    assert {each.name for each in folder.iterdir()} == {
        "verdict.json", "report.html", "report.md", "junit.xml",
    }  # fmt: skip
    for file in ("report.html", "report.md"):
        assert METRICS[name].rpartition(".")[2] in (text := (folder / file).read_text())
        assert ("cut at the cap of 4 nats per token" in text) is (name == "nats")
    assert rule_on(name, folder).outcome == "pass"
    out = capsys.readouterr().out
    assert ("beyond the cap of 4 cut" in out) is (name == "nats")
    asked = len(mock.server.requests)
    for command in (("gate", "candidate", "--stored"), ("power", "candidate"), ("power",)):
        assert call(*command) == 0, command
    assert len(mock.server.requests) == asked
    assert call("promote", "candidate", "--name", "v1") == 0
    assert call("gate", "base", "--baseline", "sealed:v1") == 1
    assert rule_on(name, project / "reports/base-vs-sealed-v1").outcome == "fail"
    (project / ".harness/gates.jsonl").unlink()  # the baseline alone tells of its gate then
    for path in (project / "reports").glob("*/verdict.json"):
        path.unlink()
    assert call("report", "--history") == 0
    assert LATEST[name] in "".join(path.read_text() for path in project.rglob("history.md"))


def test_candidates_stand_side_by_side(project: Path, name: str, capsys: Any) -> None:
    assert call("run", "base", "candidate") == 0
    capsys.readouterr()
    assert call("compare", "candidate", "--output", "side") == 0
    out, metric = capsys.readouterr().out, METRICS[name]
    for text in (out, *((project / "side" / f"compare.{kind}").read_text() for kind in FORMATS)):
        assert COMPARED[name] in text.replace("&nbsp;", " ")
        assert "not computed" not in text
    found = json.loads((project / "side/compare.json").read_text())["candidates"]["candidate"]
    numbers = found["metrics"][metric]
    assert (numbers["estimate"] < 0) is (name == "nats")
    assert numbers["p_of_loss"] == 1.0
    assert (numbers.get("cap"), numbers.get("cut")) == ((4, 1) if name == "nats" else (None, None))


def rule_on(name: str, folder: Path) -> RuleResult:
    """What became of the rule on the kind's metric in that report's folder."""
    verdict = Verdict.model_validate_json((folder / "verdict.json").read_text())
    (found,) = (rule for rule in verdict.rules if rule.metric == METRICS[name])
    return found


def test_what_was_broken_off_goes_on(
    project: Path, name: str, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = kinds().get(name)
    usual = type(kind).run

    def killed(self: Any, work: Any) -> None:
        work.keep = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        usual(self, work)

    monkeypatch.setattr(type(kind), "run", killed)
    assert call("run", "candidate") == 130
    asked = len(mock.server.requests)
    monkeypatch.setattr(type(kind), "run", usual)
    assert call("run", "candidate") == 0
    assert len(mock.server.requests) == asked  # every answer was in a journal by then
    assert len(run_of(project, "candidate").recorded) == COUNT


def test_a_process_killed_in_the_second_round_goes_on(
    project_dir: Path, mock: ThreadedMock
) -> None:
    folder = write(project_dir, mock, "critique")
    started, asked = threading.Event(), Counter[str]()
    process: subprocess.Popen[str] | None = None

    def numbered(body: dict[str, Any]) -> str:
        said = body["messages"][-1]["content"]
        asked[said] += 1
        if body["model"] == "critic":
            if sum(count for one, count in asked.items() if one.startswith("Grade")) == COUNT // 2:
                started.wait()
                assert process is not None
                process.kill()
            return "3"
        return f"It is {said.split()[-1]}." if said.startswith("Tell") else answer(body)

    mock.answer = numbered
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "run", "candidate"],
        cwd=folder, text=True, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    started.set()
    out, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, out
    (journal,) = (folder / ".harness/runs").glob("critic-*/attempts.jsonl")
    kept = [json.loads(line)["case"] for line in journal.read_text().split("\n")[:-1]]
    assert call("run", "candidate") == 0
    assert {asked[f"Tell me {n}"] for n in range(COUNT)} == {1}, "no round before is asked again"
    assert all(asked[f"Grade from 0 to 4: It is {case[1:]}."] == 1 for case in kept)
    scores = [each for each in run_of(folder, "candidate").scores if each.section == "critique"]
    assert [each.value for each in scores] == [0.75] * COUNT


def test_pytest_has_its_cases_as_items(project: Path, name: str) -> None:
    done = session(
        project, "-p", "tests.sections.kinds.plugin", "suites", "--target", "candidate", "-v"
    )
    assert done.code == 0, done.out
    assert f"{SECTIONS[name] and name[0]}0[candidate]" in done.out


def test_the_python_face_has_its_scores(project: Path, name: str) -> None:
    import harness

    assert call("run", "base", "candidate") == 0
    ours, theirs = (harness.load_run(run_path(project, target)) for target in ("candidate", "base"))
    compared = harness.compare(ours, theirs)
    found = compared.metrics().set_index("metric").loc[METRICS[name]]
    assert found["reason"] == ""
    assert found["p_of_loss"] == 1.0
    assert COMPARED[name] in compared._repr_html_()
    assert LATEST[name] in ours._repr_html_()


def run_path(folder: Path, target: str) -> Path:
    (found,) = (folder / ".harness/runs").glob(f"{target}-*/recorded.json")
    return found.parent


def test_another_critic_makes_the_old_grades_void(
    project_dir: Path, mock: ThreadedMock, capsys: Any
) -> None:
    folder = write(project_dir, mock, "critique")
    assert call("gate", "candidate") == 0
    settings = yaml.safe_load((folder / "harness.yaml").read_text())
    settings["targets"]["critic"]["system_prompt"] = "Be strict."
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    capsys.readouterr()
    assert call("gate", "candidate", "--stored") == 3
    assert "section shop.critique: recorded with another target critic" in capsys.readouterr().out
    assert call("gate", "candidate") == 0
