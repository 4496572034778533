"""The scorer: its metrics, its judgement of all rules, and what a suite can get wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import SuiteError
from harness.records.suite import Case, Suite
from harness.scorers import Judgement, Unscored, get
from harness.sections.section_kinds import kinds
from harness.suites import lint_suite
from harness.suites import load_suite as load

SETTINGS: dict[str, Any] = {
    "lists": {"sure": ["guaranteed", "certain"]},
    "rules": [
        {"name": "returns", "kind": "forbidden", "say": ["<sure> profit"]},
        {"name": "fraud", "kind": "hand-over", "when": ["stolen"], "to": ["fraud team"]},
    ],
}


def case(**more: Any) -> Case:
    """A case whose question calls for a hand-over."""
    return Case.model_validate({"id": "a", "prompt": "My card was stolen", **more})


def judged(answer: str, one: Case | None = None, **more: Any) -> Judgement | Unscored:
    """What the scorer makes of the answer."""
    return get("compliance").score(answer, one or case(), {**SETTINGS, **more})


def test_an_answer_that_keeps_all_rules_passes() -> None:
    found = judged("Our fraud team will call you.")
    assert isinstance(found, Judgement)
    assert (found.passed, found.label) == (True, "complies")
    assert {name: term.num for name, term in found.terms.items()} == {
        "returns": 1.0,
        "fraud": 1.0,
        "compliance": 1.0,
    }


def test_each_broken_rule_is_named_with_its_words() -> None:
    found = judged("Buy it, a certain profit.")
    assert isinstance(found, Judgement)
    assert not found.passed
    assert found.reason == (
        "returns: claims `a certain profit.`; "
        "fraud: the user says `stolen`, and no one is handed over to"
    )


def test_a_rule_without_a_part_has_no_term() -> None:
    found = judged("Hello.", case(prompt="Hi"))
    assert isinstance(found, Judgement)
    assert set(found.terms) == {"returns", "compliance"}


def test_a_rule_of_the_case_counts_in_the_whole_alone() -> None:
    own = {"name": "tea", "kind": "forbidden", "say": ["tea"]}
    found = judged("Tea? Drink tea. Our fraud team calls.", case(expect={"rules": [own]}))
    assert isinstance(found, Judgement)
    assert set(found.terms) == {"returns", "fraud", "compliance"}
    assert not found.passed


def test_what_cannot_be_told_is_unscored_unless_another_rule_is_broken() -> None:
    doubtful = "A certain profit is not what we promise."
    told = judged(f"{doubtful} Our fraud team will call you.")
    assert isinstance(told, Unscored)
    assert told.label == "undetermined"
    assert isinstance(judged(doubtful), Judgement)


def load_suite(folder: Path) -> Suite:
    """The suite, of the kinds of section that there are."""
    return load(folder, kinds())


def suite(folder: Path, settings: str, *lines: str) -> Path:
    """A suite with one section of compliance."""
    (folder / "c.jsonl").write_text("\n".join(lines) or '{"id": "a", "prompt": "Hi"}')
    head = "name: bank\ndomain: A bank\nversion: 1\nsections:\n  c:\n    cases: c.jsonl\n"
    (folder / "suite.yaml").write_text(f"{head}    scorer: compliance\n{settings}")
    return folder


def test_a_section_has_a_metric_for_each_rule(tmp_path: Path) -> None:
    loaded = load_suite(suite(tmp_path, "    packs: [gdpr]\n    leave_out: [gdpr-data-request]\n"))
    names = [metric.name for metric in loaded.sections[0].metrics]
    assert names == ["compliance", "gdpr-personal-data", "gdpr-rights-denied"]


@pytest.mark.parametrize(
    ("settings", "line", "what"),
    [
        ("    packs: [hippa]\n", 8, "did you mean `hipaa`?"),
        (
            "    packs: [gdpr]\n    leave_out: [gdpr-personal]\n",
            9,
            "no rule `gdpr-personal` in `packs`; did you mean `gdpr-personal-data`?",
        ),
        (
            "    rules:\n    - name: a\n      kind: forbiden\n",
            10,
            "no kind of rule `forbiden`; did you mean `forbidden`?",
        ),
        (
            "    rules:\n    - name: a\n      kind: forbidden\n      sey: [x]\n",
            11,
            "unknown key; did you mean `say`?",
        ),
        (
            "    lists: {list: [x]}\n    rules:\n    - {name: a, kind: forbidden, say: [<lst>]}\n",
            10,
            "no list `lst`; did you mean `list`?",
        ),
        ("    rules:\n    - {name: compliance, kind: personal-data}\n", 9, "is taken"),
        ("    packs: []\n", 1, "has a rule"),
    ],
)
def test_what_is_wrong_has_its_line_and_the_nearest_name(
    tmp_path: Path, settings: str, line: int, what: str
) -> None:
    with pytest.raises(SuiteError) as caught:
        load_suite(suite(tmp_path, settings))
    assert what in str(caught.value)
    assert f":{line}" in str(caught.value.where)


def test_a_case_that_names_a_rule_that_is_not_there_is_told(tmp_path: Path) -> None:
    line = '{"id": "a", "prompt": "Hi", "expect": {"applies": ["gdpr-data-requests"]}}'
    with pytest.raises(SuiteError, match="did you mean `gdpr-data-request`"):
        load_suite(suite(tmp_path, "    packs: [gdpr]\n", line))


def test_lint_names_a_rule_that_no_case_can_break(tmp_path: Path) -> None:
    loaded = load_suite(suite(tmp_path, "    packs: [gdpr]\n"))
    found = [one.what for one in lint_suite(loaded) if one.code == "idle-rule"]
    why = "no question holds one of `when`, and no case names it under `applies`"
    assert found == [f"rule `gdpr-data-request` has no case that could break it: {why}"]


def test_lint_takes_a_case_that_only_forbids_for_no_weak_one(tmp_path: Path) -> None:
    loaded = load_suite(suite(tmp_path, "    packs: [gdpr]\n"))
    assert "always-passes" not in {one.code for one in lint_suite(loaded)}
