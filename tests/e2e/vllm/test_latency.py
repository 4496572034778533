"""The whole protocol on real vLLM at small size: a base against its adapter."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.latency.quantities import answered
from harness.records.latency import ARMS, Block
from harness.storage.working_files import MeasurementFolder
from tests.e2e.vllm.conftest import BASE, Served
from tests.shop import config, write_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ROUNDS, REQUESTS, TOKENS = 10, 60, 12
RULE = {"metric": "latency.ttft_p50", "require": "ratio_at_most", "value": 50.0}


@pytest.fixture(scope="module")
def project(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("latency")
    write_project(folder, "http://unused")
    shutil.copytree(served.folder / "adapters", folder / "adapters")
    settings: dict[str, Any] = config(served.server.url)
    settings["servers"]["main"]["api_key_env"] = "SHOP_KEY"
    settings["targets"] = {
        "base": {"server": "main", "model": BASE},
        "tuned": {"server": "main", "model": "good", "adapter": "adapters/good"},
    }
    settings["gate"] = {"baseline": "base", "rules": [RULE]}
    settings["latency"] = {
        "loads": ["closed:2", "poisson:50%"], "requests": REQUESTS, "rounds": ROUNDS,
        "max_tokens": TOKENS, "slo": {"ttft": 5.0},
    }  # fmt: skip
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return folder


def start(folder: Path, key: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "latency", "tuned", "--json"],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "CI": "1", "SHOP_KEY": key},
    )  # fmt: skip


def blocks(folder: Path) -> list[Path]:
    return sorted((folder / ".harness/latency").glob("*/*/blocks/*.json"))


@pytest.fixture(scope="module")
def measured(project: Path, served: Served) -> tuple[dict[str, Any], list[Block]]:
    """A measurement whose first process was killed in the middle of a block."""
    process = start(project, served.server.api_key)
    deadline = time.monotonic() + 1200
    while len(blocks(project)) < 9 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    _, said = process.communicate()
    kept = {path: path.read_bytes() for path in blocks(project)}
    assert len(kept) >= 9, said
    again = start(project, served.server.api_key)
    out, err = again.communicate(timeout=1200)
    assert again.returncode in (0, 3, 4), err
    assert "goes on with a measurement begun" in err
    whole = len(kept) // 3 * 3
    assert all(path.read_bytes() == kept[path] for path in list(kept)[:whole])
    # On a busy machine up to half as many rounds are measured again.
    assert 2 * ROUNDS * 3 <= len(blocks(project)) <= 3 * ROUNDS * 3
    (place,) = (project / ".harness/latency").glob("*/*")
    return json.loads(out), list(MeasurementFolder(place).blocks())


def test_every_round_is_there_once_with_every_request(
    measured: tuple[dict[str, Any], list[Block]],
) -> None:
    section, found = measured
    turns = {(str(block.load), block.round, block.arm) for block in found}
    assert len(turns) == len(found)
    for load in section["loads"]:
        rounds = {number for at, number, _ in turns if at == load["load"]}
        assert set(range(ROUNDS)) <= rounds <= {*range(ROUNDS + 1 + ROUNDS // 2)} - {ROUNDS}
        assert all((load["load"], one, arm) in turns for one in rounds for arm in ARMS)
        assert load["rounds"] == ROUNDS
        assert [arm["requests"] for arm in load["arms"]] == [REQUESTS] * 3
        assert [arm["failed"] for arm in load["arms"]] == [0] * 3
        assert [note for note in load["notes"] if "the client" not in note] == []


def test_the_servers_own_counts_agree(measured: tuple[dict[str, Any], list[Block]]) -> None:
    _, found = measured
    for block in found:
        assert all(sample.tokens == TOKENS for sample in block.samples)
        assert block.server.generation_tokens == TOKENS * len(block.samples)
        assert block.server.prompt_tokens == sum(one.prompt_tokens or 0 for one in block.samples)
        assert block.server.cache_hit_share in (None, pytest.approx(0.0, abs=0.05))


def test_the_clients_ttft_holds_the_servers(
    measured: tuple[dict[str, Any], list[Block]],
) -> None:
    """The server counts from the arrival of a request: ours is longer by the way there and back."""
    _, found = measured
    for block in found:
        times = [one.timing.chunks[0] - one.timing.sent for one in block.samples
                 if answered(one) and one.timing is not None]  # fmt: skip
        assert block.server.ttft_mean is not None
        # Both clocks are rounded.
        assert math.fsum(times) / len(times) > block.server.ttft_mean - 0.001


def test_the_candidate_answered_as_the_adapter(
    measured: tuple[dict[str, Any], list[Block]], project: Path
) -> None:
    (place,) = (project / ".harness/latency").glob("*/*")
    header = MeasurementFolder(place).header()
    assert header is not None
    assert header.finished
    assert header.fixed
    assert header.salted
    assert header.models == {
        "candidate": "good",
        "baseline": BASE,
        "control": BASE,
    }
    assert header.adapter_proof is not None
    assert header.adapter_proof.applied
