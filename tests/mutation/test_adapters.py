"""What each operator does to the tensors of an adapter."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.config import load_project
from harness.mutation import NotMade, Original
from harness.mutation.adapters import broken, read_tensors, write_tensors
from harness.mutation.operators.layers import turned, upper_lost
from harness.mutation.operators.noise import noisy
from harness.mutation.operators.rank import rank_one
from harness.mutation.operators.rounding import rounded
from harness.mutation.operators.scale import scaled
from tests.shop import write_project

A, B = "base_model.model.layers.{}.q.lora_A.weight", "base_model.model.layers.{}.q.lora_B.weight"


def drawn(seed: int = 0, layers: int = 4, rank: int = 3) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {
        name.format(layer): torch.randn(shape, generator=draw)
        for layer in range(layers)
        for name, shape in ((A, (rank, 8)), (B, (6, rank)))
    }


def products(tensors: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """What the adapter adds to the weights of each layer."""
    return [
        tensors[B.format(layer)] @ tensors[A.format(layer)] for layer in range(len(tensors) // 2)
    ]


@given(st.sampled_from((-1.0, 0.0, 0.3, 3.0)), st.integers(0, 50))
def test_a_scaled_adapter_adds_so_many_times_as_much(by: float, seed: int) -> None:
    before = drawn(seed)
    for was, now in zip(products(before), products(scaled(before, by)), strict=True):
        torch.testing.assert_close(now, by * was)


@given(st.integers(0, 50))
def test_one_rank_is_left_and_it_is_the_largest(seed: int) -> None:
    before = drawn(seed)
    for was, now in zip(products(before), products(rank_one(before)), strict=True):
        values = torch.linalg.svdvals(now)
        torch.testing.assert_close(values[0], torch.linalg.svdvals(was)[0])
        assert values[1] < 1e-4 * values[0]


@given(st.sampled_from((2, 4)), st.integers(0, 50))
def test_rounded_weights_take_few_values_and_stay_near(bits: int, seed: int) -> None:
    before = drawn(seed)
    for name, now in rounded(before, bits).items():
        most = before[name].abs().max()
        assert now.shape == before[name].shape
        assert now.flatten()[:64].unique().numel() <= 2**bits - 1
        assert (now - before[name]).abs().max() <= most / (2 ** (bits - 1) - 1) / 2 + 1e-6


def test_the_same_seed_draws_the_same_noise_and_another_one_other() -> None:
    before = drawn()
    once, again, other = (noisy(before, 1.0, seed) for seed in (1, 1, 2))
    for name, tensor in before.items():
        assert torch.equal(once[name], again[name])
        assert not torch.equal(once[name], other[name])
        assert 0.2 < (once[name] - tensor).square().mean() / tensor.square().mean() < 5.0


def test_the_upper_layers_are_lost_and_the_lower_ones_as_they_were() -> None:
    before = drawn()
    was, now = products(before), products(upper_lost(before))
    assert [float(one.abs().max()) > 0 for one in now] == [True, True, False, False]
    assert torch.equal(was[0], now[0])


def test_turned_layers_stand_in_each_others_places() -> None:
    was, now = products(drawn()), products(turned(drawn()))
    assert all(torch.equal(one, other) for one, other in zip(was, reversed(now), strict=True))


def test_an_adapter_of_one_layer_has_no_order_to_lose() -> None:
    for change in (turned, upper_lost):
        with pytest.raises(NotMade, match="fewer than two layers"):
            change(drawn(layers=1))


def test_a_broken_copy_keeps_shapes_types_and_configuration(tmp_path: Path) -> None:
    write_project(tmp_path, "http://127.0.0.1:9/v1")
    source = tmp_path / "adapter"
    source.mkdir()
    (source / "adapter_config.json").write_text('{"r": 3, "target_modules": ["q"]}')
    write_tensors(source, {name: each.half() for name, each in drawn().items()})
    config = tmp_path / "harness.yaml"
    text = config.read_text().replace("model: candidate", "model: candidate\n    adapter: adapter")
    config.write_text(text)
    original = Original(load_project(config), "candidate", (), tmp_path / "mutants", 0)
    mutant = broken(original, "off", "", lambda tensors: scaled(tensors, 0.0))
    folder = Path(mutant.target.adapter or "")
    assert folder == tmp_path / "mutants" / "adapters" / "off"
    before, after = read_tensors(source), read_tensors(folder)
    assert {name: (each.shape, each.dtype) for name, each in after.items()} == {
        name: (each.shape, each.dtype) for name, each in before.items()
    }
    assert all(float(after[B.format(layer)].abs().max()) == 0.0 for layer in range(4))
    assert '"r": 3' in (folder / "adapter_config.json").read_text()
