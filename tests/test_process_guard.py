"""The process between the harness and what it starts: nothing is left behind, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import process_guard
from tests.serving.test_vllm import STUB, alive, all_gone, pids

OWNER = """
import subprocess, sys, time
guarded = [sys.executable, "-P", sys.argv[1], "1", sys.executable, sys.argv[2], "0", "hang"]
subprocess.Popen(guarded, stdin=subprocess.PIPE, start_new_session=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_killed_owner(how: signal.Signals, tmp_path: Path) -> None:
    stub, log = tmp_path / "stub.py", tmp_path / "log"
    stub.write_text(STUB)
    with log.open("w") as file:
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, process_guard.__file__, str(stub)],
            stdout=file,
            stderr=file,
        )
    while len(pids(log)) < 3:
        time.sleep(0.05)
    running = pids(log)
    assert all(alive(pid) for pid in running)
    owner.send_signal(how)
    owner.wait()
    assert all_gone(running)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_itself_does_not_outlive_its_guard(how: signal.Signals, tmp_path: Path) -> None:
    line = [sys.executable, process_guard.__file__, "1", sys.executable, "-c"]
    code = "import os, time; print('pids', os.getpid(), flush=True); time.sleep(600)"
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen([*line, code], stdin=subprocess.PIPE, stdout=file)
    while not pids(log):
        time.sleep(0.05)
    process.send_signal(how)
    process.wait()
    assert all_gone(pids(log))


@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(7)", 7), ("", 0)])
def test_the_guard_passes_the_exit_code_on(code: str, expected: int) -> None:
    line = [sys.executable, process_guard.__file__, "1", sys.executable, "-c", code]
    with subprocess.Popen(line, stdin=subprocess.PIPE) as process:
        assert process.wait(120) == expected


def test_a_crash_leaves_no_memory_with_keys_on_the_disk() -> None:
    code = "import resource; raise SystemExit(resource.getrlimit(resource.RLIMIT_CORE) == (0, 0))"
    line = [sys.executable, process_guard.__file__, "1", sys.executable, "-c", code]
    with subprocess.Popen(line, stdin=subprocess.PIPE) as process:
        assert process.wait(120) == 1
