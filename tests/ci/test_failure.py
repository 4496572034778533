"""What is shown of a gate that came to no verdict."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from harness.ci.annotations import named_place
from harness.ci.job import render_failure
from harness.report.content import GateFailure


def failure(line: str, candidate: str = "good") -> GateFailure:
    return GateFailure("ERROR", candidate, "base", line, "", 3, "2026-11-20T14:05:00Z")


def test_the_word_the_reason_and_the_code_are_told() -> None:
    told = render_failure(failure("http://x: refuses - is it up?"), "https://ci.example/5")
    assert told.startswith("### ⚠️ ERROR: `good` against `base`\n\n**Why:** http:")
    assert "nothing is said about the candidate. Exit code 3." in told
    assert told.endswith("[The job's page](https://ci.example/5)\n")


def test_hostile_words_stay_words() -> None:
    told = render_failure(failure("<img src=x> @you [a](http://b) `c\n# d", "a`b<i>"), "")
    page = MarkdownIt("commonmark", {"html": True}).render(told)
    assert "<img" not in page
    assert "<a " not in page
    assert "<h1" not in page
    assert page.count("<i>") == 0
    assert "@you" not in page


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("suites/shop/gold.jsonl:12", ("suites/shop/gold.jsonl", 12, "")),
        ("suites/a.yaml:3: sections.gold", ("suites/a.yaml", 3, "")),
        ("harness.yaml: gate.rules[2].metric", ("harness.yaml", None, "gate.rules[2].metric")),
        ("harness.yaml", ("harness.yaml", None, "")),
        ("", ("", None, "")),
    ],
)
def test_the_place_that_an_error_names(where: str, place: tuple[str, int | None, str]) -> None:
    assert named_place(where) == place
