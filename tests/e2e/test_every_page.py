"""Every kind of page in a real browser: on a phone in the dark, and on paper."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.browser import CONTRAST, Watched
from tests.report.every_page import DECIDED, write_every_page

PHONE = {
    "viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True,
    "color_scheme": "dark",
}  # fmt: skip
FILES = (
    *DECIDED, "judged", "run", "chain", "latency", "data", "two", "six", "preferred", "one", "many",
    "edges",
)  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_every_page(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("watched", [PHONE], indirect=True, ids=["phone"])
@pytest.mark.parametrize("name", FILES)
def test_a_phone_shows_the_page_without_sideways_scrolling_and_readably(
    watched: Watched, pages: dict[str, Path], name: str
) -> None:
    page = watched.open(pages[name])
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("name", [*DECIDED, "judged"])
def test_a_report_prints_to_two_pages(watched: Watched, pages: dict[str, Path], name: str) -> None:
    assert _printed(watched, pages[name]) == 2


@pytest.mark.parametrize("name", ["repeats", "long", "fail"])
def test_a_long_report_prints_to_two_pages(watched: Watched, reports: Path, name: str) -> None:
    assert _printed(watched, reports / name / "report.html") == 2


def _printed(watched: Watched, path: Path) -> int:
    """How many sheets of A4 the page takes."""
    paper = watched.open(path).pdf(format="A4")
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", paper))


@pytest.mark.parametrize("name", ["two", "six", "judged"])
def test_no_word_of_a_table_is_broken_in_its_middle(
    watched: Watched, pages: dict[str, Path], name: str
) -> None:
    page = watched.open(pages[name])
    page.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert page.evaluate(BROKEN) == []


# Words of tables whose letters stand in two lines, though no hyphen, point, stroke or slash is
# between these.
BROKEN = """() => {
  const found = [];
  for (const cell of document.querySelectorAll('table:not(.provenance) :is(td, th)')) {
    if (!cell.checkVisibility()) continue;
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, range = document.createRange();
      for (const word of node.textContent.matchAll(/[\\p{L}\\p{N}]+/gu)) {
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        if (range.getClientRects().length > 1) found.push(word[0]);
      }
    }
  }
  return found;
}"""
