"""One vLLM for all tests of this folder: a start costs more than everything that it is asked."""

from __future__ import annotations

import importlib.util
import json
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.hub.resolve import find
from harness.serving import vllm
from harness.serving.command import ServeSpec
from harness.serving.vllm import VllmServer
from tests.e2e.micro import build_adapter, build_model
from tests.hub_project import use_cache, use_hub
from tests.hub_server import HubServer

BASE = "plain"
SCALES = {"good": 0.2, "other": 0.2, "empty": 0.0, "weak": 2e-4}


@dataclass(frozen=True, slots=True)
class Served:
    """A vLLM that lets its adapters be changed while it runs, and the files that it was given.

    `server/slot` is an adapter at a path that means something to the server alone.
    """

    folder: Path
    spec: ServeSpec
    server: VllmServer

    def load(self, name: str, path: str) -> None:
        """Have the adapter at the path answer under the name."""
        self._post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": path})
        # What is cached for a name would answer for the adapter that had it before.
        self._post("/reset_prefix_cache", {})

    def unload(self, name: str) -> None:
        """Have nothing answer under the name."""
        self._post("/v1/unload_lora_adapter", {"lora_name": name})

    def _post(self, route: str, body: dict[str, str]) -> None:
        request = urllib.request.Request(
            self.server.url.removesuffix("/v1") + route,
            data=json.dumps(body).encode(),
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {self.server.api_key}",
            },
        )
        urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server with three of the adapters; whoever changes what it serves puts it back.

    Its model is the snapshot of one that was named on a hub, which is gone by then.
    """
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("needs vLLM")
    folder = tmp_path_factory.mktemp("served")
    model = build_model(folder / "model")
    for number, (name, scale) in enumerate(SCALES.items(), start=1):
        build_adapter(model, folder / f"adapters/{name}", seed=number, scale=scale)
    shutil.copytree(folder / "adapters/good", folder / "server/slot")
    with pytest.MonkeyPatch.context() as patch, HubServer() as hub:
        use_cache(patch, folder / "hub-cache")
        use_hub(patch, hub.url)
        hub.put("org/micro", model)
        fetched = find("org/micro", folder, "model", "here")
    assert fetched is not None
    spec = ServeSpec(
        model=fetched.path,
        log=folder / "server.log",
        adapters={name: folder / f"adapters/{name}" for name in ("good", "empty", "weak")},
        args={"max-model-len": 256, "dtype": "float32", "enforce-eager": True},
        base_name=BASE,
        start_timeout=900.0,
    )
    allowed = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True", "VLLM_SERVER_DEV_MODE": "1"}
    ours = vllm.environment
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vllm, "environment", lambda *a, **k: {**ours(*a, **k), **allowed})
        patch.chdir(folder / "server")
        running = VllmServer(spec)
        running.start()
    with running:
        yield Served(folder, spec, running)
        group = group_of(running)
        assert any(map(_runs, group))
    assert [pid for pid in group if _runs(pid)] == []


def group_of(server: VllmServer) -> list[int]:
    """Every process that descends from the server's guard."""
    assert server._guard is not None
    found = [server._guard.pid]
    for pid in found:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def _runs(pid: int) -> bool:
    """Whether the process still runs; one that only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "\nState:\tZ" not in state
