"""Ctrl-C while answers come in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.builders import call
from tests.mock_server import COMMAND
from tests.pytest_plugin.sessions import ROOT, command, environment, session
from tests.shop import write_project

pytestmark = pytest.mark.slow

VERDICT = "reports/candidate-vs-base/verdict.json"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A project on a server in a process of its own, slow enough to be interrupted."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"*": {"base": "base says so", "candidate": "so says it"}}))
    process = subprocess.Popen(
        [*COMMAND, "--answer-file", str(answers), "--port", "0",
         "--model", "base", "--model", "candidate", "--first-delay", "0.1"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    found = process.stdout.readline().strip()
    write_project(tmp_path, found)
    yield found
    process.terminate()
    process.wait(10)


def count(url: str) -> int:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/requests-count") as response:
        found: int = json.load(response)["count"]
    return found


def interrupted(line: list[str], folder: Path, url: str, after: int) -> tuple[int, str]:
    """Exit code and output of a command that gets a SIGINT when the server was asked so often."""
    process = subprocess.Popen(
        line, cwd=folder, env=environment(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        # Where these tests run in the background, a shell has made children ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    while process.poll() is None and count(url) < after:
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()[0]
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=120)
    return process.returncode, out


@pytest.mark.parametrize("more", [(), ("-p", "xdist", "-p", "xdist.looponfail", "-n", "2")])
def test_a_session_leaves_a_partial_report_and_goes_on(
    tmp_path: Path, url: str, more: tuple[str, ...]
) -> None:
    line = command("suites", "--target", "candidate", *more)
    code, out = interrupted(line, tmp_path, url, 100)
    assert code == 2
    assert "candidate: broken off; the same command goes on" in out
    assert "partial report: reports/candidate-vs-base/report.html" in out
    verdict = json.loads((tmp_path / VERDICT).read_text())
    assert verdict["verdict"] == "INVALID"
    told = verdict["problems"][0]
    assert told.startswith("broken off by Ctrl-C: ")
    answered = int(told.split()[4])
    assert 80 <= answered < 160
    assert {rule["outcome"] for rule in verdict["rules"]} == {"invalid"}
    before = count(url)
    done = session(tmp_path, "suites", "--target", "candidate")
    assert "broken off" not in done.out
    assert count(url) - before == 160 - answered
    assert json.loads((tmp_path / VERDICT).read_text())["verdict"] == "BLOCK"


def test_a_gate_does_so_too_and_nothing_takes_it_for_a_verdict(
    tmp_path: Path,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harness = [sys.executable, "-m", "harness"]
    code, out = interrupted([*harness, "gate", "candidate"], tmp_path, url, 20)
    assert code == 130
    assert "partial report: reports/candidate-vs-base/report.html" in out
    page = (tmp_path / "reports/candidate-vs-base/report.md").read_text()
    assert "broken off by Ctrl-C" in page
    monkeypatch.chdir(tmp_path)
    for name in ("promote", "report"):
        assert call(name, "candidate") == 2
        said = capsys.readouterr().err
        assert "there is no verdict yet: broken off by Ctrl-C: " in said
        assert "`harness gate candidate` asks for the rest" in said


def test_a_gate_that_was_begun_afresh_counts_only_fresh_answers(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = [sys.executable, "-m", "harness", "gate", "candidate"]
    monkeypatch.chdir(tmp_path)
    assert call("gate", "candidate") == 1
    code, _ = interrupted([*harness, "--no-cache"], tmp_path, url, 170)
    assert code == 130
    told = json.loads((tmp_path / VERDICT).read_text())["problems"][0]
    assert int(told.split()[4]) < 100
