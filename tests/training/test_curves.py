"""Loss curves as a drawing."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from harness.training.candidate import CurvePoint, Curves
from harness.training.curves import draw

POINT = CurvePoint(step=1, train=2.5)


@pytest.mark.parametrize(
    ("points", "lines"),
    [
        ((), []),
        ((POINT,), ["train"]),
        (
            (POINT, CurvePoint(step=2, train=1.5, validation=1.75), CurvePoint(step=3, train=1.0)),
            ["train", "validation"],
        ),
    ],
)
def test_each_loss_that_is_known_is_drawn(points: tuple[CurvePoint, ...], lines: list[str]) -> None:
    drawn = draw(Curves(points=points), "Training of <good>")
    assert drawn == draw(Curves(points=points), "Training of <good>")
    root = ET.fromstring(drawn)
    texts = [element.text for element in root.iterfind(".//{*}text")]
    assert [name for name in ("train", "validation") if name in texts] == lines
    assert "Training of <good>" in texts
