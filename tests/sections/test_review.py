from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import SuiteError
from harness.labels.files import answer_digest
from harness.records.label import Label
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.sections.review import ReviewSection, agreement, judged
from harness.sections.section_kinds import kinds
from harness.suites import load_suite
from tests.builders import make_run, shop
from tests.labels.builders import label
from tests.shop import suite_yaml, write_project

TWO = {"graded": "gold", "criteria": {"tone": {}, "help": {}}, "at_least": 4}


def load(folder: Path, section: dict[str, Any]) -> tuple[Suite, ReviewSection]:
    write_project(folder, "http://127.0.0.1:1")
    path = folder / "suites/shop/suite.yaml"
    written = suite_yaml()
    written["sections"]["people"] = section
    path.write_text(yaml.safe_dump(written, sort_keys=False))
    suite = load_suite(path, kinds())
    return suite, next(one for one in suite.sections if isinstance(one, ReviewSection))


def said(run: RunRecord, case: str, value: float | None, **given: Any) -> Label:
    text = next(one.text for one in run.attempts if one.case == case)
    reason = "" if value is not None else "unclear"
    usual = {"case": case, "answer": answer_digest(text), "value": value, "reason": reason}
    return label(**(usual | given))


@pytest.fixture
def run(tmp_path: Path) -> RunRecord:
    project, suites = shop(tmp_path / "run")
    return make_run(project, suites, "candidate")


def test_the_metrics_of_each_task(tmp_path: Path) -> None:
    def names(at: str, **section: Any) -> list[str]:
        _, found = load(tmp_path / at, {"graded": "gold", **section})
        return [metric.name for metric in found.metrics]

    assert names("a")[:2] == ["mean", "mean_relevance"]
    assert names("b", criteria={"tone": {}}, at_least=4) == ["mean", "share_at_least"]
    assert names("c", task="label") == ["mean"]
    assert names("d", task="prefer") == ["win_rate"]
    _, found = load(tmp_path / "e", TWO)
    assert (found.metrics[0].unit, found.metrics[0].low, found.metrics[0].high) == ("points", 1, 5)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"graded": "golt"}, "no section `golt`; did you mean `gold`"),
        ({"graded": "people"}, "no section `people`"),
        ({"graded": "gold", "criteria": {}}, "criteria"),
        ({"graded": "gold", "criteria": {"tone": {"levels": []}}}, "levels"),
        ({"graded": "gold", "criteria": {"my tone": {}}}, "criteria"),
        ({"graded": "gold", "criteria": {"tone": {"levels": ["bad"]}}}, "levels"),
        ({"graded": "gold", "task": "label", "criteria": {"tone": {}}}, "task `label` has none"),
        ({"graded": "gold", "task": "prefer", "at_least": 1}, "task `prefer` has no levels"),
        ({"graded": "gold", "at_least": 7}, "at_least: 7 is not above 1 and at most 5"),
        (
            {"graded": "gold", "criteria": {"a": {}, "b": {"levels": ["no", "yes"]}}},
            "different numbers of levels",
        ),
        (
            {
                "graded": "gold",
                "criteria": {"tone": {"examples": [{"answer": "Dude!", "value": 9}]}},
            },
            "an example has the value 9",
        ),
    ],
)
def test_what_is_wrong_with_a_section_is_one_line(
    tmp_path: Path, section: dict[str, Any], message: str
) -> None:
    with pytest.raises(SuiteError) as error:
        load(tmp_path, section)
    assert message in error.value.line
    assert "\n" not in error.value.line


def test_raters_are_averaged_within_an_answer(tmp_path: Path, run: RunRecord) -> None:
    suite, section = load(tmp_path, TWO)
    labels = [
        said(run, "g0", value, rater=rater, criterion=criterion, scale=(1, 5))
        for rater, criterion, value in [
            ("anna", "tone", 5), ("ben", "tone", 4), ("anna", "help", 3), ("ben", "help", None),
            ("anna", "other", 1),
        ]
    ]  # fmt: skip
    (found,) = judged(section, suite, run, labels, "base")
    assert found.value == pytest.approx((4.5 + 3.0) / 2)
    assert found.passed is False
    assert found.terms is not None
    assert {name: term.num for name, term in found.terms.items()} == {
        "mean": 3.75, "share_at_least": 0.0, "mean_tone": 4.5, "mean_help": 3.0}  # fmt: skip
    assert found.text == "It is value 0."
    assert found.reason == "tone 4.5, help 3; 2 raters"


def test_an_answer_stands_for_those_that_were_not_drawn(tmp_path: Path, run: RunRecord) -> None:
    suite, section = load(tmp_path, {"graded": "gold", "task": "label"})
    labels = [said(run, "g0", 1.0, probability=0.5), said(run, "g1", 0.0, probability=0.25)]
    weights = [one.terms["mean"].den for one in judged(section, suite, run, labels, None)]
    assert weights == [1.0, 2.0]


def test_the_win_rate_is_that_against_the_baseline(tmp_path: Path, run: RunRecord) -> None:
    suite, section = load(tmp_path, {"graded": "gold", "task": "prefer"})
    labels = [
        said(run, "g0", value, criterion=f"preferred-over-{other}", rater=rater)
        for rater, other, value in [("anna", "base", 1.0), ("ben", "base", 0.5), ("cy", "else", 0)]
    ]
    (found,) = judged(section, suite, run, labels, "base")
    assert found.value == 0.75
    (own,) = judged(section, suite, run, labels, "candidate")
    assert own.value == 0.5


def test_agreement_is_that_of_all_answers_of_the_section(tmp_path: Path, run: RunRecord) -> None:
    suite, section = load(tmp_path, TWO)
    labels = [
        said(run, f"g{case}", value, rater=rater, criterion="tone", scale=(1, 5), target=target)
        for case, target, values in [(0, "candidate", (5, 4)), (1, "base", (1, 1)),
                                     (2, "base", (2, 2))]
        for rater, value in zip(("anna", "ben"), values, strict=True)
    ]  # fmt: skip
    # Nobody said anything of the other criterion, so that of the mean is not known.
    assert set(agreement(section, suite, labels, "base")) == {"mean_tone"}
    alike = [label.model_copy(update={"criterion": "help"}) for label in labels]
    found = agreement(section, suite, labels + alike, "base")
    assert set(found) == {"mean", "share_at_least", "mean_tone", "mean_help"}
    assert 0.5 < found["mean"] < 1.0
