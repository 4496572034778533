"""The report in a real browser: what is seen first, and that all of it can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.records.verdict import Decision
from tests.e2e.browser import CONTRAST, DECISIONS, KINDS, PHONE, Watched
from tests.report.measured import Kind, measured


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
    statistics = page.locator("#statistics > summary")
    if statistics.count():
        statistics.click()
    assert page.locator("svg.forest:visible").count() == 1


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
    page.locator("#statistics > summary").click()
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
    assert box["x"] + box["width"] <= table["x"] + table["width"]


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
