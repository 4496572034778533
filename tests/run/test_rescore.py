"""Runs from stored answers alone: nothing is asked, and nothing is made up."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config import Project, load_project
from harness.errors import EvidenceError, UsageError
from harness.records.suite import Suite
from harness.run.plan import Selection
from harness.run.rescore import header_on, rescore, restricted_run, scored_again
from harness.run.score import fingerprint
from harness.sections.section_kinds import load_suites
from tests.builders import changed, make_run, shop
from tests.cli.builders import call
from tests.conftest import ThreadedMock


@pytest.fixture
def stored(project_dir: Path, mock: ThreadedMock) -> Project:
    """A project with a finished run of `base`."""
    assert call("run", "base") == 0
    mock.server.requests.clear()
    return load_project(project_dir / "harness.yaml")


def test_another_expectation_is_scored_anew_and_nothing_is_asked(
    stored: Project, mock: ThreadedMock
) -> None:
    gold = stored.root / "suites/shop/gold.jsonl"
    before = rescore(stored, ["base"], load_suites(stored))["base"].summary.metrics
    gold.write_text(gold.read_text().replace("value 4", "another value"))
    after = rescore(stored, ["base", "base"], load_suites(stored))
    assert list(after) == ["base"]
    found = after["base"].summary.metrics
    lost = 1 / 40
    assert found["shop.gold.accuracy"] == pytest.approx(before["shop.gold.accuracy"] - lost)
    assert mock.server.requests == []


def test_another_prompt_has_no_stored_answer(stored: Project) -> None:
    gold = stored.root / "suites/shop/gold.jsonl"
    gold.write_text(gold.read_text().replace("What is fact 8?", "What was fact 8?"))
    suites = load_suites(stored)
    with pytest.raises(EvidenceError) as caught:
        rescore(stored, ["base"], suites)
    assert caught.value.what == (
        "`base` has no stored answer for 1 of 80 cases, shop/gold/g8 among them"
    )
    assert caught.value.hint == "`harness run base` asks for what is missing"
    part = rescore(stored, ["base"], suites, Selection(cases=("g7",)))["base"]
    assert [score.case for score in part.scores] == ["g7"]


def test_a_target_that_never_ran_or_is_another_now_has_no_run(stored: Project) -> None:
    suites = load_suites(stored)
    with pytest.raises(EvidenceError, match="`candidate` has no finished run as it is configured"):
        rescore(stored, ["candidate"], suites)
    with pytest.raises(UsageError, match="no target `nobody`"):
        rescore(stored, ["nobody"], suites)
    config = stored.root / "harness.yaml"
    config.write_text(config.read_text().replace("model: base", "model: other"))
    with pytest.raises(EvidenceError, match="`base` has no finished run as it is configured now"):
        rescore(load_project(config), ["base"], suites)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Project, tuple[Suite, ...]]:
    """A project of two suites alike but for their name."""
    shop(tmp_path)
    second = tmp_path / "suites/second"
    shutil.copytree(tmp_path / "suites/shop", second)
    yaml = second / "suite.yaml"
    yaml.write_text(yaml.read_text().replace("name: shop", "name: second"))
    config = tmp_path / "harness.yaml"
    config.write_text(config.read_text().replace("- suites/shop", "- suites/shop\n- suites/second"))
    project = load_project(config)
    return project, load_suites(project)


def test_a_part_of_a_run_is_the_run_of_that_part(two: tuple[Project, tuple[Suite, ...]]) -> None:
    project, suites = two
    whole = make_run(project, suites, "base")
    alone = make_run(project, suites[:1], "base")
    found = restricted_run(changed(whole, selection={"suite": "shop", "limit": "3"}), suites[:1])
    assert {item.suite for item in found.attempts} == {"shop"}
    assert list(found.scores) == list(alone.scores)
    assert found.header.planned == alone.header.planned == 80
    assert found.header.suites == alone.header.suites
    assert found.header.system_prompts == alone.header.system_prompts
    assert found.header.sections == alone.header.sections
    assert found.header.selection == {"limit": "3"}
    assert found.header.summary is None


def test_scores_stand_only_where_the_same_scorers_gave_them(
    two: tuple[Project, tuple[Suite, ...]],
) -> None:
    project, suites = two
    made = make_run(project, suites, "base")
    forged = tuple(score.model_copy(update={"label": "by hand"}) for score in made.scores)
    whole = replace(made, scores=forged)
    stands = restricted_run(changed(whole, scorers=fingerprint(suites[:1])), suites[:1])
    again = restricted_run(changed(whole, scorers="sha256:others"), suites[:1])
    assert {score.label for score in stands.scores} == {"by hand"}
    assert "by hand" not in {score.label for score in again.scores}


def test_an_answer_to_a_case_that_is_gone_has_no_score(
    two: tuple[Project, tuple[Suite, ...]], tmp_path: Path
) -> None:
    project, suites = two
    run = make_run(project, suites[:1], "base")
    gold = tmp_path / "suites/shop/gold.jsonl"
    gold.write_text("".join(gold.read_text().splitlines(keepends=True)[1:]))
    scores = list(scored_again(load_suites(project), {item.key: item for item in run.attempts}))
    assert len(scores) == len(run.scores) - 1
    assert "g0" not in {score.case for score in scores}


def test_a_header_on_nothing_plans_nothing(two: tuple[Project, tuple[Suite, ...]]) -> None:
    project, suites = two
    header = header_on(make_run(project, suites, "base").header, set())
    assert (header.planned, header.sections, header.suites) == (0, (), {})
