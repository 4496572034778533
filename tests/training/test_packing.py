"""Packed conversations are kept apart, or packing is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import RecipeError
from harness.training.packing import check_packing
from harness.training.train import train
from tests.training.conftest import make_recipe


def load(base: Path, attention: str = "sdpa") -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(base, attn_implementation=attention)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_attention_heeds_where_positions_begin_again(micro_base: Path, attention: str) -> None:
    check_packing(load(micro_base, attention), "cand")


def test_a_base_that_does_not_is_refused(micro_base: Path) -> None:
    """As one whose layers see the whole sequence, whatever the positions are."""
    model = load(micro_base)
    inner = model.model.forward

    def forward(*args: Any, **given: Any) -> Any:
        found = inner(*args, **given)
        found.last_hidden_state = found.last_hidden_state.cumsum(dim=1)
        return found

    model.model.forward = forward
    with pytest.raises(RecipeError, match="recipe cand: packing: this base lets conversations"):
        check_packing(model, "cand")


def test_packed_training_takes_fewer_steps_over_the_same_data(project: Path) -> None:
    said: list[str] = []
    wanted = make_recipe(packing=True, steps=None, epochs=1, batch_size=1, evaluate_every=2)
    packed = train(wanted, project_dir=project, on_say=said.append)
    plain = train(
        make_recipe(name="plain", steps=None, epochs=1, batch_size=1, evaluate_every=2),
        project_dir=project,
    )
    assert plain.steps_done == 20
    assert packed.steps_done == 7  # three conversations of 20 tokens in 64
    assert packed.learnt == plain.learnt
    assert any("1 x 64 tokens" in line for line in said)


def test_what_is_packed_costs_what_it_costs_apart(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a rate that changes nothing, the mean loss over the tokens is the same."""
    from trl import SFTTrainer

    sums = {True: [0.0, 0], False: [0.0, 0]}
    compute = SFTTrainer.compute_loss

    def compute_loss(self: Any, model: Any, inputs: Any, *args: Any, **given: Any) -> Any:
        learnt = int((inputs["labels"] != -100).sum())
        found = compute(self, model, inputs, *args, **given)
        if model.training:
            loss = found[0] if isinstance(found, tuple) else found
            sums[self.args.packing][0] += float(loss) * learnt
            sums[self.args.packing][1] += learnt
        return found

    monkeypatch.setattr(SFTTrainer, "compute_loss", compute_loss)
    for packing in (True, False):
        settings = {"steps": None, "epochs": 1, "batch_size": 1, "learning_rate": 1e-12}
        train(make_recipe(packing=packing, **settings), project_dir=project, force=True)
    (one, count), (other, counted) = sums[True], sums[False]
    assert count == counted
    assert one / count == pytest.approx(other / counted, rel=1e-4)
