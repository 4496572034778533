"""A pytest session on the demo's suite, answered by real vLLM.

It works in the repository itself, so what an earlier demo trained and answered is used again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
TARGETS = ("good", "overeager")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, ET.Element]]:
    """What a session printed that asked everything anew, and its JUnit tests by name."""
    demo = run("harness", "demo")
    assert demo.returncode == 0, demo.stderr[-4000:]
    report = tmp_path_factory.mktemp("junit") / "junit.xml"
    targets = [word for name in TARGETS for word in ("--target", name)]
    done = run(
        "pytest", "-p", "harness.pytest_plugin", "suites", *targets, "--harness-no-cache",
        f"--junitxml={report}",
    )  # fmt: skip
    print(done.stdout)  # for whoever runs this with -s
    assert done.returncode == 1, done.stdout[-4000:] + done.stderr[-4000:]
    found = ET.parse(report).getroot().iter("testcase")
    return done.stdout, {f"{one.get('name')}": one for one in found}


def test_vllm_was_started_once_and_asked_for_every_target(
    session: tuple[str, dict[str, ET.Element]],
) -> None:
    out, _ = session
    for name in ("base", *TARGETS):
        assert f"harness: asking {name} 582/582" in out
    for name in TARGETS:
        assert f"harness: {name}: adapter proven" in out


def test_the_verdicts_are_the_demos(session: tuple[str, dict[str, ET.Element]]) -> None:
    out, _ = session
    assert "PROMOTE  good against base: all 5 rules pass" in out
    assert "BLOCK  overeager against base: support.scope.f1" in out
    for name, decision in zip(TARGETS, ("PROMOTE", "BLOCK"), strict=True):
        verdict = json.loads((ROOT / f"reports/{name}-vs-base/verdict.json").read_text())
        assert verdict["verdict"] == decision


def test_the_rule_that_blocks_is_the_failure(session: tuple[str, dict[str, ET.Element]]) -> None:
    _, tests = session
    rules = {name: test for name, test in tests.items() if name.startswith("support.")}
    failed = {name for name, test in rules.items() if test.find("failure") is not None}
    assert failed == {"support.scope.f1[overeager]"}


def test_every_case_of_both_is_accounted_for(session: tuple[str, dict[str, ET.Element]]) -> None:
    _, tests = session
    assert len(tests) == 2 * (582 + 5)
    assert [name for name, test in tests.items() if test.find("error") is not None] == []
