"""A person accepts proposals in Chromium, on the page of `harness collect --review`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.data.collect.proposals import read_proposals, write_proposals
from tests.e2e.test_review import RUN
from tests.review.test_proposal_pages import proposal
from tests.shop import write_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    write_project(tmp_path, "http://127.0.0.1:1")
    passage = {"passage": "A tent costs 12 dollars for a day.", "source": "docs.md:1"}
    write_proposals(tmp_path / "p.yaml", [
        proposal(1, given=("I do not know.", "Ask the desk.")),
        proposal(2, side="training", answer="It is 12 dollars.", **passage),
    ])  # fmt: skip
    command = [sys.executable, "-m", "harness", "collect", "--review", "p.yaml"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        found = re.fullmatch(r"proposals: (http://\S+)\n", child.stdout.readline())
        assert found is not None
        yield found[1]
        child.send_signal(signal.SIGINT)
        child.wait()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_proposals_are_decided_by_keyboard(
    browser: Browser, link: str, tmp_path: Path, scheme: str
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": 390, "height": 800})
    page.goto(link)
    axe = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(axe)
    assert page.evaluate(RUN) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("c")
    page.keyboard.type("12 of them.")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.wait_for_url("**/2")
    page.evaluate(axe)
    assert page.evaluate(RUN) == []
    page.keyboard.press("2")
    page.wait_for_url("**/done")
    page.close()
    first, second = read_proposals(tmp_path / "p.yaml")
    assert (first.accept, first.answer, second.accept) == (True, "12 of them.", False)
