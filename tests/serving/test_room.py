"""Whether servers have room beside each other, by the machine's memory or by its GPUs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.machine_memory import GIB, Gpu
from harness.serving import room
from harness.serving.command import ServeSpec
from harness.serving.room import OWN, Room, cache_space, gpus_of_one, memory_share, room_for


def on(monkeypatch: pytest.MonkeyPatch, *, free: int | None, gpus: list[Gpu] | None = None) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(room, "free_memory", lambda: free)
    monkeypatch.setattr(room, "gpus", lambda: gpus)


def test_without_a_gpu_weights_cache_and_its_own_count_for_each(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, free=8 * GIB)
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "2")
    spec = ServeSpec(model=model, log=tmp_path / "log")
    weights = (model / "model.safetensors").stat().st_size
    found = room_for([spec, spec])
    assert found == Room(2 * (weights + 2 * GIB + OWN), 8 * GIB, "memory")
    assert not found.fits
    on(monkeypatch, free=9 * GIB)
    assert room_for([spec, spec]).fits


def test_a_machine_that_does_not_say_what_is_free_has_no_room(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, free=None)
    found = room_for([ServeSpec(model=model, log=tmp_path / "log")])
    assert not found.fits
    assert found.words.endswith("of memory needed, what is free is not told here")


@pytest.mark.parametrize(
    ("options", "fits"), [({}, False), ({"gpu-memory-utilization": 0.45}, True)]
)
def test_on_a_gpu_each_takes_its_share(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    fits: bool,
) -> None:
    on(monkeypatch, free=None, gpus=[Gpu("card", "1", 80 * GIB, 79 * GIB)])
    spec = ServeSpec(model=model, log=tmp_path / "log", args=options)
    assert room_for([spec, spec]).fits is fits


def test_the_fullest_gpu_decides(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = [Gpu("card", "1", 80 * GIB, 80 * GIB), Gpu("card", "1", 80 * GIB, 30 * GIB)]
    on(monkeypatch, free=None, gpus=cards)
    one = ServeSpec(model=model, log=tmp_path / "log", args={"gpu-memory-utilization": "0.4"})
    assert room_for([one, one]).fits
    split = replace(one, args={**one.args, "tensor-parallel-size": 2})
    found = room_for([one, split])
    assert (found.where, found.fits) == ("GPU 1", False)


def test_the_gpus_that_a_server_sees_count(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = [Gpu("card", "1", 80 * GIB, free * GIB) for free in (10, 80, 40)]
    on(monkeypatch, free=0, gpus=cards)
    one = ServeSpec(model=model, log=tmp_path / "log", args={"gpu-memory-utilization": "0.4"})
    for seen, where, fits in (
        ("1", "GPU 1", True), ("1,0", "GPU 0", True), ("2", "GPU 2", False), ("", "memory", False),
        ("GPU-8f", "GPU 0", False),
    ):  # fmt: skip
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
        found = room_for([one, one])
        assert (found.where, found.fits) == (where, fits), seen


def test_options_as_vllm_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpus_of_one({"tensor-parallel-size": 2, "pp": "3"}) == 6
    assert gpus_of_one({"tp": "many"}) == 1
    assert memory_share({"gpu-memory-utilization": "0.3"}) == 0.3
    assert memory_share({"gpu-memory-utilization": "most"}) == 0.9
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "3")
    assert cache_space() == 3 * GIB
