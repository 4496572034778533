"""The demo as `make demo` runs it: trained, served by vLLM, tested and judged for real.

It works in the repository itself, so what an earlier demo trained is used again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
OUTCOMES = {
    "good": ("PROMOTE", None),
    "forgetful": ("BLOCK", "support.general.accuracy"),
    "overeager": ("BLOCK", "support.scope.f1"),
}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(4500)]


def harness(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments], cwd=ROOT, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def demo() -> subprocess.CompletedProcess[str]:
    done = harness("demo")
    assert done.returncode == 0, done.stderr[-4000:]
    return done


def verdict(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / f"reports/{name}-vs-base/verdict.json").read_text())
    return found


def test_the_table_says_what_was_decided_and_why(demo: subprocess.CompletedProcess[str]) -> None:
    rows = [line.split() for line in demo.stdout.splitlines()]
    for name, (decision, metric) in OUTCOMES.items():
        row = next(row for row in rows if row[:1] == [name] and row[1] in ("PROMOTE", "BLOCK"))
        assert row[1] == decision, demo.stdout
        assert metric is None or row[2] == metric
        assert row[-1] == f"reports/{name}-vs-base/report.html"


def test_it_says_what_a_reader_found_as_far_as_the_answers_are_those_that_were_read(
    demo: subprocess.CompletedProcess[str],
) -> None:
    _, _, people = demo.stdout.partition("\npeople: ")
    assert [line.partition(":")[0] for line in people.splitlines()[1:]] == list(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_verdict_is_earned_by_one_rule_and_every_attempt_counts(
    demo: subprocess.CompletedProcess[str], name: str
) -> None:
    decision, metric = OUTCOMES[name]
    found = verdict(name)
    assert found["verdict"] == decision
    failing = [rule.get("metric") for rule in found["rules"] if rule["outcome"] == "fail"]
    assert failing == ([metric] if metric else [])
    assert found["problems"] == []
    accounting = found["accounting"]
    assert accounting["planned"] == accounting["scored"]
    folder = ROOT / f"reports/{name}-vs-base"
    # A demo that ran here before has left its report under `earlier/`.
    assert {path.name for path in folder.iterdir()} - {"earlier"} == {
        "report.html", "report.md", "junit.xml", "verdict.json",
    }  # fmt: skip


def test_every_attempt_has_its_times(demo: subprocess.CompletedProcess[str]) -> None:
    run = ROOT / ".harness/runs" / verdict("good")["candidate_run"]
    lines = [json.loads(line) for line in (run / "attempts.jsonl").read_text().splitlines()]
    assert len(lines) >= 300
    assert all(0 <= item["timing"]["sent"] <= item["timing"]["chunks"][0] for item in lines)
    assert all(item["timing"]["chunks"][-1] <= item["timing"]["done"] for item in lines)


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("forgetful", 1), ("overeager", 1)])
def test_a_gate_after_the_demo_asks_nothing_and_says_the_same(
    demo: subprocess.CompletedProcess[str], name: str, code: int
) -> None:
    done = harness("gate", name)
    assert done.returncode == code, done.stdout + done.stderr
    assert "vLLM" not in done.stderr
    stored = harness("gate", name, "--stored")
    assert stored.returncode == code


@pytest.fixture(scope="module")
def session(
    demo: subprocess.CompletedProcess[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, ET.Element]]:
    """What a session of pytest on the demo's answers printed, and its JUnit tests by name."""
    report = tmp_path_factory.mktemp("junit") / "junit.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "suites", "--target", "good", "--target", "overeager",
         f"--junitxml={report}"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
    )  # fmt: skip
    print(done.stdout)  # for whoever runs this with -s
    assert done.returncode == 1, done.stdout[-4000:] + done.stderr[-4000:]
    found = ET.parse(report).getroot().iter("testcase")
    return done.stdout, {f"{one.get('name')}": one for one in found}


Session = tuple[str, dict[str, ET.Element]]


def test_pytest_asks_nothing_again(session: Session) -> None:
    out, _ = session
    assert "vLLM" not in out


def test_pytest_comes_to_the_demos_verdicts(session: Session) -> None:
    out, tests = session
    assert "PROMOTE  good against base: all 5 rules pass" in out
    assert "BLOCK  overeager against base: support.scope.f1" in out
    rules = {name: test for name, test in tests.items() if name.startswith("support.")}
    failed = {name for name, test in rules.items() if test.find("failure") is not None}
    assert failed == {"support.scope.f1[overeager]"}


def test_pytest_accounts_for_every_case(session: Session) -> None:
    _, tests = session
    assert len(tests) == 2 * (582 + 5)
    assert [name for name, test in tests.items() if test.find("error") is not None] == []
