"""Which number formats a training uses on which device."""

from __future__ import annotations

import pytest

from harness.errors import RecipeError
from harness.training.precision import Device, Precision, choose_precision, this_device
from tests.training.conftest import make_recipe

CPU = Device("cpu", "CPU", bf16=True)
NEW = Device("cuda", "A100", bf16=True)
OLD = Device("cuda", "Tesla T4", bf16=False)


@pytest.mark.parametrize(
    ("device", "settings", "expected"),
    [
        (CPU, {}, Precision("auto", None, "float32")),
        (CPU, {"method": "qlora"}, Precision("auto", None, "float32")),
        (CPU, {"precision": "bf16"}, Precision("auto", "bf16", "float32")),
        (CPU, {"precision": "fp32"}, Precision("float32", None, "float32")),
        (NEW, {}, Precision("auto", "bf16", "bfloat16")),
        (NEW, {"precision": "fp16"}, Precision("float16", "fp16", "float16")),
        (NEW, {"precision": "fp32"}, Precision("float32", None, "float32")),
        (OLD, {}, Precision("float16", "fp16", "float16")),
        (OLD, {"modules_to_save": ["lm_head"]}, Precision("float32", "fp16", "float16")),
        (OLD, {"method": "qlora"}, Precision("auto", None, "float32")),
    ],
)
def test_formats_go_by_the_device(
    device: Device, settings: dict[str, object], expected: Precision
) -> None:
    assert choose_precision(make_recipe(**settings), device) == expected


@pytest.mark.parametrize(
    ("device", "settings", "said"),
    [
        (OLD, {"precision": "bf16"}, "Tesla T4 does not compute in bfloat16 - write `fp16`"),
        (CPU, {"precision": "fp16"}, "a CPU does not train in float16 - write `bf16`"),
        (NEW, {"precision": "fp16", "method": "qlora"}, "4 bits are bfloat16"),
    ],
)
def test_a_format_that_is_not_there_is_one_line(
    device: Device, settings: dict[str, object], said: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        choose_precision(make_recipe(**settings), device)
    assert f"recipe cand: precision: {'' if said[0] == '4' else said}" in caught.value.line
    assert said in caught.value.line


def test_without_a_gpu_the_device_is_the_cpu() -> None:
    assert this_device() == CPU
    assert Precision("auto", None, "float32").words == "weights as stored"
    assert Precision("float16", "fp16", "float16").words == "weights in float16, computed in fp16"
