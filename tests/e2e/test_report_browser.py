"""The report in a real browser: nothing runs, nothing loads, everything can be read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from harness.records.verdict import Decision
from harness.report.text import anchor
from harness.report.write import write_latency, write_report
from tests.report.fixtures import pair, pair_of_repeats
from tests.report.hostile import HOSTILE, hostile_pair
from tests.report.measured import Kind, hostile_section, measured, measured_pair

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DECISIONS: tuple[Decision, ...] = ("PROMOTE", "BLOCK", "INCONCLUSIVE", "INVALID")
KINDS: tuple[Kind, ...] = ("pass", "fail", "inconclusive", "invalid")


@dataclass
class Watched:
    """A page, and everything it did that it should not have done."""

    page: Page
    noise: list[str] = field(default_factory=list)

    def open(self, path: Path, fragment: str = "") -> Page:
        self.page.on("console", lambda message: self.noise.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.noise.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.noise.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self._request(request.url, path))
        self.page.goto(path.as_uri() + fragment)
        return self.page

    def _request(self, url: str, path: Path) -> None:
        if not (url.startswith((path.as_uri(), "data:,"))):
            self.noise.append(f"request: {url[:200]}")


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    for decision in DECISIONS:
        write_report(*pair(decision), folder / decision)
    write_report(*hostile_pair(), folder / "hostile")
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
    if CHROMIUM is None:
        missing = "no Chromium on this machine: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    options: dict[str, Any] = {"viewport": {"width": 1200, "height": 900}}
    context = browser.new_context(**{**options, **getattr(request, "param", {})})
    seen = Watched(context.new_page())
    yield seen
    context.close()
    assert seen.noise == []


@pytest.mark.parametrize("decision", DECISIONS)
def test_the_verdict_is_the_first_thing_seen(
    watched: Watched, reports: Path, decision: Decision
) -> None:
    page = watched.open(reports / decision / "report.html")
    heading = page.get_by_role("heading", level=1)
    assert heading.inner_text() == decision
    box = heading.bounding_box()
    assert box is not None
    assert box["y"] < 300
    assert page.locator("svg.forest:visible").count() == 1


PHONE = {"viewport": {"width": 375, "height": 800}, "is_mobile": True, "has_touch": True}


@pytest.mark.parametrize("watched", [PHONE], indirect=True, ids=["phone"])
@pytest.mark.parametrize("name", [*DECISIONS, "hostile", "repeats"])
def test_a_phone_shows_the_page_without_sideways_scrolling(
    watched: Watched, reports: Path, name: str
) -> None:
    page = watched.open(reports / name / "report.html")
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    assert page.evaluate("visualViewport.width") == 375
    assert page.locator("svg.forest:visible").count() == 1


@pytest.mark.parametrize("watched", [PHONE], indirect=True, ids=["phone"])
def test_a_phone_shows_the_rules_and_what_they_require_without_scrolling_the_table(
    watched: Watched, reports: Path
) -> None:
    page = watched.open(reports / "INCONCLUSIVE" / "report.html")
    table = page.get_by_role("region", name="Rules table").bounding_box()
    assert table is not None
    headers = page.locator(".rules tbody th")
    ends = headers.evaluate_all("all => all.map(item => item.getBoundingClientRect().right)")
    assert len(ends) == 5
    assert max(ends) < table["x"] + table["width"]
    badge = page.get_by_role("cell", name="inconclusive")
    assert badge.count() == 1
    box = badge.bounding_box()
    assert box is not None
    assert box["width"] < 50


@pytest.mark.parametrize(
    "watched", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True,
    ids=["light", "dark"],
)  # fmt: skip
@pytest.mark.parametrize("decision", DECISIONS)
def test_every_word_stands_out_from_its_ground(
    watched: Watched, reports: Path, decision: Decision
) -> None:
    page = watched.open(reports / decision / "report.html")
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    poor = page.evaluate(CONTRAST)
    assert poor == []


# The ratio of WCAG 2.2, 1.4.3, of each element with text of its own to the nearest plain ground.
CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = [];
  for (const item of document.querySelectorAll('body *')) {
    if (!item.checkVisibility() || ['SCRIPT', 'OPTION'].includes(item.tagName)) continue;
    if (![...item.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    if (item.matches('title, desc, .skip')) continue;
    const style = getComputedStyle(item);
    const ink = parse(item instanceof SVGElement ? style.fill : style.color);
    let place = item, ground = [0, 0, 0, 0];
    while (place) {
      const own = parse(getComputedStyle(place).backgroundColor);
      if (own.length === 3 || own[3] === 1) { ground = own; break; }
      place = place.parentElement;
    }
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${item.tagName}.${item.className.baseVal ?? item.className} ` +
      `${ratio.toFixed(2)} ${item.textContent.slice(0, 40)}`);
  }
  return found;
}"""


def test_nothing_hostile_runs_loads_or_breaks_the_page(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "hostile" / "report.html")
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert page.locator("main .case").count() == 54
    assert page.locator("main footer, main iframe, main img, main script").count() == 0
    assert page.get_by_role("heading", name="Provenance").is_visible()
    assert page.locator("body > footer").is_visible()
    answers = page.locator(".sides pre").all_text_contents()
    assert any(HOSTILE[0] in answer for answer in answers)
    assert any("⟨U+202E⟩gnp.exe" in answer for answer in answers)
    for name in ("Find", "hostile"):
        page.keyboard.type(name)
    assert page.evaluate("document.title").startswith("BLOCK: good<script>")


