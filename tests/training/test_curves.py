"""The drawing of a training's losses."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from harness.training.candidate import CurvePoint, Curves
from harness.training.curves import Training, draw_losses
from tests.training.conftest import Trained, make_recipe

POINT = CurvePoint(step=1, train=2.5)
HELD = CurvePoint(step=2, train=1.5, validation=1.75)


@pytest.mark.parametrize(
    ("points", "lines"),
    [
        ((), []),
        ((POINT,), ["train"]),
        ((POINT, HELD, CurvePoint(step=3, train=1.0)), ["train", "validation", "kept (step 2)"]),
    ],
)
def test_each_loss_that_is_known_is_drawn(points: tuple[CurvePoint, ...], lines: list[str]) -> None:
    drawn = draw_losses(Curves(points=points), make_recipe(name="good"), 2)
    root = ET.fromstring(drawn)
    texts = [element.text for element in root.iterfind(".//{*}text")]
    assert [one for one in ("train", "validation", "kept (step 2)") if one in texts] == lines
    assert {"good", "loss (nats per answer token)"} <= set(texts)
    assert len(root.findall(".//{*}circle[@fill='none']")) == 2 * ("kept (step 2)" in lines)


def test_preferences_have_another_unit() -> None:
    assert "loss (of preferences)" in draw_losses(
        Curves(points=(POINT,)), make_recipe(method="dpo"), 1
    )


def test_a_training_is_told_and_drawn_for_two_widths(trained_once: Trained) -> None:
    text = (trained_once.folder / "curves.json").read_text(encoding="utf-8")
    found = Training(trained_once.dossier, Curves.model_validate_json(text))
    assert found.words.startswith("6 steps, 20 examples, 164 of 398 tokens learnt, validation loss")
    assert found.words.endswith(" at step 6")
    wide, narrow = (ET.fromstring(one) for one in found.drawings)
    assert (wide.get("viewBox"), narrow.get("viewBox")) == ("0 0 1060 300", "0 0 340 300")
    assert wide.get("aria-labelledby") != narrow.get("aria-labelledby")
