from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.serving.devices import shares, visible_devices
from harness.serving.spec import ArgValue

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
def test_what_the_environment_lets_a_process_see(given: str, found: list[str]) -> None:
    assert visible_devices({"CUDA_VISIBLE_DEVICES": given}) == found


def test_without_a_word_of_the_environment_the_driver_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_devices({}) == []
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '0\\n1\\n'\n")
    program.chmod(0o755)
    assert visible_devices({}) == ["0", "1"]


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
    assert shares(visible, replicas, args) == expected


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
        shares(visible, 2, args)
