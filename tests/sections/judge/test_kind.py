"""A judged section through the commands: what a user writes, sees and resumes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from harness.config import load_project
from harness.labels.files import answer_digest, cases_digest
from harness.records.verdict import RuleResult, Verdict
from harness.sections.section_kinds import load_suites
from harness.storage import RunFolder
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.sections.judge.judging import (
    COUNT,
    PAIRWISE,
    POINTWISE,
    RULE,
    texts_of,
    verdict,
    write_judged,
)
from tests.shop import write_lines

REPORT = Path("reports/candidate-vs-base")


def judged() -> Verdict:
    return Verdict.model_validate_json((REPORT / "verdict.json").read_bytes())


def rule_of(metric: str = "shop.tell.score") -> RuleResult:
    return next(each for each in judged().rules if each.metric == metric)


def to_judge(mock: ThreadedMock) -> list[dict[str, Any]]:
    return [body for body in mock.server.requests if body["model"].startswith("judge")]


def test_a_gate_asks_the_judge_once_and_promotes_by_its_word(
    project_dir: Path, mock: ThreadedMock, capsys: Any
) -> None:
    write_judged(project_dir, mock)
    assert call("validate") == 0
    assert f"tell: {COUNT} cases in {COUNT} groups, judge judge" in capsys.readouterr().out
    assert call("gate", "candidate") == 0
    found = rule_of()
    assert found.outcome == "pass"
    assert found.baseline == pytest.approx(2.0)
    assert found.definition is not None
    assert found.definition.needs_audit
    assert len(to_judge(mock)) == 2 * COUNT
    report = (REPORT / "report.html").read_text()
    assert "level 2" in report
    assert "Because." in report
    assert call("gate", "candidate") == 0
    assert call("gate", "candidate", "--stored") == 0
    assert len(to_judge(mock)) == 2 * COUNT


def test_a_judge_that_flatters_promotes_by_its_word_alone_and_blocks_audited(
    project_dir: Path, mock: ThreadedMock
) -> None:
    """The judge likes the candidate; people find the baseline's answers right and its own wrong."""
    write_judged(project_dir, mock)
    assert call("gate", "candidate") == 0
    config = Path("harness.yaml")
    trusting = config.read_text()
    config.write_text(trusting.replace("evidence: scorer", ""))
    assert call("gate", "candidate", "--stored") == 4
    assert "evidence: scorer" in rule_of().reason
    audited = trusting.replace("evidence: scorer", "evidence: audited")
    config.write_text("labels: [labels.jsonl]\n" + audited)
    (suite,) = load_suites(load_project(config))
    section = next(one for one in suite.sections if one.name == "tell")
    labels = []
    for target, value in (("base", 1.0), ("candidate", 0.0)):
        (found,) = Path(".harness/runs").glob(f"{target}-*/recorded.json")
        labels += [
            {
                "suite": "shop", "section": "tell", "cases": cases_digest(section),
                "case": each.case, "target": target, "answer": answer_digest(each.text),
                "rater": "anna", "value": value, "probability": 1.0,
                "time": "2026-11-30T09:00:00Z",
            }
            for each in RunFolder(found.parent).load().attempts
            if each.section == "tell"
        ]  # fmt: skip
    write_lines(Path("labels.jsonl"), labels)
    assert call("gate", "candidate", "--stored") == 1
    assert (rule_of().outcome, rule_of().estimate) == ("fail", pytest.approx(-4.0))


def test_a_promoted_candidate_is_held_to_its_verdicts(
    project_dir: Path, mock: ThreadedMock
) -> None:
    write_judged(project_dir, mock)
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "prod") == 0
    config = Path("harness.yaml")
    config.write_text(config.read_text().replace("baseline: base", "baseline: sealed:prod"))
    assert call("gate", "base") == 1
    (path,) = Path("reports").glob("base-vs-sealed-prod")
    found = Verdict.model_validate_json((path / "verdict.json").read_bytes())
    rule = next(each for each in found.rules if each.metric == "shop.tell.score")
    assert (rule.outcome, rule.candidate) == ("fail", pytest.approx(2.0))


