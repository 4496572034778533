"""Hostile texts in a real browser: nothing runs, loads or breaks, and all can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from harness.report.text import anchor, clip
from tests.e2e.browser import PHONE, Watched
from tests.report.hostile import HOSTILE, hostile_pair

NO_SCRIPT = {"java_script_enabled": False}
CASES = len(HOSTILE) + 24
OPEN = "[...document.querySelectorAll('details')].slice(-101).forEach(item => item.open = true)"
# Of each case the texts of its boxes, without what says that they are cut.
TEXTS = """() => Object.fromEntries([...document.querySelectorAll('.case > div')].map((body) =>
  [body.id, [...body.querySelectorAll('pre')].map((box) => {
    const own = box.cloneNode(true);
    own.querySelectorAll('.more').forEach((more) => more.remove());
    return own.textContent;
  })]))"""


def _show_all(page: Page) -> None:
    page.evaluate(
        """() => { let more;
          while ((more = document.querySelector('button.rest:not([hidden])'))) more.click(); }"""
    )


@pytest.mark.parametrize("watched", [{}, PHONE, NO_SCRIPT], indirect=True,
                         ids=["wide", "phone", "no-script"])  # fmt: skip
@pytest.mark.parametrize(("report", "copies"), [("hostile", 1), ("hostile-long", 11)])
def test_nothing_hostile_runs_loads_or_breaks_the_page(
    watched: Watched, reports: Path, report: str, copies: int
) -> None:
    assert len(HOSTILE) >= 60
    page = watched.open(reports / report / "report.html")
    _show_all(page)
    page.evaluate(OPEN)
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert page.locator("main .case").count() == copies * CASES
    strange = "footer, iframe, img, script, object, embed, video, style, link, base, math, marquee"
    assert page.locator(", ".join(f"main {tag}" for tag in strange.split(", "))).count() == 0
    assert page.locator("h1").all_text_contents() == ["BLOCK"]
    assert page.get_by_role("heading", name="Provenance").is_visible()
    assert page.locator("body > footer").is_visible()
    width = page.evaluate("window.innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("document.title").startswith("BLOCK: good<script>")


@pytest.mark.parametrize("watched", [{}, NO_SCRIPT], indirect=True, ids=["script", "no-script"])
@pytest.mark.parametrize(("report", "copies"), [("hostile", 1), ("hostile-long", 11)])
def test_every_hostile_text_can_be_read(
    watched: Watched, reports: Path, report: str, copies: int
) -> None:
    page = watched.open(reports / report / "report.html")
    _show_all(page)
    found: dict[str, list[str]] = page.evaluate(TEXTS)
    compared = hostile_pair(copies)[1]
    assert len(found) == len(compared.cases)
    for case in compared.cases:
        texts = found[anchor(case.path, 0)]
        wanted = (
            case.messages[0].content,
            case.baseline_attempt.text or "",
            case.candidate_attempt.text or "",
        )
        for text, whole in zip(texts, wanted, strict=True):
            assert text == clip(whole, 20_000).text


def test_hostile_tags_and_words_only_filter(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "hostile" / "report.html")
    tags: list[str] = page.locator("[name=tag] option").evaluate_all(
        "all => all.slice(1).map(item => item.value)"
    )
    assert len(tags) >= 60
    for tag in tags[::7]:
        page.locator("[name=tag]").select_option(tag)
        page.wait_for_timeout(20)
        assert page.locator(".group:visible .case:not([hidden])").count() > 0
    page.locator("[name=tag]").select_option("")
    for text in (HOSTILE[0], HOSTILE[2], "<%=", "\\", '"'):
        page.fill("#find", text)
        page.wait_for_timeout(200)
        assert page.locator(".group:visible .case:not([hidden])").count() > 0
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize(
    "fragment",
    ["#%", "#%E0%A4%A", "#case-none", "#<script>window.pwned=1</script>", '#" onload="x',
     "#outcome=<img src=x onerror=window.pwned=2>&section=__proto__&tag=constructor&find=%00",
     "#find=%22", "#=", "#outcome"],
)  # fmt: skip
def test_a_hostile_address_changes_nothing_else(
    watched: Watched, reports: Path, fragment: str
) -> None:
    page = watched.open(reports / "hostile" / "report.html", fragment)
    page.wait_for_timeout(100)
    told: Any = page.evaluate("[window.pwned ?? null, document.querySelectorAll('.case').length]")
    assert told == [None, CASES]
