"""The evidence rules on real vLLM: a real adapter, an empty one, and processes that die."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.micro import ANY_TEXT, FEW_PROCESSES, VLLM_ARGS, build_adapter, build_model
from tests.shop import config, write_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vllm")
    write_project(folder, "http://unused")
    model = build_model(folder / "models/micro")
    build_adapter(model, folder / "adapters/tuned")
    build_adapter(model, folder / "adapters/empty", scale=0.0)
    other = build_model(folder / "models/other", hidden=32)
    build_adapter(other, folder / "adapters/foreign")
    settings: dict[str, Any] = config("http://unused")
    settings["servers"] = {"local": {"engine": "vllm", "model": "models/micro", "args": VLLM_ARGS}}
    settings["targets"] = {"base": {"server": "local"}} | {
        name: {"server": "local", "adapter": f"adapters/{name}"}
        for name in ("tuned", "empty", "foreign")
    }
    settings["generation"] = {"concurrency": 4, "max_tokens": 96}
    settings["gate"] |= ANY_TEXT
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return folder


def start(
    folder: Path, *arguments: str, environment: dict[str, str] = FEW_PROCESSES
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, **environment, "CI": "1"},
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=1200)
    return out


def vllm_processes(folder: Path) -> set[int]:
    """The processes of servers whose log is in this project: the only ones that are ours."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "fd/1").readlink().is_relative_to(folder):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def attempts(folder: Path, target: str) -> list[dict[str, Any]]:
    # Random weights say anything, line separators of other alphabets included.
    paths = (folder / ".harness/runs").glob(f"{target}-*/attempts.jsonl")
    lines = [line for path in paths for line in path.read_bytes().split(b"\n")[:-1]]
    return [json.loads(line) for line in lines]


def wait(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 1200
    while not condition():
        assert process.poll() is None, ended(process)
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_adapter_for_another_base_is_refused_before_anything_starts(project: Path) -> None:
    process = start(project, "run", "foreign")
    out = ended(process)
    assert process.returncode == 2
    assert out.count("\n") == 1
    assert "foreign" in out


@pytest.fixture(scope="module")
def survived(project: Path) -> str:
    """What a run of three targets says whose harness was killed once, and then its server."""
    # With all the processes that vLLM starts of its own accord.
    process = start(project, "run", "base", "tuned", "empty", environment={})
    wait(lambda: len(attempts(project, "base")) >= 5, process)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    deadline = time.monotonic() + 120
    while vllm_processes(project) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert vllm_processes(project) == set(), "no server outlives its harness"
    kept = len(attempts(project, "base"))
    assert 5 <= kept < 80

    process = start(project, "run", "base", "tuned", "empty")
    wait(lambda: len(attempts(project, "base")) >= kept + 5, process)
    engines = vllm_processes(project)
    assert engines
    for pid in engines:
        if b"process_guard.py" not in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    out = ended(process)
    assert process.returncode == 3, out
    return out


def test_harness_and_server_killed_in_turn_and_the_run_still_ends_whole(
    project: Path, survived: str
) -> None:
    assert "the server died; starting it once more" in survived
    assert vllm_processes(project) == set()
    for target in ("base", "tuned"):
        answered = [item for item in attempts(project, target) if item["status"] == "answered"]
        assert len(answered) == len({item["key"] for item in answered}) == 80


def test_a_real_adapter_is_proven_and_an_empty_one_is_refused_after_the_others_are_done(
    project: Path, survived: str
) -> None:
    assert re.search(r"tuned: adapter proven, \d+ of \d+ probes differ", survived)
    empty = r"error: `empty` answers \d+ of \d+ probes exactly as its base does"
    assert re.search(empty, survived)
    assert attempts(project, "empty") == []
    process = start(project, "compare", "tuned", "--json")
    out = ended(process)
    assert process.returncode == 0, out
    metrics = json.loads(out)["candidates"]["tuned"]["metrics"]
    assert metrics["shop.gold.accuracy"]["candidate"] is not None
    first = next(iter((project / ".harness/runs").glob("tuned-*/run.json")))
    header = json.loads(first.read_text())
    assert header["adapter_proof"]["parent"] == "base-model"
    assert header["identity"]["server_version"].startswith("vllm ")
    timed = [item["timing"] for item in attempts(project, "tuned")]
    assert all(item["chunks"][0] > item["sent"] for item in timed if item["chunks"])
    assert sum(bool(item["chunks"]) for item in timed) > 60


TALK = """
def test_talks(chat, base_chat, ask_all):
    assert len(ask_all(["Hello", "Good evening"])) == 2
    chat("Hello")
    assert chat("And then?").completion_tokens > 0
    assert len(chat.messages) >= 3
    assert base_chat("Hello").seconds > 0
"""


def test_python_tests_talk_to_a_server_of_their_own_with_its_adapter_proven(project: Path) -> None:
    suite = project / "suites/shop/suite.yaml"
    before = suite.read_text()
    suite.write_text(f"{before}\n  talk: {{tests: test_talk.py}}\n")
    (suite.parent / "test_talk.py").write_text(TALK)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "suites/shop/test_talk.py", "-n", "2", "-v",
             "--target", "tuned"],
            cwd=project, text=True, capture_output=True,
            env={name: value for name, value in os.environ.items() if "PYTEST" not in name}
            | FEW_PROCESSES,
        )  # fmt: skip
    finally:
        suite.write_text(before)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert done.stdout.count("vLLM warms up: base-model") == 1
    for name in ("tuned", "base"):
        assert f"shop.talk of {name}: 1 Python test recorded" in done.stdout
    assert len(list((project / ".harness/runs").glob("*/recorded.json"))) == 2
    assert vllm_processes(project) == set()