def by_text(texts: dict[str, str]) -> str:
    """Prefers the candidate, but calls every fourth case by its place."""
    first, second = texts["first answer"], texts["second answer"]
    if int(first.split(":")[0].split()[-1]) % 4 == 0:
        return verdict("first")
    assert ("candidate" in first) is not ("candidate" in second)
    return verdict("first" if "candidate" in first else "second")


RATE = {**RULE, "metric": "shop.tell.win_rate"}


def test_pairs_are_shown_both_ways_round_and_what_turns_is_a_tie(
    project_dir: Path, mock: ThreadedMock, capsys: Any
) -> None:
    write_judged(project_dir, mock, by_text, PAIRWISE, RATE)
    assert call("run", "candidate") == 0
    assert "left out are the judge's verdicts of shop.tell" in capsys.readouterr().err
    assert not to_judge(mock)
    assert call("gate", "candidate") == 0
    assert len(to_judge(mock)) == 2 * COUNT
    found = rule_of("shop.tell.win_rate")
    turned = COUNT / 4
    assert found.candidate == pytest.approx((COUNT - turned / 2) / COUNT)
    assert (found.baseline, found.outcome) == (0.5, "pass")
    (sign,) = [each for each in judged().warnings if each.code == "judge-order"]
    assert f"in {turned:g} of {COUNT} (25 %) comparisons" in sign.what
    told = [body for body in mock.server.requests if body["model"] == "base"]
    assert sum("Tell" in body["messages"][-1]["content"] for body in told) == COUNT
    assert call("gate", "candidate", "--stored") == 0


def test_a_sealed_baseline_is_half_and_others_are_held_to_its_answers(
    project_dir: Path, mock: ThreadedMock
) -> None:
    write_judged(project_dir, mock, by_text, PAIRWISE, RATE)
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "prod") == 0
    config = Path("harness.yaml")
    config.write_text(config.read_text().replace("baseline: base", "baseline: sealed:prod"))
    assert call("gate", "base") == 1
    (path,) = Path("reports").glob("base-vs-sealed-prod")
    found = Verdict.model_validate_json((path / "verdict.json").read_bytes())
    rule = next(each for each in found.rules if each.metric == "shop.tell.win_rate")
    assert (rule.baseline, rule.outcome) == (0.5, "fail")
    assert rule.candidate == pytest.approx(1 / 8)
    # What base was worth to itself says nothing of it against another baseline, and back.
    config.write_text(config.read_text().replace("baseline: sealed:prod", "baseline: base"))
    assert call("gate", "candidate") == 0


def test_a_jury_is_the_mean_of_its_judges_and_repeats_show_its_noise(
    project_dir: Path, mock: ThreadedMock
) -> None:
    asked: dict[str, int] = {}

    def judge(texts: dict[str, str]) -> str:
        text = texts["answer"]
        asked[text] = asked.get(text, 0) + 1
        return verdict(1 if "base" in text else 3 + asked[text] % 3)

    section = {**POINTWISE, "judge": ["judge", "judge-b"], "judge_repeats": 2}
    write_judged(project_dir, mock, judge, section)
    assert call("gate", "candidate") == 0
    assert len(to_judge(mock)) == 2 * 2 * 2 * COUNT
    (sign,) = [each for each in judged().warnings if each.code == "judge-noise"]
    assert "the jury of 2 gave another verdict in" in sign.what
    assert f"of {4 * COUNT} " in sign.what


@pytest.mark.parametrize(
    "said",
    ["It is helpful, I give it a 5.", "I'm sorry, but I cannot help with that."],
    ids=["prose", "refusal"],
)
def test_a_judge_without_a_verdict_makes_the_evidence_invalid(
    project_dir: Path, mock: ThreadedMock, said: str
) -> None:
    write_judged(project_dir, mock, lambda _: said)
    assert call("gate", "candidate") == 3
    (problem, *_) = judged().problems
    assert "shop.tell" in problem
    assert "no verdict" in problem


def test_a_judge_that_says_the_same_of_everything_is_no_evidence(
    project_dir: Path, mock: ThreadedMock
) -> None:
    write_judged(project_dir, mock, lambda _: verdict(3))
    assert call("gate", "candidate") == 3
    what = f"the judge `judge` judged all {2 * COUNT} answers of both sides alike (3)"
    assert any(what in problem for problem in judged().problems)


