"""This machine, with hardware and vLLM put in its place."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import Project, load_project
from harness.doctor import machine
from harness.doctor.machine import (
    check_disk,
    check_gpu,
    check_memory,
    check_vllm,
    examine_machine,
)
from harness.machine_memory import GIB, Gpu
from tests.serving.test_memory import LLAMA, model_in

A100 = Gpu("A100", "550", 40 * GIB, 39 * GIB)


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: None)
    monkeypatch.setattr(machine, "free_memory", lambda: 8 * GIB)
    monkeypatch.setattr(machine, "vllm_version", lambda: None)
    monkeypatch.delenv("VLLM_CPU_KVCACHE_SPACE", raising=False)


def project(folder: Path, **server: Any) -> Project:
    model_in(folder / "m", LLAMA)
    settings = {
        "suites": ["suites/none"],
        "servers": {"local": {"engine": "vllm", "model": "m", **server}},
        "targets": {"base": {"server": "local"}},
    }
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(folder / "harness.yaml")


def test_no_gpu_is_no_failure() -> None:
    assert check_gpu().outcome == "cannot"


def test_a_gpu_with_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: [A100])
    assert check_gpu().found == "A100, 39 GiB of 40 GiB free; driver 550"
    monkeypatch.setattr(machine, "gpus", list)
    assert check_gpu().outcome == "cannot"


@pytest.mark.parametrize(("needed", "outcome"), [(True, "failed"), (False, "cannot")])
def test_no_vllm(needed: bool, outcome: str) -> None:
    assert check_vllm(needed=needed).outcome == outcome


@pytest.mark.parametrize(
    ("error", "outcome", "words"),
    [
        (None, "ok", "vllm 1.2, can be imported"),
        (subprocess.CalledProcessError(1, "x", stderr="Traceback\nImportError: libx\n"), "failed",
         "vllm 1.2, but: ImportError: libx"),
        (subprocess.TimeoutExpired("x", 1.0), "failed", "not imported within"),
    ],
)  # fmt: skip
def test_vllm_is_imported_by_another_process(
    error: Exception | None, outcome: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def run(line: list[str], **_: Any) -> None:
        calls.append(line)
        if error is not None:
            raise error

    monkeypatch.setattr(machine, "vllm_version", lambda: "vllm 1.2")
    monkeypatch.setattr(machine.subprocess, "run", run)
    found = check_vllm(needed=True)
    assert (found.outcome, words in found.found) == (outcome, True)
    assert "import vllm" in calls[0][-1]


@pytest.mark.parametrize(
    ("server", "outcome", "words"),
    [
        ({"args": {"max-model-len": 4096}}, "ok", "1 GiB of cache"),
        ({"args": {"max-model-len": 4096}, "replicas": 9}, "failed", "needs 9 times"),
        ({}, "failed", "131072 tokens takes 4 GiB of cache, and 1 GiB are set aside"),
    ],
)
def test_memory_without_a_gpu(
    server: dict[str, Any], outcome: str, words: str, tmp_path: Path
) -> None:
    found = check_memory(project(tmp_path, **server), "local")
    assert (found.outcome, words in found.found) == (outcome, True), found
    assert bool(found.remedy) == (outcome == "failed")


@pytest.mark.parametrize(
    ("gpu", "args", "outcome"),
    [
        (A100, {}, "ok"),
        (Gpu("small", "1", 4 * GIB, 4 * GIB), {}, "failed"),
        (Gpu("busy", "1", 40 * GIB, 1 * GIB), {}, "failed"),
        (A100, {"gpu-memory-utilization": 0.05}, "failed"),
        (Gpu("small", "1", 4 * GIB, 4 * GIB), {"max-model-len": 4096}, "ok"),
        (Gpu("small", "1", 4 * GIB, 4 * GIB), {"tensor-parallel-size": 2}, "ok"),
    ],
)
def test_memory_on_gpus(
    gpu: Gpu, args: dict[str, Any], outcome: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: [gpu, gpu])
    assert check_memory(project(tmp_path, args=args), "local").outcome == outcome


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    found = check_memory(project(tmp_path, model="elsewhere"), "local")
    assert (found.outcome, found.misconfigured) == ("failed", True)
    assert "servers.local.model: no such folder: `elsewhere`" in found.found


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "free in" in check_disk(tmp_path).found or check_disk(tmp_path).remedy
    monkeypatch.setattr(machine, "_LITTLE_DISK", 2**62)
    assert check_disk(tmp_path).outcome == "cannot"


def test_a_machine_without_managed_servers_needs_no_vllm() -> None:
    found = examine_machine(None)
    assert [step.name for step in found.steps] == ["python", "gpu", "vllm", "disk"]
    assert (found.usable, found.exit_code) == (True, 0)


def test_a_machine_with_a_managed_server(tmp_path: Path) -> None:
    found = examine_machine(project(tmp_path, args={"max-model-len": 4096}))
    assert "memory for local" in [step.name for step in found.steps]
    assert (found.usable, found.exit_code) == (False, 3)  # no vLLM
