"""What a notebook shows: small, whole, and nothing in it alive, whatever models and files say."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.api.card import Card, render
from harness.api.comparison import Comparison
from harness.api.gate import GateResult
from harness.api.run import Run
from harness.records.verdict import EXIT_CODES
from harness.visible_text import visible
from tests.report.fixtures import pair
from tests.report.hostile import HOSTILE, hostile_pair

TAGS = {"div", "span", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}


class Reader(HTMLParser):
    """Every tag, attribute and text of a piece of HTML."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.styles: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles |= {value or "" for name, value in attrs if name == "style"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def result(kind: str, tmp_path: Path) -> GateResult:
    verdict, comparison = hostile_pair() if kind == "hostile" else pair(kind)
    sides = Run(tmp_path / "a", comparison.candidate), Run(tmp_path / "b", comparison.baseline)
    compared = Comparison(*sides, comparison, 0.05, verdict.problems)
    return GateResult(compared, verdict, tmp_path / "c.html")


@pytest.mark.parametrize("kind", [*EXIT_CODES, "hostile"])
def test_every_card_is_well_formed_and_passive(kind: str, tmp_path: Path) -> None:
    made = result(kind, tmp_path)
    for each in (made, made.comparison, made.comparison.candidate):
        card = each._repr_html_()
        read = Reader(card)
        assert read.tags <= TAGS
        assert read.attributes <= {"style", "scope"}
        assert not any("url" in style or "expression" in style for style in read.styles)
        assert read.open == []
        assert visible(card) == card
        assert len(card.encode()) < 40_000
        assert "\n" not in repr(each)
        assert visible(repr(each)) == repr(each)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_is_shown_as_text(text: str) -> None:
    card = render(
        Card(
            title=text,
            lines=(text,),
            head=(text,),
            rows=((text,),),
            badge=text,
            tone="block",
            problems=(text,),
        )
    )
    read = Reader(card)
    assert read.tags <= TAGS
    assert read.open == []
    shown = [each for each in read.texts if each]
    assert len(set(shown)) == 2  # the text, and that the evidence cannot be trusted
    assert len(card) < 15_000


def test_a_long_table_is_cut_and_says_so() -> None:
    card = render(Card(title="t", head=("n",), rows=tuple((f"row {n}",) for n in range(50))))
    assert "row 39" in card
    assert "row 40" not in card
    assert "and 10 more: metrics() has all" in card
