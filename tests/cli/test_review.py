"""`harness review` from the stored answers to a verdict that people's labels decide."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml

from harness.review.store import ReviewStore
from tests.cli.builders import call, edit_case
from tests.conftest import ThreadedMock
from tests.sections.judge.judging import RULE, write_judged
from tests.shop import config, suite_yaml, write_project


@pytest.fixture
def project(tmp_path: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_project(tmp_path, mock.url)
    suite = suite_yaml()
    suite["sections"]["people"] = {"graded": "gold", "criteria": {"help": {}}, "at_least": 4}
    (tmp_path / "suites/shop/suite.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    written = config(mock.url)
    written["labels"] = ["labels/*.jsonl"]
    written["gate"]["rules"] = [
        {"metric": "shop.people.mean", "require": "better_than_baseline", "by": 1.0}
    ]
    (tmp_path / "harness.yaml").write_text(yaml.safe_dump(written))
    monkeypatch.chdir(tmp_path)
    # The page itself is served in tests of its own.
    monkeypatch.setattr("harness.cli.review.serve", lambda *_: None)
    return tmp_path


def grade(store: ReviewStore) -> None:
    """Two people find right answers good, and the others poor."""
    for rater in store.raters():
        for place in range(1, store.progress(rater.id).total + 1):
            sheet = store.sheet(rater.id, place)
            assert sheet is not None
            right = "value" in sheet.item.answers[0].text
            now = (float(place), "2026-01-01T00:00:00Z")
            code = "5" if right else "1" if rater.id == 1 else "2"
            store.choose(sheet, {"help": (code, "")}, 1, now)


def test_people_decide_a_rule(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "base", "candidate") == 0
    draw = ("review", "candidate", "--section", "shop.gold", "--items", "200", "--raters", "2")
    assert call(*draw) == 0
    grade(ReviewStore(project / ".harness/review/candidate-grade.sqlite"))
    capsys.readouterr()
    file = "labels/people.jsonl"
    assert call("review", "candidate", "--status", "--export", file, "--json") == 0
    status = json.loads(capsys.readouterr().out)
    assert status["agreement"][0]["criterion"] == "help"
    assert {one["done"] for one in status["raters"]} == {one["total"] for one in status["raters"]}
    assert call("gate", "candidate", "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    (rule,) = [one for one in verdict["rules"] if one["metric"] == "shop.people.mean"]
    assert (rule["candidate"], rule["n"]) == (5.0, 40)
    config = yaml.safe_load((project / "harness.yaml").read_text())
    for least, code in ((0.5, 0), (0.99, 3)):
        config["gate"]["rules"][0]["min_agreement"] = least
        (project / "harness.yaml").write_text(yaml.safe_dump(config))
        capsys.readouterr()
        assert call("gate", "candidate", "--json") == code
    rule = json.loads(capsys.readouterr().out)["rules"][0]
    assert "people agree too little on shop.people.mean" in rule["reason"]
    del config["gate"]["rules"][0]["min_agreement"]
    (project / "harness.yaml").write_text(yaml.safe_dump(config))
    # A label that is edited makes people say something else.
    labels = (project / file).read_text()
    (project / file).write_text(labels.replace('"value":5.0', '"value":1.0'))
    assert call("gate", "candidate", "--json") == 1


def label_answers(project: Path, name: str, rights: dict[str, str]) -> None:
    """All raters of a review label each answer by what its target's answers are worth."""
    store = ReviewStore(project / f".harness/review/{name}.sqlite")
    for rater in store.raters():
        for place in range(1, store.progress(rater.id).total + 1):
            sheet = store.sheet(rater.id, place)
            assert sheet is not None
            (answer,) = sheet.item.answers
            code = {"correct": (rights[answer.target], "")}
            store.choose(sheet, code, 1, (float(place), "2026-01-01T00:00:00Z"))


