"""The memory that there is."""

from __future__ import annotations

from harness.machine_memory import Gpu, free_memory, parse_gpus, size


def test_gpus_as_the_driver_lists_them() -> None:
    told = "NVIDIA A100-SXM4-40GB, 550.54.15, 40960, 40330\nTesla, [N/A], [N/A], 1\nnonsense\n\n"
    mib = 1024**2
    assert parse_gpus(told) == [Gpu("NVIDIA A100-SXM4-40GB", "550.54.15", 40960 * mib, 40330 * mib)]


def test_this_machine_has_memory() -> None:
    free = free_memory()
    assert free is None or free > 0


def test_a_size_in_words() -> None:
    assert [size(one) for one in (2**20, 3 * 2**29, 0)] == ["1 MiB", "1.5 GiB", "0 MiB"]