def test_the_policy_stops_what_slips_in(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    page.evaluate(
        """() => {
          const block = document.createElement('script');
          block.textContent = 'window.pwned = 1';
          document.body.append(block);
          document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.pwned=2">');
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    stopped = [line for line in watched.noise if "Content Security Policy" in line]
    for what in ("inline script", "inline event handler", "the image"):
        assert any(what in line for line in stopped), (what, stopped)
    watched.noise.clear()


def test_filter_search_and_their_count(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    total = page.locator(".case").count()
    assert page.locator("#shown").inner_text() == f"{total} of {total} cases shown"
    groups, cases = page.locator(".group:visible"), page.locator(".case:not([hidden])")
    page.select_option("#fate", "fixed")
    expect(groups).to_have_count(1)
    page.select_option("#fate", "")
    page.select_option("#part", label="support/tone")
    expect(cases).to_have_count(15)
    page.select_option("#part", "")
    page.fill("#find", "POEM version 57")
    expect(cases).to_have_count(1)
    expect(cases.locator(".name")).to_have_text("support/scope/scope-057")
    page.fill("#find", "no such words")
    expect(cases).to_have_count(0)
    expect(page.locator("#shown")).to_have_text(f"0 of {total} cases shown")


def test_the_count_tells_cases_from_their_answers(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "repeats" / "report.html")
    shown = page.locator("#shown")
    expect(shown).to_have_text("40 of 40 cases shown (120 of 120 answers)")
    page.select_option("#part", label="support/tone")
    expect(shown).to_have_text("10 of 40 cases shown (30 of 120 answers)")
    page.fill("#find", "scope-029")
    page.select_option("#part", "")
    expect(shown).to_have_text("1 of 40 cases shown (3 of 120 answers)")
    page.fill("#find", "tone-022")
    page.select_option("#fate", "new_failure")
    expect(shown).to_have_text("1 of 40 cases shown (2 of 120 answers)")


@pytest.mark.parametrize(
    "watched", [{}, {"java_script_enabled": False}], indirect=True, ids=["script", "no-script"]
)
def test_a_link_opens_the_page_at_its_case(watched: Watched, reports: Path) -> None:
    name = anchor("support/tone/tone-050", 0)
    page = watched.open(reports / "BLOCK" / "report.html", f"#{name}")
    body = page.locator(f"#{name}")
    body.wait_for(state="visible")
    box = body.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 900


@pytest.mark.parametrize("watched", [{"java_script_enabled": False}], indirect=True)
def test_reading_needs_no_script(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    assert not page.locator("#filter").is_visible()
    closed = page.locator("details.case:not([open])").first
    closed.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("details.case[open]").count() > 3


def test_print_holds_the_new_failures_whole(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "BLOCK" / "report.html")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 680
    shown = page.locator("#group-new_failure .body")
    heights = shown.evaluate_all("all => all.map(item => item.getBoundingClientRect().height)")
    assert len(heights) > 5
    assert min(heights) > 50


def test_five_thousand_cases_are_shown_and_searched(watched: Watched, reports: Path) -> None:
    page = watched.open(reports / "long" / "report.html")
    page.get_by_text("5000 of 5000 cases shown").wait_for()
    page.fill("#find", "version 4997")
    expect(page.locator(".case:not([hidden])")).to_have_count(1)


PAGES = ("report.html", "latency.html")


@pytest.mark.parametrize("watched", [{}, PHONE], indirect=True, ids=["wide", "phone"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PAGES)
def test_latency_is_drawn_once_for_the_width_of_the_page(
    watched: Watched, reports: Path, kind: Kind, name: str
) -> None:
    page = watched.open(reports / kind / name)
    loads = len(measured(kind)[0].loads)
    assert page.locator("section.load svg.drawing:visible").count() == 3 * loads
    assert page.get_by_role("img", name="Candidate divided by baseline").count() == loads
    width = page.evaluate("window.innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("watched", [{}, PHONE], indirect=True, ids=["wide", "phone"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_word_of_a_latency_drawing_leaves_it_or_covers_another(
    watched: Watched, reports: Path, kind: Kind
) -> None:
    page = watched.open(reports / kind / "latency.html")
    assert page.locator("svg.drawing:visible text").count() > 30
    assert page.evaluate(CROWDED) == []


# Words that stick out of their drawing by more than a pixel, and pairs of words that overlap.
CROWDED = """() => {
  const found = [];
  for (const svg of document.querySelectorAll('svg.drawing')) {
    if (!svg.checkVisibility()) continue;
    const frame = svg.getBoundingClientRect();
    const words = [...svg.querySelectorAll('text')].map(
      w => [w.textContent, w.getBoundingClientRect()]);
    words.forEach(([word, box], place) => {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
          box.bottom > frame.bottom + 1) found.push(`${word} leaves`);
      for (const [other, its] of words.slice(place + 1)) {
        const wide = Math.min(box.right, its.right) - Math.max(box.left, its.left);
        const high = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
        if (wide > 1 && high > 4) found.push(`${word} covers ${other}`);
      }
    });
  }
  return found;
}"""


@pytest.mark.parametrize(
    "watched", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True,
    ids=["light", "dark"],
)  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_every_word_on_latency_stands_out_from_its_ground(
    watched: Watched, reports: Path, kind: Kind
) -> None:
    page = watched.open(reports / kind / "latency.html")
    assert page.evaluate(CONTRAST) == []


def test_nothing_hostile_runs_or_loads_in_a_page_on_latency(
    watched: Watched, reports: Path
) -> None:
    page = watched.open(reports / "hostile" / "latency.html")
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    assert page.locator("main iframe, main img, main script").count() == 0
    assert page.locator("body > footer").is_visible()
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 375
