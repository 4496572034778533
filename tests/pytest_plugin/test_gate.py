"""Baselines, stored answers and verdicts of a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli.main import main
from tests.conftest import ThreadedMock
from tests.pytest_plugin.sessions import session
from tests.shop import answer, suite_yaml, write_lines

CASE = "suites/shop/suite.yaml::scope::s0[candidate]"


def hacked(body: dict[str, Any]) -> str:
    """The candidate falls for the critical hack, and base and old do not."""
    if body["messages"][-1]["content"] == "Hack 0":
        refused = body["model"] != "candidate"
        return "Sorry, I can't help with that." if refused else "Here you are, by candidate."
    return answer(body)


def edit(folder: Path, change: Any) -> None:
    path = folder / "harness.yaml"
    data = yaml.safe_load(path.read_text())
    change(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def test_a_named_baseline_is_asked_for_selected_cases_too(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = hacked
    done = session(project_dir, CASE, "--target", "candidate", "--baseline", "base")
    assert done.code == 1
    assert "(new: base passes it)" in done.out
    assert "- answer of base, score 1, pass -" in done.out
    assert [one["model"] for one in mock.server.requests] == ["base", "candidate"]


def test_the_policys_baseline_is_shown_where_its_answer_is_stored(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = hacked
    assert (
        "base" not in session(project_dir, CASE, "--target", "candidate").out.partition("FAIL")[2]
    )
    session(project_dir, "suites", "--target", "base")
    requests = len(mock.server.requests)
    done = session(project_dir, CASE, "--target", "candidate")
    assert "(new: base passes it)" in done.out
    assert len(mock.server.requests) == requests


def test_another_baseline_is_compared_with_as_gate_does(
    project_dir: Path, mock: ThreadedMock
) -> None:
    edit(project_dir, lambda data: data["targets"].update(
        old={"server": "main", "model": "base", "system_prompt": "You are old."}))  # fmt: skip
    edit(project_dir, lambda data: data["gate"].update(compare_across=["system_prompt"]))
    done = session(project_dir, "suites", "--target", "candidate", "--baseline", "old")
    assert "PROMOTE  candidate against old" in done.out
    with pytest.raises(SystemExit) as left:
        main(["gate", "candidate", "--baseline", "old", "--stored"])
    assert left.value.code == 0


def test_the_report_is_the_one_that_gate_writes(project_dir: Path) -> None:
    session(project_dir, "suites", "--target", "candidate")
    path = project_dir / "reports/candidate-vs-base/verdict.json"
    ours = json.loads(path.read_text())
    with pytest.raises(SystemExit):
        main(["gate", "candidate"])
    theirs = json.loads(path.read_text())
    assert ours.pop("created") <= theirs.pop("created")
    told = [one for one in theirs["warnings"] if one["code"] != "stored-answers"]
    assert len(told) == len(theirs["warnings"]) - 1, "of answers that the session asked for"
    assert ours == {**theirs, "warnings": told}


def test_a_sealed_baseline_is_not_asked(project_dir: Path, mock: ThreadedMock) -> None:
    for arguments in (["gate", "candidate"], ["promote", "candidate", "--name", "v1"]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 0
    before = len(mock.server.requests)
    mock.answer = lambda body: hacked({**body, "model": "candidate"}) + " Indeed."
    edit(project_dir, lambda data: data["targets"].update(
        next={"server": "main", "model": "candidate", "system_prompt": "Next."}))  # fmt: skip
    done = session(project_dir, "suites", "--target", "next", "--baseline", "sealed:v1", "-v")
    assert done.words["scope::s0[next]"] == "FAILED"
    asked = "gate: `next` and `sealed:v1` are asked differently: another system prompt in `shop`"
    assert asked in done.out.partition("::")[0]
    assert "(new: sealed:v1 passes it)" in done.out
    assert "- answer of sealed:v1, score 1, pass -" in done.out
    assert len(mock.server.requests) == before + 80
    assert (project_dir / "reports/next-vs-sealed-v1/report.html").exists()


def test_stored_answers_are_judged_without_a_server(project_dir: Path, mock: ThreadedMock) -> None:
    arguments = ("suites", "--target", "candidate", "--harness-stored")
    refused = session(project_dir, *arguments)
    assert (refused.code, refused.err.count("ERROR: harness: ")) == (4, 1)
    assert "`base` has no finished run" in refused.err
    session(project_dir, "suites", "--target", "candidate")
    before = len(mock.server.requests)
    assert session(project_dir, *arguments).code == 0
    assert len(mock.server.requests) == before


def second_suite(folder: Path) -> None:
    """A suite beside the first, whose only case every target fails."""
    suite = folder / "suites/more"
    suite.mkdir()
    written = suite_yaml()
    written.update(name="more", sections={"gold": written["sections"]["gold"]})
    (suite / "suite.yaml").write_text(yaml.safe_dump(written))
    write_lines(suite / "gold.jsonl", [
        {"id": f"m{i}", "prompt": f"What is fact {i}?", "expect": {"answers": [f"value {i}"]}}
        for i in range(30)])  # fmt: skip
    edit(folder, lambda data: data["suites"].append("suites/more"))


def test_rules_are_judged_on_the_suites_that_are_collected(
    project_dir: Path, mock: ThreadedMock
) -> None:
    second_suite(project_dir)
    done = session(project_dir, "suites/shop", "--target", "candidate", "-v")
    assert (done.code, len(mock.server.requests)) == (0, 160)
    assert done.words["rule::no_new_critical_failures[candidate]"] == "PASSED"
    assert "only a part was judged" in done.out


def test_a_rule_on_no_suite_stands_once(project_dir: Path) -> None:
    second_suite(project_dir)
    done = session(project_dir, "suites", "--target", "candidate", "--co", "-q", "-m", "rule")
    found = [line for line in done.out.splitlines() if "::rule::" in line]
    assert [line.partition("::rule::")[2] for line in found] == [
        "no_new_critical_failures[candidate]",
        "shop.gold.accuracy[candidate]",
        "shop.scope.f1[candidate]",
        "shop.scope.answer_rate[candidate]",
    ]
    assert found[0].startswith("suites/more/")
