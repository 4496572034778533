"""The command on a real Ray cluster of two nodes, a server that counts, and a node killed."""

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
from typing import Any

import pytest

from harness.config import load_project
from harness.storage import RunFolder, runs_of
from tests.mock_server import COMMAND
from tests.run.ray_nodes import Nodes, two_nodes
from tests.shop import config, write_project

CASES = 80
CONCURRENCY = 4
servers: list[subprocess.Popen[str]] = []
SECRET = "a-key-that-nobody-may-see"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A mock server in a process of its own that wants a key, slow enough to kill a node in."""
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"*": {"base": "base says so", "candidate": "so says it"}}))
    process = subprocess.Popen(
        [*COMMAND, "--answer-file", str(answers), "--port", "0",
         "--model", "base", "--model", "candidate", "--first-delay", "0.3",
         "--api-key-env", "SHOP_KEY"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "SHOP_KEY": SECRET},
    )  # fmt: skip
    assert process.stdout is not None
    servers.append(process)
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(10)


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    with two_nodes() as running:
        yield running


def counted(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/requests-count") as response:
        found: dict[str, Any] = json.load(response)
    return found


def project(folder: Path, url: str) -> Path:
    write_project(folder, url)
    settings = config(url)
    settings["generation"]["concurrency"] = CONCURRENCY
    settings["servers"]["main"]["api_key_env"] = "SHOP_KEY"
    (folder / "harness.yaml").write_text(json.dumps(settings))
    return folder


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "base", *options],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "SHOP_KEY": SECRET},
    )  # fmt: skip


def wait_for(process: subprocess.Popen[str], url: str, more_than: int) -> None:
    while process.poll() is None and counted(url)["count"] <= more_than:
        time.sleep(0.02)


def only_run(folder: Path) -> RunFolder:
    (found,) = runs_of(load_project(folder / "harness.yaml").runs, "base")
    return found[0]


def lines(folder: Path) -> list[dict[str, Any]]:
    path = only_run(folder).path / "attempts.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_node_killed_mid_run_costs_no_record_and_doubles_none(
    tmp_path: Path, server: str, nodes: Nodes
) -> None:
    there = project(tmp_path / "ray", server)
    process = start(there, "--engine", "ray", "--ray-address", nodes.address)
    wait_for(process, server, CASES // 4)
    nodes.kill_second()
    at_death = len(lines(there))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"{CASES} planned, {CASES} scored, 0 unscored, 0 failed" in out
    assert err.count("a worker was lost") == 1, err
    assert 0 < at_death < CASES
    assert "raylet" not in out + err, "what Ray says of a lost node is for its own logs"
    assert len(lines(there)) == len({line["key"] for line in lines(there)}) == CASES
    asked = counted(server)
    assert max(asked["by_prompt"].values()) <= 2

    here = project(tmp_path / "local", server)
    out, err = start(here).communicate(timeout=120)
    assert only_run(there).load().digest() == only_run(here).load().digest()
    # The rest of what both nodes had under way or not delivered, no more.
    assert asked["count"] - CASES <= 3 * CONCURRENCY


def test_the_key_is_in_no_log_and_no_process_list(
    tmp_path: Path, server: str, nodes: Nodes
) -> None:
    folder = project(tmp_path / "ray", server)
    process = start(folder, "--engine", "ray", "--ray-address", nodes.address)
    wait_for(process, server, CASES // 4)
    lists = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    logs = [path.read_bytes() for path in nodes.session.rglob("*") if path.is_file()]
    assert len(logs) > 10
    assert not [data for data in (*lists, *logs) if SECRET.encode() in data]


def test_ctrl_c_stops_the_workers_at_once_and_the_run_goes_on_later(
    tmp_path: Path, server: str
) -> None:
    folder = project(tmp_path / "ray", server)
    process = start(folder, "--engine", "ray", "--workers", "2")
    wait_for(process, server, CASES // 4)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("interrupted; what was finished is kept")
    before, kept = counted(server)["count"], len(lines(folder))
    assert 0 < kept < CASES
    out, err = start(folder).communicate(timeout=120)
    assert counted(server)["count"] - before == CASES - kept
    assert f"{CASES} planned, {CASES} scored" in out


def test_a_server_that_dies_ends_the_run_with_one_line(tmp_path: Path, server: str) -> None:
    folder = project(tmp_path / "ray", server)
    process = start(folder, "--engine", "ray", "--workers", "2")
    wait_for(process, server, CASES // 4)
    servers[-1].kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert err.splitlines()[-1].startswith(f"error: {server}: the server is gone: ")
    assert "Traceback" not in err
    assert [line for line in lines(folder) if line["status"] == "answered"]


def test_a_head_that_dies_ends_the_run_with_one_line_and_no_verdict(
    tmp_path: Path, server: str, nodes: Nodes
) -> None:
    folder = project(tmp_path / "ray", server)
    process = start(folder, "--engine", "ray", "--ray-address", nodes.address)
    wait_for(process, server, CASES // 4)
    nodes.kill_head()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3
    assert err.splitlines()[-1].startswith("error: the head of the Ray cluster is gone")
    assert lines(folder)