def test_a_choice_with_log_probabilities_scores_their_expectation(
    project_dir: Path, mock: ThreadedMock
) -> None:
    told = (("4", math.log(0.5)), ("5", math.log(0.25)), ("3", math.log(0.125)))
    write_judged(project_dir, mock, section={**POINTWISE, "structured": "choice"})
    plain = mock.answer

    def answers(body: dict[str, Any]) -> MockReply | str:
        if not body["model"].startswith("judge"):
            return plain(body)
        low = "candidate" not in texts_of(body)["answer"]
        return MockReply("2" if low else "4", beginnings=() if low else told)

    mock.answer = answers
    assert call("gate", "candidate") == 0
    assert rule_of().candidate == pytest.approx((2 + 1.25 + 0.375) / 0.875)
    assert rule_of().baseline == 2.0
    assert {body["top_logprobs"] for body in to_judge(mock)} == {20}
    others = [body for body in mock.server.requests if not body["model"].startswith("judge")]
    assert not any("top_logprobs" in body for body in others)
    assert call("gate", "candidate", "--stored") == 0


def test_a_candidate_does_not_judge_itself(
    project_dir: Path, mock: ThreadedMock, capsys: Any
) -> None:
    write_judged(project_dir, mock, section={**POINTWISE, "judge": "candidate"})
    assert call("gate", "candidate") == 2
    assert "shop.tell asks the candidate `candidate` to judge" in capsys.readouterr().err
    assert not mock.server.requests
    assert call("run", "candidate") == 2
    assert "the judge `candidate` is the candidate `candidate` itself" in capsys.readouterr().err


def test_a_candidate_under_another_name_does_not_judge_itself(
    project_dir: Path, mock: ThreadedMock, capsys: Any
) -> None:
    write_judged(project_dir, mock, section={**POINTWISE, "judge": "alias"})
    config = Path("harness.yaml")
    alias = "targets:\n  alias: {server: main, model: candidate}"
    config.write_text(config.read_text().replace("targets:", alias, 1))
    assert call("gate", "candidate") == 2
    assert "the judge `alias` is the candidate `candidate` itself" in capsys.readouterr().err


def test_a_baseline_that_judges_is_named(project_dir: Path, mock: ThreadedMock) -> None:
    write_judged(project_dir, mock, section={**POINTWISE, "judge": "base"})
    plain = mock.answer

    def answers(body: dict[str, Any]) -> str:
        return plain({**body, "model": "judge"} if texts_of(body) else body)

    mock.answer = answers
    assert call("gate", "candidate") == 0
    assert [each.code for each in judged().warnings if each.place == "shop.tell"] == ["judge-kin"]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({**POINTWISE, "judge": "jugde"}, "no target `jugde`; did you mean `judge`?"),
        ({**POINTWISE, "judge": ["judge", "judge"]}, "names a judge twice"),
        ({key: POINTWISE[key] for key in ("cases", "scorer", "rubric")}, "judge: missing"),
        ({**POINTWISE, "rubric": {}}, "rubric.criterion: missing"),
        ({**POINTWISE, "rubric": {"criterion": "x", "scale": {}}}, "two levels"),
        ({**POINTWISE, "rubric": {"criterion": "x", "scale": {"5": "good"}}}, "two levels"),
        ({**POINTWISE, "rubric": {"criterion": "x", "scale": {"1": "a", "99": "b"}}}, "11 levels"),
        ({**POINTWISE, "mode": "pairwise"}, "by the criterion alone"),
        ({**POINTWISE, "colour": "red"}, "colour: unknown key"),
    ],
)
def test_what_cannot_be_judged_is_one_line(
    project_dir: Path, mock: ThreadedMock, capsys: Any, section: dict[str, Any], words: str
) -> None:
    write_judged(project_dir, mock, section=section)
    assert call("validate") == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"id": "t", "prompt": "x", "critical": true}', "guards no critical case"),
        ('{"id": "t", "prompt": "x", "expect": {"answers": ["y"]}}', "reads `reference`"),
    ],
)
def test_a_case_that_no_judge_can_judge(
    project_dir: Path, mock: ThreadedMock, capsys: Any, line: str, words: str
) -> None:
    write_judged(project_dir, mock)
    Path("suites/shop/tell.jsonl").write_text(line + "\n")
    assert call("validate") == 2
    said = capsys.readouterr().err
    assert words in said
    assert "tell.jsonl:1" in said
