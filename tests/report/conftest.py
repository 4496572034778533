"""Drawings take long, and most pages of these tests have the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.report import html
from harness.report.lineup import html as lineup_html

Render = Callable[..., Any]


def _remembered(render: Render, shown: Callable[[Any], object]) -> Render:
    """A drawing that is made once for what is shown of a view."""
    known: dict[tuple[object, ...], Any] = {}

    def find(view: Any, *how: object) -> Any:
        key = repr(shown(view)), *how
        if key not in known:
            known[key] = render(view, *how)
        return known[key]

    return find


_FOREST = _remembered(html.render_forest, lambda view: view.rules)
_LATENCY = _remembered(html.draw_latency, lambda view: view)
_GAPS = _remembered(lineup_html.render_gaps, lambda view: (view.contenders, view.metrics))


@pytest.fixture(autouse=True)
def _drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages have the drawings of pages before; the tests of drawings draw themselves."""
    monkeypatch.setattr(html, "render_forest", _FOREST)
    monkeypatch.setattr(html, "draw_latency", _LATENCY)
    monkeypatch.setattr(lineup_html, "render_gaps", _GAPS)
