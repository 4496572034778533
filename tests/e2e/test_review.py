"""The page in Chromium: three people at once, a killed server, axe, and no JavaScript."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from harness.review.serve import links
from harness.review.store import ReviewStore
from tests.review.builders import review

if TYPE_CHECKING:
    from playwright.async_api import Browser as AsyncBrowser
    from playwright.sync_api import Browser

ITEMS = 8
RUN = """async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.map(
    (each) => `${each.id}: ${each.nodes.map((node) => node.target.join(' ')).slice(0, 5)}`);
}"""


class Served:
    """The page of a review in a process that can be killed and started again on the same port."""

    def __init__(self, store: ReviewStore) -> None:
        self.store = store
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.links = [link for _, link in links(store, self.base)]
        self.start()

    def start(self) -> None:
        code = (
            "from pathlib import Path\n"
            "from harness.review.serve import serve\n"
            "from harness.review.store import open_store\n"
            f"serve(open_store(Path({str(self.store.path)!r})), '127.0.0.1', {self.port}, print)"
        )
        self.child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
        for _ in range(600):
            try:
                urlopen(f"{self.base}/static/keys.js", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        pytest.fail("the page does not come up")

    def kill(self) -> None:
        os.kill(self.child.pid, signal.SIGKILL)
        self.child.wait()


@pytest.fixture
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    people = ("anna", "ben", "cleo")
    task = getattr(request, "param", "label")
    found = Served(review(tmp_path, task, ITEMS, raters=3, people=people))
    yield found
    found.kill()


async def _grade(browser: AsyncBrowser, served: Served, link: str) -> None:
    """Grade by keyboard to the end; where the server is away, come back by the link."""
    from playwright.async_api import Error

    context = await browser.new_context()
    page = await context.new_page()
    while True:
        try:
            await page.goto(link)
            while not page.url.endswith("/done"):
                before = page.url
                await page.keyboard.press("1")
                await page.wait_for_url(lambda url, old=before: url != old, timeout=20_000)
                await page.wait_for_load_state()
            break
        except Error:
            await asyncio.sleep(0.3)
    await context.close()


def _wait_until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(0.05)


@pytest.mark.slow
async def test_three_people_at_once_lose_nothing_when_the_server_is_killed(
    served: Served,
) -> None:
    from playwright.async_api import async_playwright

    from tests.e2e.browser import ARGUMENTS, CHROMIUM

    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")

    def done() -> int:
        return sum(served.store.progress(one.id).done for one in served.store.raters())

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        people = [asyncio.create_task(_grade(browser, served, link)) for link in served.links[:3]]
        await asyncio.to_thread(_wait_until, lambda: done() >= ITEMS)
        served.kill()
        kept = done()
        assert kept < 3 * ITEMS
        await asyncio.to_thread(served.start)
        assert done() >= kept
        await asyncio.gather(*people)
        await browser.close()
    given = Counter((one.rater, one.item) for one in served.store.given())
    assert len(given) == 3 * ITEMS
    assert set(given.values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("served", ["grade", "prefer"], indirect=True)
def test_axe_finds_nothing_and_no_rule_of_the_page_is_broken(
    browser: Browser, served: Served
) -> None:
    from tests.e2e.browser import CONTRAST, PHONE

    axe = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    for look in ({"color_scheme": "light"}, {**PHONE, "color_scheme": "dark"}):
        # The page's own policy would refuse the test's script.
        context = browser.new_context(**look, bypass_csp=True)
        page = context.new_page()
        noise: list[str] = []
        page.on("console", lambda message, noise=noise: noise.append(message.text))
        for link in (served.links[0], served.links[-1]):
            page.goto(link)
            if page.get_by_role("button", name="It is me").count():
                page.get_by_role("button", name="It is me").click()
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            page.evaluate(axe)
            assert page.evaluate(RUN) == []
            assert page.evaluate(CONTRAST) == []
            overflow = "document.documentElement.scrollWidth > innerWidth"
            assert page.evaluate(overflow) is False
        assert [line for line in noise if "409" not in line] == []
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize("served", ["prefer"], indirect=True)
def test_it_works_without_javascript(browser: Browser, served: Served) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.links[0])
    for _ in range(ITEMS):
        page.get_by_role("textbox").fill("seen")
        page.get_by_role("button", name="tie").click()
    assert page.get_by_role("heading").inner_text() == f"All {ITEMS} items are done"
    page.get_by_role("button", name="undo").click()
    assert page.url.endswith(f"/{ITEMS}")
    context.close()
    given = served.store.given()
    assert [(one.code, one.comment) for one in given] == [("tie", "seen")] * (ITEMS - 1)