def test_people_audit_a_judge_that_flatters(
    tmp_path: Path,
    mock: ThreadedMock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the review's page to `calibrate` and a rule, by the judge's own rubric."""
    write_project(tmp_path, mock.url)
    rule = {**RULE, "require": "no_worse_than_baseline", "margin": 0.5, "evidence": "audited"}
    write_judged(tmp_path, mock, rule=rule)
    path = tmp_path / "harness.yaml"
    path.write_text(f"labels: [labels/*.jsonl]\n{path.read_text()}")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/none.jsonl").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("harness.cli.review.serve", lambda *_: None)
    assert call("run", "base", "candidate") == 0
    for name, seed in (("first", "1"), ("second", "2")):
        audit = ("review", "candidate", "--audit", "shop.tell", "--name", name, "--seed", seed)
        assert call(*audit, "--items", "24", "--again", "0") == 0
        assert "the sides differ: 12 of 24 groups" in capsys.readouterr().out
        label_answers(tmp_path, name, {"base": "4", "candidate": "0"})
        assert call("review", "candidate", "--name", name, "--export", f"labels/{name}.jsonl") == 0
    capsys.readouterr()
    assert call("gate", "candidate", "--json") == 1
    (found,) = [
        one
        for one in json.loads(capsys.readouterr().out)["rules"]
        if one["metric"] == RULE["metric"]
    ]
    assert (found["outcome"], found["estimate"]) == ("fail", pytest.approx(-4.0))
    assert "by 3 raters" in found["reason"]
    assert call("calibrate", "shop.tell", "candidate") == 0
    assert "the scorer favours candidate" in capsys.readouterr().out


def test_without_labels_a_gate_says_what_to_do(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "labels").mkdir()
    (project / "labels/none.jsonl").write_text("")
    assert call("gate", "candidate") == 3
    assert "people grade them with `harness review`" in capsys.readouterr().err


@pytest.fixture
def optional(project: Path) -> Path:
    """The project with a section of people's judgements that no rule goes by."""
    suite = project / "suites/shop/suite.yaml"
    suite.write_text(suite.read_text().replace("graded: gold", "graded: gold\n    optional: true"))
    written = yaml.safe_load((project / "harness.yaml").read_text())
    written["gate"]["rules"] = [
        {"metric": "shop.gold.accuracy", "require": "better_than_baseline", "by": 0.1}
    ]
    (project / "harness.yaml").write_text(yaml.safe_dump(written))
    return project


@pytest.mark.parametrize("known", ["none", "the candidate's", "both"])
def test_an_optional_section_is_of_the_answers_that_both_sides_have_labels_of(
    optional: Path, known: str, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = optional / "labels/people.jsonl"
    assert call("run", "base", "candidate") == 0
    assert call("review", "candidate", "--section", "shop.gold", "--items", "8") == 0
    grade(ReviewStore(optional / ".harness/review/candidate-grade.sqlite"))
    assert call("review", "candidate", "--export", str(labels)) == 0
    lines = labels.read_text().splitlines(keepends=True)
    if known != "both":  # the labels of other answers, as another training would give
        lost = lines if known == "none" else [one for one in lines if '"target":"base"' in one]
        lines = [
            one.replace('"answer":"sha256:', '"answer":"sha256:0') if one in lost else one
            for one in lines
        ]
        labels.write_text("".join(lines))
    capsys.readouterr()
    assert call("gate", "candidate", "--json") == 0
    out, err = capsys.readouterr()
    verdict = json.loads(out)
    assert verdict["problems"] == []
    assert verdict["metrics_compared"] == (8 if known == "both" else 6)
    assert ("of an answer that has changed" in err) is (known != "both")


def test_a_rule_on_an_optional_section_is_refused(
    optional: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (optional / "harness.yaml").read_text()
    (optional / "harness.yaml").write_text(text.replace("shop.gold.accuracy", "shop.people.mean"))
    assert call("validate") == 2
    assert "shop.people is optional, so that a gate may have no" in capsys.readouterr().err


def test_labels_of_answers_that_changed_are_not_used(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "candidate") == 0
    assert call("review", "candidate", "--section", "shop.gold", "--items", "4") == 0
    grade(ReviewStore(project / ".harness/review/candidate-grade.sqlite"))
    assert call("review", "candidate", "--export", "labels/people.jsonl") == 0
    edit_case(project, 3)
    assert call("gate", "candidate") == 3
    assert "of another version of the section's cases" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("candidate", 2, "`candidate` has no stored answers"),
        ("nobody", 2, "no target `nobody`"),
        ("candidate --status", 2, "no such review"),
        ("candidate --name ../x", 2, "is no name of a review"),
        ("candidate --task prefer --alone", 2, "needs another target"),
        ("candidate --alone --against base", 2, "exclude each other"),
        ("candidate --rater a --rater A", 2, "two people have one name"),
        ("candidate --rater \t", 2, "is no name of a person"),
        ("candidate --rater a", 2, "has no stored answers"),
        ("candidate --audit shop.gold --section shop.gold", 2, "exclude each other"),
        ("candidate --audit shop.gold", 2, "has no stored answers"),
    ],
)
def test_what_cannot_be_reviewed_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: str, code: int, message: str
) -> None:
    assert call("review", *arguments.split(" ")) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_draw_is_made_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("run", "base", "candidate") == 0
    assert call("review", "candidate", "--items", "4") == 0
    assert call("review", "candidate") == 0
    assert call("review", "candidate", "--task", "grade") == 0
    assert call("review", "candidate", "--items", "5") == 2
    assert "was drawn before" in capsys.readouterr().err


