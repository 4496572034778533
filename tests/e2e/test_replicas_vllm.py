"""Two real vLLM processes behind one target, one of which is killed while both are asked."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.micro import ANY_TEXT, VLLM_ARGS, build_adapter, build_model
from tests.e2e.test_evidence_vllm import attempts, ended, start, vllm_processes, wait
from tests.shop import config, write_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replicas")
    write_project(folder, "http://unused")
    model = build_model(folder / "models/micro")
    build_adapter(model, folder / "adapters/tuned")
    settings: dict[str, Any] = config("http://unused")
    settings["servers"] = {
        "local": {"engine": "vllm", "model": "models/micro", "replicas": 2, "args": VLLM_ARGS}
    }
    settings["targets"] = {
        "base": {"server": "local"},
        "tuned": {"server": "local", "adapter": "adapters/tuned"},
    }
    settings["generation"] = {"concurrency": 8, "max_tokens": 160, "repeats": 2}
    settings["gate"] |= ANY_TEXT
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return folder


def of_log(folder: Path, name: str) -> set[int]:
    """The processes of one replica, its guard aside."""
    return {
        pid
        for pid in vllm_processes(folder)
        if Path(f"/proc/{pid}/fd/1").readlink().name == name
        and b"process_guard.py" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    }


def test_a_replica_is_killed_and_the_run_goes_on(project: Path) -> None:
    process = start(project, "run", "tuned", "base")
    wait(lambda: len(attempts(project, "tuned")) >= 10, process)
    killed = of_log(project, "server.log")
    assert killed
    assert of_log(project, "server-2.log")
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    out = ended(process)
    assert process.returncode == 0, out
    assert re.search(r"tuned: adapter proven, \d+ of \d+ probes differ", out)
    assert "replica 1 died; starting it once more" in out
    assert vllm_processes(project) == set()
    for target in ("tuned", "base"):
        answered = [item for item in attempts(project, target) if item["status"] == "answered"]
        assert len(answered) == len({item["key"] for item in answered}) == 160
    assert any(item["tries"] > 1 for item in attempts(project, "tuned"))
