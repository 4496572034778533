"""In a template no text is active, and nothing that is missing is passed over."""

from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError
from markdown_it import MarkdownIt

from harness.report.content import GateFailure
from harness.report.rendering import breakable, render_page, render_text
from tests.report.hostile import HOSTILE


def failure(text: str) -> GateFailure:
    return GateFailure("ERROR", text, "base", text, "", 3, "2026-11-20T14:05:00Z")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_active_in_markdown(text: str) -> None:
    told = render_text("failure.md.j2", failure=failure(text), link="")
    told.encode()
    page = MarkdownIt("commonmark", {"html": True}).render(told)
    tags = set(re.findall(r"<([a-z0-9]+)", page))
    assert tags <= {"h3", "p", "strong", "code", "br"}


def test_what_is_missing_is_an_error_in_both_kinds_of_template() -> None:
    with pytest.raises(UndefinedError):
        render_text("failure.md.j2")
    with pytest.raises(UndefinedError):
        render_page("report.html.j2", ["report.css"])


def test_a_name_breaks_behind_its_parts_alone() -> None:
    assert breakable("shop.gold.answer_rate/x") == "shop.<wbr>gold.<wbr>answer_<wbr>rate/<wbr>x"
    assert breakable("<b>.c") == "&lt;b&gt;.<wbr>c"
