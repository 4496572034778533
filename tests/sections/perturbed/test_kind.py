"""Sections with variants: what a user writes, what is asked, and what comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config import load_project
from harness.errors import SuiteError
from harness.receipt.dsse import ReceiptRejected
from harness.receipt.evidence import OfCase, RecordedLine, read_evidence
from harness.receipt.recompute import Checked, check_scores, sealed_suites
from harness.records.recording import RecordedCase
from harness.records.verdict import Verdict
from harness.sections.perturbed.gaps import gaps
from harness.sections.perturbed.section import PerturbedSection
from harness.sections.section_kinds import load_suites
from harness.storage import RunFolder
from tests.cli.builders import call
from tests.shop import suite_yaml

CLEAN = "What does a tent cost to rent?"
FORMS = {"perturb": ["emoji", "casing"]}


def write(folder: Path, **keys: Any) -> None:
    """The shop's project, its section `gold` of a few questions with those keys."""
    written = suite_yaml()
    written["sections"]["gold"] = {"cases": "gold.jsonl", "scorer": "gold", **keys}
    (folder / "suites/shop/suite.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    lines = [
        {"id": f"rent-{n}", "group": f"rent-{n}", "prompt": CLEAN.replace("tent", thing),
         "expect": {"answers": ["value"]}, "critical": n == 0}
        for n, thing in enumerate(["tent", "kayak", "bike", "stove", "map", "rope"])
    ]  # fmt: skip
    (folder / "suites/shop/gold.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    config = yaml.safe_load((folder / "harness.yaml").read_text())
    config["gate"]["rules"] = [
        {"metric": "shop.scope.answer_rate", "require": "no_worse_than_baseline", "margin": 0.9}
    ]
    (folder / "harness.yaml").write_text(yaml.safe_dump(config))


def section() -> PerturbedSection:
    (suite,) = load_suites(load_project(Path("harness.yaml")))
    found = next(one for one in suite.sections if one.name == "gold")
    assert isinstance(found, PerturbedSection)
    return found


def recorded(target: str) -> dict[str, RecordedCase]:
    runs = [RunFolder(run).recording() for run in Path(".harness/runs").glob(f"{target}-*")]
    (recording,) = [one for one in runs if one is not None]
    return {one.case.id: one for one in recording.sections[0].cases}


def answers(mock: Any, wrong: str) -> None:
    """The candidate answers questions of the shop wrongly where they hold that text."""
    usual = mock.answer

    def answer(body: dict[str, Any]) -> str:
        prompt = body["messages"][-1]["content"]
        if "rent" not in prompt.lower():
            return usual(body)
        lost = body["model"] == "candidate" and wrong in prompt
        return "It has another price." if lost else f"It is the value, says {body['model']}."

    mock.answer = answer


def test_a_section_says_what_its_variants_add(project_dir: Path, capsys: Any) -> None:
    write(project_dir, perturb=["emoji", "casing", "reorder"])
    assert call("validate") == 0
    said = capsys.readouterr().out
    assert "6 cases in 6 groups, gold, and 12 variants to ask (6 would change nothing)" in said
    names = [metric.name for metric in section().metrics]
    assert names == ["accuracy", "f1", "worst", "consistency", "drop", "emoji", "casing"]


def test_variants_are_the_same_each_time_and_others_with_another_seed(project_dir: Path) -> None:
    texts = []
    for seed in (0, 0, 1):
        write(project_dir, perturb=["emoji", "typos"], perturb_seed=seed)
        found = section()
        variants = [one.case for case in found.cases for one in found.variants(case)]
        assert {one.group for one in variants} == {case.group for case in found.cases}
        texts.append([one.messages[-1].content for one in variants])
    assert texts[0] == texts[1] != texts[2]


def test_what_is_to_be_asked_as_written_has_no_variants(project_dir: Path) -> None:
    write(project_dir, **FORMS)
    found = section()
    case = found.cases[0]
    assert found.variants(case)
    assert not found.variants(case.model_copy(update={"tags": ("as-written",)}))
    message = case.messages[0].model_copy(update={"content": "How do you spell it?"})
    assert not found.variants(case.model_copy(update={"messages": (message,)}))


def test_each_metric_of_a_case_that_is_lost_in_one_form(project_dir: Path, mock: Any) -> None:
    write(project_dir, **FORMS)
    lost = next(one.case.messages[-1].content for one in section().variants(section().cases[0]))
    answers(mock, lost)
    assert call("gate", "candidate") in (0, 1, 3, 4)
    ours, theirs = recorded("candidate"), recorded("base")
    summary = {name: term.num for name, term in ours["rent-0~forms"].score.terms.items()}
    assert summary == {"worst": 0.0, "consistency": 0.5, "drop": 0.5}
    kept = {name: term.num for name, term in theirs["rent-0~forms"].score.terms.items()}
    assert kept == {"worst": 1.0, "consistency": 1.0, "drop": 0.0}
    assert list(ours["rent-0"].score.terms) == ["f1", "accuracy"]
    assert ours["rent-0~emoji"].score.terms["emoji"].num == 0.0
    assert ours["rent-0~emoji"].score.critical
    assert not ours["rent-0~forms"].score.critical
    assert lost in (ours["rent-0~forms"].attempt.text or "")
    verdict = Verdict.model_validate_json(
        (project_dir / "reports/candidate-vs-base/verdict.json").read_bytes()
    )
    assert verdict.accounting.planned == 40 + 6 * 4
    assert (
        "as written (right)" in (project_dir / "reports/candidate-vs-base/report.html").read_text()
    )
    report = (project_dir / "reports/candidate-vs-base/report.md").read_text()
    row = next(
        line for line in report.splitlines() if line.startswith("|") and "gold.emoji" in line
    )
    shares = [cell.split()[0] for cell in row.split("|")[2:6]]
    assert shares == ["100%", "83.3%", "100%", "100%"]
    before = len(mock.server.requests)
    call("gate", "candidate")
    assert len(mock.server.requests) == before, "all of it is stored"


def test_a_receipt_works_variants_out_again(
    project_dir: Path, mock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project_dir, **FORMS, counterfactual=["pronouns"])
    answers(mock, "nothing")
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate") == 0
    capsys.readouterr()
    path = project_dir / "baselines/candidate.unsigned.intoto.jsonl"
    assert call("verify", str(path)) == 0
    assert "not scored again" not in capsys.readouterr().out
    records = (project_dir / "baselines/candidate.evidence.jsonl").read_bytes().splitlines()
    evidence = read_evidence(records, "evidence")

    def check(*cases: OfCase, whole: bool) -> Checked:
        with sealed_suites(evidence, "evidence") as suites:
            return check_scores(cases, evidence, suites, "evidence", whole=whole)

    assert check(*evidence.cases, whole=True) == (len(evidence.cases), 0)
    mine = {
        line.case.case.id: line
        for line in evidence.cases
        if isinstance(line, RecordedLine) and line.side == "candidate"
    }
    # A result of several answers stands where one of them was not drawn.
    drawn = [mine[name] for name in ("rent-0", "rent-0~emoji", "rent-0~forms")]
    assert check(*drawn, whole=False) == (2, 1)
    with pytest.raises(ReceiptRejected, match="rent-0~forms follows from no answer"):
        check(*drawn, whole=True)
    for name in ("rent-0~emoji", "rent-0~forms", "rent-0~askers"):
        line = mine[name]
        lost = line.case.score.model_copy(update={"value": 0.5})
        forged = line.model_copy(update={"case": line.case.model_copy(update={"score": lost})})
        others = [one for one in evidence.cases if one is not line]
        with pytest.raises(ReceiptRejected, match=f"{name} does not follow from its answers"):
            check(*others, forged, whole=True)


def test_who_asks_is_seen_in_the_gap(project_dir: Path, mock: Any) -> None:
    write(project_dir, counterfactual=["pronouns"])
    answers(mock, "she and her")
    call("gate", "candidate")
    ours, theirs = recorded("candidate")["rent-1~askers"], recorded("base")["rent-1~askers"]
    assert ours.score.terms["correctness_gap"].num == 1.0
    assert ours.score.terms["gap"].num == 1.0
    assert theirs.score.terms["gap"].num == 0.0
    assert recorded("candidate")["rent-1~pronouns-she"].score.terms["pronouns-she"].num == 0.0


def test_a_variant_without_a_score_leaves_the_case_without_one(
    project_dir: Path, mock: Any
) -> None:
    write(project_dir, **FORMS)
    first = section().variants(section().cases[0])[0].case.messages[-1].content
    answers(mock, "nothing")
    usual = mock.answer
    mock.answer = lambda body: "" if body["messages"][-1]["content"] == first else usual(body)
    call("gate", "candidate")
    found = recorded("candidate")
    assert found["rent-0"].score.status == "scored"
    assert found["rent-0~forms"].score.status == "unscored"
    assert "rent-0~emoji" in found["rent-0~forms"].score.reason


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"perturb": ["typoes"]}, "perturb: no perturbation `typoes`; did you mean `typos`?"),
        ({"counterfactual": ["nams"]}, "no counterfactual `nams`; did you mean `names`?"),
        ({"perturb": []}, "perturb: names nothing"),
        ({"perturb": ["emoji", "emoji"]}, "perturb: names `emoji` twice"),
        ({"perturb": ["reorder"]}, "perturb: changes none of its cases"),
        ({**FORMS, "metrics": ["worts"]}, "there is no `worts`; did you mean `worst`?"),
        ({**FORMS, "scorer": "judge"}, "perturb: only a section of `cases` with a `scorer`"),
        ({**FORMS, "scorer": "gald"}, "no scorer `gald`"),
        ({**FORMS, "title": {"gap": "Gaps"}}, "title: no metric `gap` here"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(project_dir: Path, keys: dict[str, Any], line: str) -> None:
    write(project_dir, **keys)
    with pytest.raises(SuiteError) as error:
        section()
    assert line in str(error.value)


def test_metrics_that_are_asked_for_alone(project_dir: Path) -> None:
    write(project_dir, **FORMS, metrics=["worst", "drop"], title="Robust")
    found = section()
    assert [metric.name for metric in found.metrics] == ["worst", "drop"]
    assert found.titles == {"worst": "Robust", "drop": "Robust"}


def test_a_section_of_tests_has_no_variants(project_dir: Path) -> None:
    write(project_dir)
    path = project_dir / "suites/shop/suite.yaml"
    written = yaml.safe_load(path.read_text())
    written["sections"]["code"] = {"tests": "test_x.py", "perturb": ["typos"]}
    path.write_text(yaml.safe_dump(written))
    with pytest.raises(SuiteError, match="only a section of `cases`"):
        load_suites(load_project(Path("harness.yaml")))


def test_gaps_are_told_in_each_respect() -> None:
    texts = ["Hello, the price is 3 dollars.", "I'm sorry, but I can't help with that."]
    found = gaps("What does it cost?", texts, [1.0, 0.0])
    assert found["correctness_gap"] == found["refusal_gap"] == found["gap"] == 1.0
    assert 0.0 < found["length_gap"] < 1.0
    assert found["tone_gap"] == pytest.approx(2 / 5)
    assert set(gaps("Why?", ["So.", "So."], [1.0, 1.0]).values()) == {0.0}
