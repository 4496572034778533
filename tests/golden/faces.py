"""Scenarios: the Python face, and sessions of pytest."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import harness
from tests.golden.capture import clean_environment, python_in, table, visible
from tests.golden.scenarios import Stage, scenario
from tests.golden.worlds import ADAPTED, BROAD, TESTED, THRICE

ROOT = Path(harness.__file__).parents[1]
_RULER = re.compile(r"([=_-])\1{3,}")
_SECONDS = re.compile(r"\bin \d+\.\d+s( \(\d+:\d+:\d+\))?")


@scenario(ADAPTED)
def frames_of_runs(stage: Stage) -> None:
    run = stage.project.run("tuned")
    with python_in(stage.folder):
        found = harness.load_run(run)
        stage.keep("repr.txt", repr(found))
        stage.keep("card.txt", "\n".join(visible(found._repr_html_())))
        stage.keep("frame.json", table(found.frame()), times=False)
        stage.keep("metrics.json", table(found.metrics()))
        stage.keep("terms.json", table(found.terms()))


@scenario(THRICE)
def frames_of_repeats(stage: Stage) -> None:
    candidate, baseline = stage.project.run("shaky"), stage.project.run("base")
    with python_in(stage.folder):
        both = harness.compare(candidate, baseline)
        stage.keep("repr.txt", repr(both))
        stage.keep("card.txt", "\n".join(visible(both._repr_html_())))
        stage.keep("pairs.json", table(both.frame()[lambda rows: rows["section"] == "gold"]))
        stage.keep("metrics.json", table(both.metrics()))
        stage.keep("metrics at 0.01.json", table(harness.compare(candidate, baseline, alpha=0.01).metrics()))  # fmt: skip  # noqa: E501
        stage.keep("terms.json", table(both.candidate.metrics()))
        once = harness.compare(stage.project.run("once"), baseline)
        stage.keep("problems.txt", "\n".join(once.problems))
        try:
            once.metrics()
        except harness.EvidenceError as error:
            stage.keep("error.txt", f"{error.exit_code} {error}")


@scenario(BROAD)
def frames_of_gates(stage: Stage) -> None:
    with python_in(stage.folder):
        for name in ("slight", "flaky"):
            result = harness.gate(name, stored=True, progress=False)
            stage.keep(f"{name}.txt", "\n".join((
                repr(result), result.verdict, str(result.exit_code), result.reason,
                *result.problems, result.report.relative_to(Path.cwd().resolve()).as_posix(),
            )))  # fmt: skip
            stage.keep(f"{name} card.txt", "\n".join(visible(result._repr_html_())))
            stage.keep(f"{name} rules.json", table(result.rules()))
            changes = result.comparison.frame()["change"].value_counts().sort_index()
            stage.keep(f"{name} changes.txt", changes[changes > 0].to_string())
        lost = harness.load_run(stage.project.run("flaky")).frame()
        shown = ["case", "status", "state", "passed", "value", "reason", "text", "cause",
                 "http_status", "ttft", "e2e", "tries"]  # fmt: skip
        stage.keep("failed.json", table(lost[lost["status"] != "scored"], shown))
        odd = harness.load_run(stage.project.run("odd")).frame()
        stage.keep("odd.json", table(odd[odd["case"].isin(["g1", "s0", "s1", "t0", "t1"])], shown))
        sealed = harness.load_run("baselines/shop/v1.json")
        stage.keep("sealed.txt", repr(sealed))
        stage.keep("sealed metrics.json", table(sealed.metrics()))
        _errors(stage)


def _errors(stage: Stage) -> None:
    for work in (
        lambda: harness.load_run("baselines/shop/none.json"),
        lambda: harness.gate("nobody", stored=True, progress=False),
        lambda: harness.gate("good", stored=True, baseline="good", progress=False),
        lambda: harness.gate("good", stored=True, suites=["none"], progress=False),
        lambda: harness.gate("good", config="other.yaml", progress=False),
    ):
        try:
            work()
        except harness.HarnessError as error:
            stage.keep("error.txt", f"{type(error).__name__} {error.exit_code} {error}")


@scenario(TESTED)
def frames_of_python_tests(stage: Stage) -> None:
    with python_in(stage.folder):
        both = harness.compare(stage.project.run("forgetful"), stage.project.run("base"))
        pairs = both.frame()
        stage.keep("pairs.json", table(pairs[pairs["section"] == "memory"]))
        stage.keep("metrics.json", table(both.metrics()))


def session(stage: Stage, *arguments: str) -> None:
    """Run pytest in a process of its own, and keep what it says and what its JUnit file holds."""
    line = [
        sys.executable, "-m", "pytest", "-p", "harness.pytest_plugin", "-p", "no:cacheprovider",
        "suites", "--harness-stored", "--junitxml", "junit-of-pytest.xml", *arguments,
    ]  # fmt: skip
    environment = {
        **clean_environment(os.environ),
        "PYTHONPATH": str(ROOT),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "COLUMNS": "150",
    }
    done = subprocess.run(
        line, cwd=stage.folder, env=environment, capture_output=True, text=True, timeout=300
    )
    out = _SECONDS.sub("in <seconds>", done.stdout)
    out = _RULER.sub(r"\1\1\1\1", out)  # as long as a line is wide, paths and times included
    out = re.sub(r"^(platform|rootdir|plugins|=+ test session starts).*\n", "", out, flags=re.M)
    stage.keep(f"pytest {' '.join(arguments)} -> {done.returncode}.txt", out)
    stage.keep("stderr.txt", done.stderr)
    tests = []
    for case in ET.parse(stage.folder / "junit-of-pytest.xml").getroot().iter("testcase"):
        kinds = [
            f"{one.tag} {one.get('message')}".strip() for one in case if one.tag != "properties"
        ]
        if kinds or "rule" in str(case.get("name")):
            tests.append(f"{case.get('classname')} {case.get('name')}: {'; '.join(kinds)}")
    stage.keep("tests.txt", "\n".join(tests))


@scenario(BROAD)
def pytest_on_stored_answers(stage: Stage) -> None:
    session(stage, "--target", "crit", "-q", "-rfE")
    stage.files(stage.folder / "reports/crit-vs-base", "verdict.json")


@scenario(TESTED)
def pytest_on_recorded_tests(stage: Stage) -> None:
    session(stage, "--target", "forgetful", "-v")
