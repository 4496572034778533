"""The memory that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import machine_memory
from harness.machine_memory import Gpu, free_memory, parse_gpus, size


def test_gpus_as_the_driver_lists_them() -> None:
    told = "NVIDIA A100-SXM4-40GB, 550.54.15, 40960, 40330\nTesla, [N/A], [N/A], 1\nnonsense\n\n"
    mib = 1024**2
    assert parse_gpus(told) == [Gpu("NVIDIA A100-SXM4-40GB", "550.54.15", 40960 * mib, 40330 * mib)]


def test_this_machine_has_memory() -> None:
    free = free_memory()
    assert free is None or free > 0


def test_a_containers_copies_of_files_are_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that was read once fills the group's memory, and takes it from nobody."""
    monkeypatch.setattr(machine_memory, "_GROUP", tmp_path)
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    assert free_memory() in (None, 100)
    stat = "anon 200\ninactive_file 500\nactive_file 150\nshmem 50\n"
    (tmp_path / "memory.stat").write_text(stat)
    assert free_memory() in (None, 750)
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory() not in (100, 750)


def test_a_size_in_words() -> None:
    assert [size(one) for one in (2**20, 3 * 2**29, 0)] == ["1 MiB", "1.5 GiB", "0 MiB"]
