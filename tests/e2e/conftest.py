"""The browser, and the reports that it opens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.e2e.browser import Watched


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder for each report."""
    from harness.report.write import write_latency, write_report
    from tests.e2e.browser import DECISIONS, KINDS
    from tests.report.fixtures import pair, pair_of_repeats
    from tests.report.hostile import HOSTILE, hostile_pair
    from tests.report.measured import hostile_section, measured, measured_pair

    folder = tmp_path_factory.mktemp("reports")
    for decision in DECISIONS:
        write_report(*pair(decision), folder / decision)
    write_report(*hostile_pair(), folder / "hostile")
    write_report(*hostile_pair(11), folder / "hostile-long")
    write_report(*pair_of_repeats(), folder / "repeats")
    write_report(*pair("BLOCK", 5_000), folder / "long")
    for kind in KINDS:
        made, rules = measured(kind)
        write_latency(made, "good", "base", rules, folder / kind)
        write_report(*measured_pair(kind), folder / kind)
    write_latency(hostile_section(), HOSTILE[0], HOSTILE[1], (), folder / "hostile")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.e2e.browser import ARGUMENTS, CHROMIUM

    if CHROMIUM is None:
        missing = "no Chromium on this machine: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A page of its own, which must stay silent."""
    from tests.e2e.browser import Watched

    options: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}}
    context = browser.new_context(**{**options, **getattr(request, "param", {})})
    seen = Watched(context.new_page())
    yield seen
    context.close()
    assert seen.noise == []