def test_a_sheet_that_people_filled_in_is_taken(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "candidate") == 0
    draw = ("review", "candidate", "--task", "label", "--section", "shop.gold", "--items", "4")
    assert call(*draw, "--rater", "anna", "--raters", "1", "--again", "0") == 0
    again = ("review", "candidate", "--task", "label")
    assert call(*again, "--sheet", "sheet.csv") == 0
    sheet = project / "sheet.csv"
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= {"rater": "3", "value": "right"}
    rows[-1]["value"] = "perhaps"
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    capsys.readouterr()
    assert call(*again, "--import", "sheet.csv") == 2
    error = capsys.readouterr().err
    assert "none of 4 rows can be taken; no rater `3`" in error
    assert error.count("\n") == 1
    assert call(*again, "--import", "sheet.csv", "--alias", "3=anna") == 0
    told = capsys.readouterr()
    assert told.out == "sheet.csv: 3 new labels of 4 rows\n"
    assert "rejected: sheet.csv:5: `perhaps` is no level of `correct`" in told.err
    assert "1 rejected: sheet.rejected.jsonl" in told.err
    assert call(*again, "--import", "sheet.csv", "--alias", "3=anna", "--status", "--json") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["raters"][0]["done"] == 3
    assert "0 new labels of 4 rows, 3 known before" in told.err
    assert call(*again, "--export", "labels/people.jsonl") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--import none.csv", "no such file"),
        ("--import harness.yaml --map value", "`value` is no FIELD=COLUMN"),
        ("--import harness.yaml --alias 3", "`3` is no GIVEN=NAME"),
        ("--import harness.yaml --alias 3=anna --alias 3=ben", "`3` is given twice"),
        ("--import harness.yaml --map value=x", "has no column `x`"),
        ("--map value=x", "--map and --alias go with --import"),
        ("--sheet x.xlsx", "must end in .csv"),
    ],
)
def test_what_cannot_be_imported_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    assert call("run", "base", "candidate") == 0
    assert call("review", "candidate", "--items", "4") == 0
    capsys.readouterr()
    assert call("review", "candidate", *arguments.split(" ")) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_what_people_said_can_be_had_without_the_runs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "candidate") == 0
    assert call("review", "candidate", "--section", "shop.gold", "--items", "4") == 0
    grade(ReviewStore(project / ".harness/review/candidate-grade.sqlite"))
    shutil.rmtree(project / ".harness/runs")
    capsys.readouterr()
    assert call("review", "candidate", "--export", "labels/people.jsonl") == 0
    assert "note: `base` has no stored answers" in capsys.readouterr().err
    assert (project / "labels/people.jsonl").read_text()
