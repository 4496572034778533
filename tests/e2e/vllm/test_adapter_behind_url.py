"""Whatever a vLLM that is not ours may serve under a candidate's name, the gate notices."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.serving.adapter_origin import describe_adapter
from tests.e2e.micro import ANY_TEXT
from tests.e2e.vllm.conftest import BASE, Served
from tests.shop import config, write_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@dataclass(frozen=True, slots=True)
class Shop:
    """A project on a server that is not its own."""

    folder: Path
    key: str

    def harness(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=self.folder, capture_output=True, text=True, timeout=900, check=False,
            env={**os.environ, "CI": "1", "SHOP_KEY": self.key},
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
def shop(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    write_project(folder, "http://unused")
    shutil.copytree(served.folder / "adapters", folder / "adapters")
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings(served.server.url)))
    return Shop(folder, served.server.api_key)


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
    found["gate"] |= ANY_TEXT
    return found


def test_an_adapter_whose_b_matrices_are_zero(shop: Shop) -> None:
    line = shop.refused("gate", "empty")
    assert re.search(r"`empty` answers \d+ of \d+ probes exactly as its base does", line)
    assert (shop.asked("base"), shop.asked("empty")) == (80, 0)


def test_a_weak_but_real_adapter_is_accepted(shop: Shop, served: Served) -> None:
    """peft alone made it: what is known of it is what its own files say."""
    described = describe_adapter(served.folder / "adapters/weak", None)
    assert re.fullmatch(r"LoRA of rank 4, .*; trained by peft [\d.]+", described)
    done = shop.harness("gate", "weak", "--json")
    assert done.returncode in (0, 1, 4), done.stdout + done.stderr
    assert json.loads(done.stdout)["problems"] == []
    proof = shop.proof("weak")
    assert proof["differing"] > proof["probes"] / 2
    # It shows in the numbers where the texts are the same.
    assert any(
        [token for token, _ in probe["base"]] == [token for token, _ in probe["adapter"]]
        and probe["base"] != probe["adapter"]
        for probe in proof["fingerprint"]
    )


def test_the_wrong_adapter_under_a_right_name(shop: Shop, served: Served) -> None:
    served.unload("good")
    served.load("good", str(served.folder / "adapters/other"))
    line = shop.refused("gate", "good")
    assert "serves `good` from" in line
    assert "which is another adapter than adapters/good" in line
    assert shop.asked("good") == 0
    served.unload("good")
    served.load("good", str(served.folder / "adapters/good"))
    assert shop.harness("run", "good").returncode == 0


def test_another_adapter_in_its_place_under_the_same_name_and_path(
    shop: Shop, served: Served
) -> None:
    served.load("slot", "slot")
    assert shop.harness("run", "slot").returncode == 0
    again = shop.harness("run", "slot")
    assert again.returncode == 0, again.stderr
    assert shop.asked("slot") == 80, "proven once more, asked once"
    served.unload("slot")
    shutil.rmtree(served.folder / "server/slot")
    shutil.copytree(served.folder / "adapters/other", served.folder / "server/slot")
    served.load("slot", "slot")
    line = shop.refused("gate", "slot")
    assert "another adapter answers as `slot`" in line
    afresh = shop.harness("run", "slot", "--no-cache")
    assert afresh.returncode == 0, afresh.stderr
    served.unload("slot")


def test_base_and_candidate_swapped(shop: Shop) -> None:
    line = shop.refused("gate", "mistaken")
    assert f"does not list `{BASE}` as an adapter of a base" in line
    done = shop.harness("gate", "base", "--baseline", "tuned")
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("INVALID  base against tuned")
    assert f"lists the baseline `good` as an adapter of the candidate `{BASE}`" in done.stdout
    verdict = json.loads((shop.folder / "reports/base-vs-tuned/verdict.json").read_text())
    assert verdict["verdict"] == "INVALID"


def test_an_adapter_that_the_server_dropped(shop: Shop, served: Served) -> None:
    served.unload("good")
    try:
        for target in ("good", "tuned"):
            assert "does not list the adapter `good`" in shop.refused("gate", target)
    finally:
        served.load("good", str(served.folder / "adapters/good"))
