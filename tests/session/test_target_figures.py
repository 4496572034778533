"""What a target's answers took, and how they rest on the passages that they were given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from harness.config import load_project
from harness.records.attempt import Attempt, Passage, Timing, Usage
from harness.records.cost import Asking, Price
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.sections.section_kinds import load_suites
from harness.session.target_figures import source_lines, target_figures
from tests.builders import make_run, shop
from tests.shop import config, gold_cases, write_lines, write_project

PASSAGE = Passage(id="a.md#fact", score=1.0, text="Fact\nIt is 12 days.")


def changed(run: RunRecord, *, retrieval: str | None) -> RunRecord:
    """Each answer took 0.1 s more than the one before, and the first is not in the passage."""
    identity = run.header.identity.model_copy(update={"retrieval": retrieval})
    price = Price(input=1.0, output=2.0)
    header = run.header.model_copy(update={"identity": identity, "asking": Asking(price=price)})
    attempts = [
        one.model_copy(
            update={
                "text": "It is 13 days." if place == 0 else "It is 12 days.",
                "passages": (PASSAGE,) if retrieval else (),
                "usage": Usage(prompt_tokens=100, completion_tokens=10),
                "timing": Timing(sent=0.0, chunks=(0.1 * (place + 1),), done=2.0),
            }
        )
        for place, one in enumerate(run.attempts)
    ]
    return replace(run, header=header, attempts=tuple(attempts))


Made = tuple[RunRecord, tuple[Suite, ...]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    project, suites = shop(tmp_path)
    return make_run(project, suites, "candidate"), suites


def test_tokens_and_cost_are_an_answers(made: Made) -> None:
    run, suites = made
    found = target_figures(changed(run, retrieval=None), suites)
    assert (found.tokens_in, found.tokens_out) == (100.0, 10.0)
    assert found.per_thousand == pytest.approx(1000 * (100 + 20) / 1e6)
    assert found.ttft_p50 == pytest.approx(0.1 * ((len(run.attempts) + 1) // 2))
    assert (found.grounded, found.judged, found.recall, found.sourced) == (None, 0, None, 0)


def test_with_passages_answers_are_held_against_them(made: Made) -> None:
    run, suites = made
    found = target_figures(changed(run, retrieval="1 passage"), suites)
    count = len(run.attempts)
    assert found.judged == count
    assert found.grounded == pytest.approx((count - 1) / count)


def test_a_cut_off_answer_is_not_judged(made: Made) -> None:
    run, suites = made
    run = changed(run, retrieval="1 passage")
    cut: Attempt = next(iter(run.attempts)).model_copy(update={"finish_reason": "length"})
    rest = list(run.attempts)[1:]
    found = target_figures(replace(run, attempts=(cut, *rest)), suites)
    assert (found.grounded, found.judged) == (1.0, len(rest))


def test_sources_are_looked_for_among_the_passages(made: Made) -> None:
    run, suites = made
    suite = suites[0]
    section = suite.sections[0]
    named = [
        case.model_copy(update={"sources": ("a.md", "b.md") if place == 0 else ()})
        for place, case in enumerate(section.cases)
    ]
    section = section.model_copy(update={"cases": named})
    suite = suite.model_copy(update={"sections": (section, *suite.sections[1:])})
    found = target_figures(changed(run, retrieval="1 passage"), (suite,))
    assert (found.recall, found.sourced) == (0.5, 1)


@pytest.mark.parametrize(("source", "lines"), [("facts.md", 0), ("value  1", 0), ("gone", 1)])
def test_a_source_that_no_document_holds_is_told(tmp_path: Path, source: str, lines: int) -> None:
    write_project(tmp_path, "http://unused")
    (tmp_path / "facts.md").write_text("Fact 1 is value 1.")
    settings = config("http://unused")
    settings["targets"]["base"]["retrieval"] = {"documents": "facts.md"}
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(settings))
    first, *rest = gold_cases()
    write_lines(tmp_path / "suites/shop/gold.jsonl", [{**first, "sources": [source]}, *rest])
    project = load_project(tmp_path / "harness.yaml")
    found = list(source_lines(project, load_suites(project)))
    assert len(found) == lines
    for line, warning in found:
        assert warning
        assert "1 of 1 source of cases are in no passage" in line
        assert line.endswith("the first is `gone` of shop/gold/g0")
