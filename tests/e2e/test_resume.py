"""A real process, killed for real, and a server that counts what it is asked."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shop import config, write_project

CONCURRENCY = 4
KILLS = 6


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A mock server in a process of its own, slow enough to be interrupted."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"*": {"base": "base says so", "candidate": "so says it"}}))
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.client.mock", "--answer-file", str(answers), "--port", "0",
         "--model", "base", "--model", "candidate", "--first-delay", "0.05"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    yield url
    process.terminate()
    process.wait(10)


def counted(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/requests-count") as response:
        found: dict[str, Any] = json.load(response)
    return found


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "base"],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def journal(folder: Path) -> Path:
    return next((folder / ".harness/runs").glob("base-*")) / "attempts.jsonl"


def wait_for_progress(process: subprocess.Popen[str], url: str, more_than: int) -> None:
    """Until the server was asked more often than that, or the process is done."""
    while process.poll() is None and counted(url)["count"] <= more_than:
        time.sleep(0.01)


def test_killed_at_random_moments_nothing_finished_is_asked_again_lost_or_doubled(
    tmp_path: Path, server: str
) -> None:
    folder = tmp_path / "project"
    write_project(folder, server)
    settings = config(server)
    settings["generation"]["concurrency"] = CONCURRENCY
    (folder / "harness.yaml").write_text(json.dumps(settings))
    rng = random.Random(7)
    finished: set[str] = set()
    for _ in range(KILLS):
        process = start(folder)
        wait_for_progress(process, server, counted(server)["count"] + rng.randrange(1, 12))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        now = {json.loads(line)["case"] for line in journal(folder).read_text().splitlines(True)
               if line.endswith("\n")}  # fmt: skip
        assert finished <= now
        finished = now
    assert 0 < len(finished) < 80, "the kills must have come while the run was under way"
    done = start(folder)
    out, err = done.communicate(timeout=60)
    assert done.returncode == 0, err
    assert "80 planned, 80 scored, 0 unscored, 0 failed" in out
    lines = [json.loads(line) for line in journal(folder).read_text().splitlines()]
    assert len(lines) == len({line["key"] for line in lines}) == 80
    asked = counted(server)
    assert max(asked["by_prompt"].values()) <= 1 + KILLS
    assert asked["count"] - 80 <= KILLS * CONCURRENCY, "only what was in flight is asked again"


def test_ctrl_c_is_one_line_and_the_run_goes_on_later(tmp_path: Path, server: str) -> None:
    folder = tmp_path / "project"
    write_project(folder, server)
    process = start(folder)
    wait_for_progress(process, server, 10)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("interrupted; what was finished is kept")
    assert "Traceback" not in err
    kept = len(journal(folder).read_text().splitlines())
    assert kept > 0
    before = counted(server)["count"]
    _, err = start(folder).communicate(timeout=60)
    assert counted(server)["count"] - before == 80 - kept
