from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.config import Project
from harness.errors import UsageError
from harness.records.plan import Plan
from harness.records.suite import Suite
from harness.records.target import Identity
from harness.run.plan import Selection, plan
from harness.sections.section_kinds import load_suites
from tests.builders import identity, shop


def keys(planned: Plan) -> set[str]:
    return {ask.key for ask in planned.requests}


def test_the_same_content_is_the_same_run_and_every_ask_has_a_key_of_its_own(
    tmp_path: Path,
) -> None:
    project, suites = shop(tmp_path)
    one, two = (plan(project, "base", suites, identity("base")) for _ in range(2))
    assert (one.run_id, list(one.requests)) == (two.run_id, list(two.requests))
    assert len(keys(one)) == len(one.requests) == 80
    assert one.requests[0].messages[0].content == "You are the shop's assistant."


@pytest.mark.parametrize("field", ["server", "server_version", "model", "weights", "adapter",
                                   "chat_template"])  # fmt: skip
def test_a_change_in_what_answers_changes_every_key(tmp_path: Path, field: str) -> None:
    project, suites = shop(tmp_path)
    before = identity("base")
    after = Identity(**{**before.model_dump(), field: "sha256:other"})
    one, two = (plan(project, "base", suites, who) for who in (before, after))
    assert not keys(one) & keys(two)
    assert one.run_id != two.run_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("concurrency: 8", "concurrency: 8\n  temperature: 0.5"),
        ("concurrency: 8", "concurrency: 8\n  max_tokens: 9"),
        ("concurrency: 8", "concurrency: 8\n  seed: 9"),
        ("concurrency: 8", "concurrency: 8\n  top_p: 0.5"),
        ("model: base", "model: base\n    system_prompt: Be rude."),
    ],
)
def test_a_change_in_how_it_is_asked_changes_every_key(tmp_path: Path, old: str, new: str) -> None:
    from harness.config import load_project

    project, suites = shop(tmp_path)
    one = plan(project, "base", suites, identity("base"))
    path = tmp_path / "harness.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    two = plan(load_project(path), "base", suites, identity("base"))
    assert not keys(one) & keys(two)


def test_concurrency_changes_no_key(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    one = plan(project, "base", suites, identity("base"))
    two = plan(project, "base", suites, identity("base"), Selection(concurrency=3))
    assert one.run_id == two.run_id


def test_a_changed_case_changes_its_own_key_alone(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    one = plan(project, "base", suites, identity("base"))
    path = tmp_path / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace("What is fact 7?", "What was fact 7?"))
    two = plan(project, "base", load_suites(project), identity("base"))
    assert len(keys(one) & keys(two)) == 79
    assert one.run_id != two.run_id


def test_repeats_have_seeds_of_their_own(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    planned = plan(project, "base", suites, identity("base"), Selection(repeats=3))
    assert [ask.seed for ask in planned.requests[:3]] == [0, 1, 2]
    assert len(keys(planned)) == 240


def test_a_selection_is_said_and_an_empty_one_is_an_error(tmp_path: Path) -> None:
    project, suites = shop(tmp_path)
    part = plan(project, "base", suites, identity("base"), Selection(cases=("g3",), limit=5))
    assert [ask.case.id for ask in part.requests] == ["g3"]
    assert part.selection == {"case": "g3", "limit": "5"}
    limited = plan(project, "base", suites, identity("base"), Selection(limit=2))
    assert [ask.case.id for ask in limited.requests] == ["g0", "g1", "s0", "s1"]
    with pytest.raises(UsageError, match="no case `nope`"):
        plan(project, "base", suites, identity("base"), Selection(cases=("nope",)))


@pytest.fixture(scope="module")
def shop_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, tuple[Suite, ...]]:
    return shop(tmp_path_factory.mktemp("shop"))


@given(data=st.data())
@settings(max_examples=25)
def test_an_ask_by_its_place_is_the_one_met_on_the_way(
    shop_once: tuple[Project, tuple[Suite, ...]], data: st.DataObject
) -> None:
    """Also where a selection leaves gaps, and wherever a section ends."""
    project, suites = shop_once
    cases = data.draw(st.lists(st.sampled_from([f"{kind}{i}" for kind in "gs" for i in range(40)])))
    chosen = Selection(
        cases=tuple(cases),
        limit=data.draw(st.none() | st.integers(1, 50)),
        repeats=data.draw(st.integers(1, 3)),
    )
    asks = plan(project, "base", suites, identity("base"), chosen).requests
    met = list(asks)
    assert [asks[place] for place in range(len(asks))] == asks[:] == met
    assert [asks[place - len(asks)] for place in range(len(asks))] == met
    assert list(asks.each_key()) == [ask.key for ask in met]
    assert sum(asks.counts.values()) == len(met) == len({ask.key for ask in met})
    with pytest.raises(IndexError):
        asks[len(asks)]
