"""Whatever a vLLM that is not ours may serve under a candidate's name, the gate notices."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import process_guard
from harness.serving.command import ServeSpec, command, environment
from tests.e2e.micro import build_adapter, build_model
from tests.shop import config, write_project

pytestmark = pytest.mark.slow

KEY = "a-key-of-the-tests"
BASE = "plain"
SCALES = {"good": 0.2, "other": 0.2, "empty": 0.0, "weak": 2e-4}


@dataclass(frozen=True, slots=True)
class Shop:
    """A project, and a server that lets its adapters be changed while it runs."""

    folder: Path
    url: str

    def load(self, name: str, path: str) -> None:
        self._post("load_lora_adapter", {"lora_name": name, "lora_path": path})

    def unload(self, name: str) -> None:
        self._post("unload_lora_adapter", {"lora_name": name})

    def _post(self, route: str, body: dict[str, str]) -> None:
        request = urllib.request.Request(
            f"{self.url}/{route}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"},
        )
        urllib.request.urlopen(request, timeout=60).close()

    def harness(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=self.folder, capture_output=True, text=True, timeout=300, check=False,
            env={**os.environ, "CI": "1", "SHOP_KEY": KEY},
        )  # fmt: skip

    def refused(self, *arguments: str) -> str:
        """What a command says on its one line of error, that ends with exit code 3."""
        done = self.harness(*arguments)
        assert done.returncode == 3, done.stdout + done.stderr
        if arguments[0] == "gate":
            assert f"INVALID  {arguments[1]} against" in done.stdout
            assert not list((self.folder / "reports").glob(f"{arguments[1]}-vs-*/verdict.json"))
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        return line

    def asked(self, target: str) -> int:
        runs = self.folder / ".harness/runs"
        return sum(
            len(path.read_text().splitlines()) for path in runs.glob(f"{target}-*/attempts.jsonl")
        )

    def proof(self, target: str) -> dict[str, Any]:
        (path,) = (self.folder / ".harness/runs").glob(f"{target}-*/run.json")
        found: dict[str, Any] = json.loads(path.read_text())["adapter_proof"]
        return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("adapters")
    write_project(folder, "http://unused")
    model = build_model(folder / "model")
    for number, (name, scale) in enumerate(SCALES.items(), start=1):
        build_adapter(model, folder / f"adapters/{name}", seed=number, scale=scale)
    # Where the server looks for a path that means nothing elsewhere.
    shutil.copytree(folder / "adapters/good", folder / "server/slot")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shop = Shop(folder, f"http://127.0.0.1:{port}/v1")
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings(shop.url)))
    spec = ServeSpec(
        model=model,
        log=folder / "server.log",
        adapters={name: folder / f"adapters/{name}" for name in ("good", "empty", "weak")},
        args={
            "max-model-len": 256, "dtype": "float32", "enforce-eager": True,
            "enable-prefix-caching": False,
        },
        base_name=BASE,
    )  # fmt: skip
    with spec.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", process_guard.__file__, "5", *command(spec, port)],
            stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, cwd=folder / "server",
            env={**environment(KEY), "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True"},
        )  # fmt: skip
        assert process.stdin is not None
        try:
            wait_until_ready(shop.url, process, spec.log)
            yield shop
        finally:
            process.stdin.close()
            process.wait(30)


def settings(url: str) -> dict[str, Any]:
    found = config(url)
    found["servers"]["main"]["api_key_env"] = "SHOP_KEY"
    found["targets"] = {
        "base": {"server": "main", "model": BASE},
        "good": {"server": "main", "model": "good", "adapter": "adapters/good"},
        "weak": {"server": "main", "model": "weak", "adapter": "adapters/weak"},
        # Nothing is said of their files.
        "empty": {"server": "main", "model": "empty"},
        "slot": {"server": "main", "model": "slot"},
        "tuned": {"server": "main", "model": "good"},
        # Who names the base as the candidate that is made of these files.
        "mistaken": {"server": "main", "model": BASE, "adapter": "adapters/good"},
    }
    found["generation"] = {"concurrency": 8, "max_tokens": 12}
    found["gate"]["min_scored"] = 0.5  # a model of random weights may say nothing
    return found


def wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-4000:]
        try:
            urllib.request.urlopen(url.removesuffix("/v1") + "/health", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(log.read_text()[-4000:])


def test_an_adapter_whose_b_matrices_are_zero(shop: Shop) -> None:
    line = shop.refused("gate", "empty")
    assert re.search(r"`empty` answers [4-8] of [4-8] probes exactly as its base does", line)
    assert (shop.asked("base"), shop.asked("empty")) == (80, 0)


def test_a_weak_but_real_adapter_is_accepted(shop: Shop) -> None:
    done = shop.harness("gate", "weak", "--json")
    verdict = json.loads(done.stdout)
    assert verdict["problems"] == []
    assert done.returncode in (0, 1, 4), done.stderr
    proof = shop.proof("weak")
    assert proof["differing"] > proof["probes"] / 2
    # It shows in the numbers where the texts are the same.
    assert any(
        [token for token, _ in probe["base"]] == [token for token, _ in probe["adapter"]]
        and probe["base"] != probe["adapter"]
        for probe in proof["fingerprint"]
    )


def test_the_wrong_adapter_under_a_right_name(shop: Shop) -> None:
    shop.unload("good")
    shop.load("good", str(shop.folder / "adapters/other"))
    line = shop.refused("gate", "good")
    assert "serves `good` from" in line
    assert "which is another adapter than adapters/good" in line
    assert shop.asked("good") == 0
    shop.unload("good")
    shop.load("good", str(shop.folder / "adapters/good"))
    assert shop.harness("run", "good").returncode == 0


def test_another_adapter_in_its_place_under_the_same_name_and_path(shop: Shop) -> None:
    shop.load("slot", "slot")
    assert shop.harness("run", "slot").returncode == 0
    again = shop.harness("run", "slot")
    assert again.returncode == 0, again.stderr
    assert shop.asked("slot") == 80, "proven once more, asked once"
    shop.unload("slot")
    shutil.rmtree(shop.folder / "server/slot")
    shutil.copytree(shop.folder / "adapters/other", shop.folder / "server/slot")
    shop.load("slot", "slot")
    line = shop.refused("gate", "slot")
    assert "another adapter answers as `slot`" in line
    afresh = shop.harness("run", "slot", "--no-cache")
    assert afresh.returncode == 0, afresh.stderr


def test_base_and_candidate_swapped(shop: Shop) -> None:
    line = shop.refused("gate", "mistaken")
    assert f"does not list `{BASE}` as an adapter of a base" in line
    done = shop.harness("gate", "base", "--baseline", "tuned")
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("INVALID  base against tuned")
    assert f"lists the baseline `good` as an adapter of the candidate `{BASE}`" in done.stdout
    verdict = json.loads((shop.folder / "reports/base-vs-tuned/verdict.json").read_text())
    assert verdict["verdict"] == "INVALID"


def test_an_adapter_that_the_server_dropped(shop: Shop) -> None:
    shop.unload("good")
    for target in ("good", "tuned"):
        assert "does not list the adapter `good`" in shop.refused("gate", target)
