from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6)])
@pytest.mark.parametrize("seed", range(5))
def test_an_update_turns_as_the_gradient_does_with_singular_values_near_one(
    shape: tuple[int, int], seed: int
) -> None:
    from recipes.tiny_base.muon import orthogonal

    generator = torch.Generator().manual_seed(seed)
    # Known singular values, none too small for the iterations to lift.
    left, _ = torch.linalg.qr(torch.randn(shape[0], min(shape), generator=generator))
    right, _ = torch.linalg.qr(torch.randn(shape[1], min(shape), generator=generator))
    values = 0.2 + torch.rand(min(shape), generator=generator)
    near = left.T @ orthogonal(left @ torch.diag(values) @ right.T) @ right
    assert near.shape == (min(shape), min(shape))
    assert bool(((near.diagonal() > 0.6) & (near.diagonal() < 1.3)).all())
    assert bool(((near - torch.diag(near.diagonal())).abs() < 1e-3).all())


def test_no_gradient_is_no_update() -> None:
    from recipes.tiny_base.muon import Muon, orthogonal

    assert not orthogonal(torch.zeros(3, 5)).any()
    still = torch.nn.Parameter(torch.ones(3, 5))
    Muon([still], lr=0.1, weight_decay=0.1).step()
    assert bool((still == 1).all())


def test_it_finds_the_matrix_of_least_squares() -> None:
    from recipes.tiny_base.muon import Muon

    generator = torch.Generator().manual_seed(0)
    aim = torch.randn(6, 4, generator=generator)
    found = torch.nn.Parameter(torch.zeros(6, 4))
    optimizer = Muon([found], lr=0.1, weight_decay=0.0)
    for step in range(400):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 400)
        optimizer.zero_grad()
        ((found - aim) ** 2).sum().backward()
        optimizer.step()
    assert float((found - aim).abs().max().detach()) < 0.05
