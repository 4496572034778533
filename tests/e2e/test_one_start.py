"""One start of a managed server a command, and none where one is kept: in real processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import stand_in_vllm
from tests.cli.builders import call
from tests.pytest_plugin.builders import METRIC, TESTS
from tests.serving.made import write_adapter, write_model
from tests.shop import config, suite_yaml, write_project

VERDICT = "reports/candidate-vs-base/verdict.json"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A managed server with an adapter, and Python tests; the current folder."""
    folder = tmp_path / "project"
    write_project(folder, "http://unused")
    suite = suite_yaml()
    suite["sections"]["memory"] = {"tests": "test_memory.py"}
    (folder / "suites/shop/suite.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    (folder / "suites/shop/test_memory.py").write_text(TESTS)
    settings = config("http://unused")
    settings["servers"] = {"own": {"engine": "vllm", "model": "model"}}
    settings["targets"] = {
        "base": {"server": "own"},
        "candidate": {"server": "own", "adapter": "adapter"},
    }
    settings["gate"]["rules"].append({"metric": METRIC, "require": "better_than_baseline"})
    settings["gate"]["alpha"] = 0.25
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    write_model(folder / "model")
    write_adapter(folder / "adapter", fill=1)
    stand_in_vllm.use(stand_in_vllm.install(tmp_path / "package"), monkeypatch)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def starts(tmp_path: Path) -> Callable[[], int]:
    return lambda: stand_in_vllm.starts(tmp_path / "package")


class Served:
    """`harness serve` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness", "serve", *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("for other commands"):
                break
        self.file = folder / f".harness/serve-{self.process.pid}.json"

    def stop(self, how: int = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        self.process.wait(60)


@pytest.fixture
def served(project: Path) -> Iterator[Served]:
    running = Served(project)
    yield running
    running.stop()


def records(folder: Path) -> dict[str, Any]:
    """What a run is and what was answered; the name of its folder is the digest of its content."""
    found = {}
    for path in sorted((folder / ".harness/runs").iterdir()):
        header = json.loads((path / "run.json").read_text())
        lines = map(json.loads, (path / "attempts.jsonl").read_text().splitlines())
        told = {name: header[name] for name in ("identity", "suites", "generation", "packages")}
        found[path.name] = told, {line["key"]: line["text"] for line in lines}
    return found


def test_a_gate_with_python_tests_starts_one_and_what_is_stored_none(
    project: Path,
    starts: Callable[[], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert call("gate", "candidate") == 0, capsys.readouterr().err
    assert starts() == 1
    verdict = json.loads((project / VERDICT).read_text())
    (rule,) = [rule for rule in verdict["rules"] if rule["metric"] == METRIC]
    assert (rule["candidate"], rule["n"]) == (1.0, 6)
    assert not list((project / ".harness").glob("gate-*.json"))
    # A selection is another run, whose answers and proof are there already.
    assert call("run", "base", "candidate") == 0
    assert call("run", "candidate", "--case", "g1") == 0
    assert call("gate", "candidate") == 0
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    line = [sys.executable, "-P", "-m", "pytest", "-p", "harness.pytest_plugin", "suites"]
    done = subprocess.run([*line, "--target", "candidate", "-k", "g2"], capture_output=True)
    assert done.returncode == 0, done.stdout
    assert starts() == 1


def test_every_command_asks_the_server_that_is_kept(
    project: Path,
    served: Served,
    starts: Callable[[], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert served.file.stat().st_mode & 0o777 == 0o600
    line = [sys.executable, "-P", "-m", "harness", "run", "base"]
    other = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert call("run", "candidate") == 0
    said = capsys.readouterr().err, other.communicate()[1]
    assert other.returncode == 0
    words = f"own: the server that process {served.process.pid} keeps since "
    assert all(words in each for each in said)
    assert call("gate", "candidate") == 0
    assert starts() == 1
    warm = records(project)
    (project / ".harness/runs").rename(project / "warm")
    monkeypatch.setenv("HARNESS_SERVER", "none")
    assert call("run", "base", "candidate") == 0
    assert starts() == 2
    assert records(project) == warm


@pytest.mark.slow
def test_a_server_that_ends_in_a_run_is_an_outage_and_its_file_is_cleared(
    project: Path,
    starts: Callable[[], int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(stand_in_vllm.DELAY, "0.5")
    running = Served(project)
    line = [sys.executable, "-P", "-m", "harness", "run", "base"]
    asking = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60.0
    while not list((project / ".harness").glob("runs/*/attempts.jsonl")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.stop(signal.SIGKILL)
    assert asking.communicate()[1].count("error: ") == 1
    assert asking.returncode == 3
    assert running.file.exists()
    monkeypatch.delenv(stand_in_vllm.DELAY)
    assert call("run", "base") == 0
    assert "is gone; the file is removed" in capsys.readouterr().err
    assert not running.file.exists()
    assert starts() == 2


@pytest.mark.slow
def test_it_ends_by_itself_when_nothing_is_asked(project: Path, starts: Callable[[], int]) -> None:
    running = Served(project, "base", "--idle", "1s")
    assert "until nothing is asked for 1 s" in running.said[-1]
    assert running.process.wait(60) == 0
    assert running.process.stdout is not None
    assert running.process.stdout.read() == "ends: nothing was asked for 1 s\n"
    assert not running.file.exists()
    assert starts() == 1
