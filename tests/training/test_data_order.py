"""An order that was drawn at random can be had again from a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.training.data_order import FILE, DataOrder


class Drawn:
    """As transformers' own sampler: from torch's generator, whatever else uses that."""

    def __len__(self) -> int:
        return 50

    def __iter__(self) -> Iterator[int]:
        import torch

        return iter(torch.randperm(50).tolist())


def sampler() -> DataOrder:
    return DataOrder(Drawn())


@pytest.fixture
def kept(tmp_path: Path) -> list[int]:
    """The order of a second epoch, which is in the checkpoint at `tmp_path`."""
    order = sampler()
    list(order)
    found = list(order)
    order.save(tmp_path)
    return found


def test_a_resumed_epoch_has_its_order_and_the_next_another(
    tmp_path: Path, kept: list[int]
) -> None:
    order = sampler()
    assert len(order) == len(kept)
    order.resume(tmp_path)
    assert list(order) == kept
    order.save(tmp_path)
    assert list(order) != kept
    order.resume(tmp_path)
    assert list(order) == kept


def test_an_epoch_that_begins_is_drawn_anew(tmp_path: Path, kept: list[int]) -> None:
    order = sampler()
    order.resume(tmp_path)
    order.begin()
    assert list(order) != kept


def test_a_checkpoint_that_says_nothing_of_it_is_no_error(tmp_path: Path, kept: list[int]) -> None:
    (tmp_path / FILE).unlink()
    order = sampler()
    order.resume(tmp_path)
    assert list(order) != kept
