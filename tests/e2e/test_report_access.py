"""The pages against the rules of axe-core, in light and dark, with cases open and filtered."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tests.e2e.browser import PHONE, Watched

RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.filter((each) => ['serious', 'critical'].includes(each.impact)).map(
    (each) => `${each.id}: ${each.nodes.map((node) => node.target.join(' ')).slice(0, 5)}`);
}"""
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {**PHONE, "color_scheme": "dark"},
}


@pytest.fixture(scope="module")
def axe() -> str:
    return (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("watched", LOOKS.values(), indirect=True, ids=LOOKS)
@pytest.mark.parametrize(
    ("report", "fragment"),
    [
        ("BLOCK", ""),
        ("PROMOTE", "#outcome=changed,new_failure&find=a"),
        ("INVALID", "#find=nothing has these words"),
        ("repeats", ""),
        ("hostile", ""),
        ("fail", ""),
    ],
)
def test_axe_finds_nothing_serious(
    watched: Watched, reports: Path, axe: str, report: str, fragment: str
) -> None:
    page = watched.open(reports / report / "report.html", fragment)
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    page.evaluate(axe)
    assert page.evaluate(RUN) == []


def test_axe_would_find_something(watched: Watched, reports: Path, axe: str) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    page.evaluate(
        "document.querySelector('#find').closest('label').replaceWith(document.querySelector('#find'))"
    )
    page.evaluate(axe)
    assert any(line.startswith("label:") for line in page.evaluate(RUN))
