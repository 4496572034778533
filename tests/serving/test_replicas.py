"""Several managed processes, with a stub in vLLM's place."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import ServerError, UsageError
from harness.serving import replicas, vllm
from harness.serving.command import ArgValue, ServeSpec
from harness.serving.replicas import VllmReplicas, share_devices, visible_devices
from tests.serving.test_vllm import all_gone, pids, use_stub


@pytest.fixture
def spec(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServeSpec:
    use_stub(tmp_path, "run", monkeypatch)
    monkeypatch.setattr(replicas, "visible_devices", list)
    monkeypatch.setattr(replicas, "WATCH_SECONDS", 0.05)
    return ServeSpec(model=model, log=tmp_path / "logs" / "server.log", start_timeout=300.0)


def logs(spec: ServeSpec, count: int) -> list[Path]:
    names = ["server.log", *(f"server-{number}.log" for number in range(2, count + 1))]
    return [spec.log.with_name(name) for name in names]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_each_has_its_port_and_log_and_all_are_stopped(spec: ServeSpec) -> None:
    said: list[str] = []
    with VllmReplicas(spec, 3, said.append) as servers:
        assert servers.alive()
        assert servers.serving()
        assert len(set(servers.urls)) == 3
        running = [pids(log) for log in logs(spec, 3)]
        assert [len(group) for group in running] == [3, 3, 3]
        assert {line.partition(":")[0] for line in said} == {f"replica {n}" for n in (1, 2, 3)}
    assert not servers.alive()
    assert all_gone([pid for group in running for pid in group])


def test_one_that_dies_is_started_once_more_at_its_address(spec: ServeSpec) -> None:
    said: list[str] = []
    with VllmReplicas(spec, 2, said.append) as servers:
        urls = servers.urls
        _, log = logs(spec, 2)
        first = pids(log)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: "replica 2 answers again" in said)
        until(servers.alive)
        assert servers.urls == urls
        assert len(pids(log)) == 6
        os.kill(pids(log)[3], signal.SIGKILL)
        until(lambda: not servers.alive())
        assert servers.serving()
        time.sleep(0.5)  # the watcher looks several times and leaves it
        assert said.count("replica 2 died; starting it once more") == 1
        assert len(pids(log)) == 6
        servers.restart()
        assert servers.alive()
        assert len(pids(log)) == 9
    assert all_gone([pid for path in logs(spec, 2) for pid in pids(path)])


def test_leaving_ends_a_start_in_the_background(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VllmReplicas(spec, 2) as servers:
        use_stub(tmp_path, "hang", monkeypatch)
        first = pids(spec.log)
        os.kill(first[0], signal.SIGKILL)
        until(lambda: len(pids(spec.log)) == 6)
        assert not servers.alive()
        assert servers.serving()
    assert all_gone([pid for path in logs(spec, 2) for pid in pids(path)])


def test_one_that_does_not_start_stops_the_others(
    spec: ServeSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = tmp_path / "stub.py"
    modes = iter(["hang", "die", "hang"])
    monkeypatch.setattr(
        vllm, "command", lambda _spec, port: [sys.executable, str(stub), str(port), next(modes)]
    )
    servers = VllmReplicas(spec, 3)
    with pytest.raises(ServerError, match="ended while starting: ValueError: no such dtype"):
        servers.__enter__()
    assert all_gone([pid for path in logs(spec, 3) for pid in pids(path)])


def test_a_port_of_the_users_counts_up(spec: ServeSpec) -> None:
    servers = VllmReplicas(replace(spec, port=8000), 3)
    assert [server._spec.port for server in servers._servers] == [8000, 8001, 8002]


def test_each_sees_its_own_gpus(spec: ServeSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "visible_devices", lambda: ["4", "6"])
    with VllmReplicas(spec, 2):
        seen = []
        for log in logs(spec, 2):
            environment = Path(f"/proc/{pids(log)[0]}/environ").read_text().split("\0")
            seen += [line for line in environment if line.startswith("CUDA_VISIBLE_DEVICES")]
    assert seen == ["CUDA_VISIBLE_DEVICES=4", "CUDA_VISIBLE_DEVICES=6"]


def test_too_few_gpus_are_said_before_anything_starts(
    spec: ServeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "visible_devices", lambda: ["0"])
    with pytest.raises(UsageError, match="gpu-memory-utilization"):
        VllmReplicas(spec, 2)
    assert not spec.log.exists()


EIGHT = [str(number) for number in range(8)]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("0,1,5", ["0", "1", "5"]),
        (" GPU-a , GPU-b ", ["GPU-a", "GPU-b"]),
        ("", []),
        ("-1", []),
        ("2,-1,3", ["2"]),
    ],
)
def test_what_the_environment_lets_a_process_see(
    given: str, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert visible_devices() == found


def test_without_a_word_of_the_environment_the_driver_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_devices() == []
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    program.chmod(0o755)
    assert visible_devices() == ["0", "1"]


@pytest.mark.parametrize(
    ("visible", "replicas", "args", "expected"),
    [
        (EIGHT, 1, {}, [""]),
        ([], 3, {}, ["", "", ""]),
        (EIGHT, 2, {}, ["0", "1"]),
        (["3", "7"], 2, {"dtype": "auto"}, ["3", "7"]),
        (EIGHT, 4, {"tensor-parallel-size": 2}, ["0,1", "2,3", "4,5", "6,7"]),
        (EIGHT, 2, {"tensor_parallel_size": 2, "--pipeline-parallel-size": "2"},
         ["0,1,2,3", "4,5,6,7"]),
        (["0"], 2, {"gpu-memory-utilization": 0.4}, ["0", "0"]),
        (["0", "1"], 3, {"gpu_memory_utilization": 0.4}, ["0", "1", "0"]),
        (["0", "1", "2"], 2, {"tensor-parallel-size": 2, "gpu-memory-utilization": 0.4},
         ["0,1", "0,1"]),
    ],
)  # fmt: skip
def test_shares(
    visible: list[str], replicas: int, args: dict[str, ArgValue], expected: list[str]
) -> None:
    assert share_devices(visible, replicas, args) == expected


@pytest.mark.parametrize(
    ("visible", "args", "said"),
    [
        (["0"], {}, "2 replicas of 1 on 1 visible GPUs share them"),
        (EIGHT[:3], {"tensor-parallel-size": 2}, "2 replicas of 2 on 3 visible GPUs share them"),
        (["0"], {"tensor-parallel-size": 2}, "needs 2 GPUs, and 1 are visible"),
    ],
)
def test_too_few_gpus(visible: list[str], args: dict[str, ArgValue], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        share_devices(visible, 2, args)
