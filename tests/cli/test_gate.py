"""`harness gate`, as a user runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli.gate import print_verdict
from harness.records.attempt import Term
from harness.records.comparison import ComparisonRecord
from harness.records.verdict import Verdict
from harness.report.content import ReportContent
from harness.scorers import registry
from harness.scorers.protocol import Judgement
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply, spoken
from tests.report.fixtures import pair
from tests.shop import answer


def test_gate_promotes_and_says_so_in_every_way(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("PROMOTE  candidate against base\n  all 4 rules pass\n")
    folder = project_dir / "reports/candidate-vs-base"
    assert {path.name for path in folder.iterdir()} == {
        "verdict.json", "report.html", "report.md", "junit.xml",
    }  # fmt: skip
    verdict = json.loads((folder / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["accounting"]["planned"]) == ("PROMOTE", 80)


def test_gate_blocks_a_candidate_that_is_the_base_in_other_words(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda body: answer({**body, "model": "base"}) + f" {body['model']}"
    assert call("gate", "candidate") == 1
    assert "BLOCK" in capsys.readouterr().out


def test_gate_finds_identical_answers_invalid(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = lambda body: answer({**body, "model": "base"})
    assert call("gate", "candidate", "--json") == 3
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["verdict"] == "INVALID"
    assert "gave the same text in all 80 cases" in verdict["problems"][0]


def test_gate_is_inconclusive_where_the_evidence_cannot_tell(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("margin: 0.2", "margin: 0.01"))
    assert call("gate", "candidate") == 4
    assert capsys.readouterr().out.startswith("INCONCLUSIVE")


def test_a_gate_that_is_refused_sets_aside_the_report_of_the_one_before(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    reports = project_dir / "reports"
    assert list(reports.rglob("verdict.json"))
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    config["targets"]["candidate"]["generation"] = {"temperature": 0.5}
    path.write_text(yaml.safe_dump(config))
    capsys.readouterr()
    assert call("gate", "candidate") == 3
    assert "are asked differently: temperature is" in capsys.readouterr().err
    left = [path for path in reports.rglob("*") if path.is_file()]
    assert {path.parent.parent.name for path in left} == {"earlier"}
    assert "verdict.json" in {path.name for path in left}


def test_a_metric_that_does_not_exist_is_a_configuration_error(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("shop.gold.accuracy", "shop.gold.acuracy"))
    assert call("gate", "candidate") == 2
    assert "did you mean `shop.gold.accuracy`?" in capsys.readouterr().err


def test_a_stored_gate_is_about_the_model_that_is_configured_now(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("model: candidate", "model: other"))
    capsys.readouterr()
    assert call("gate", "candidate", "--stored") == 3
    shown = capsys.readouterr()
    assert "has no finished run as it is configured now" in shown.err
    assert shown.out == "INVALID  candidate against base\n"
    assert not (project_dir / "reports/candidate-vs-base/report.html").exists(), "no stale verdict"
    path.write_text(path.read_text().replace("model: other", "model: candidate"))
    assert call("gate", "candidate", "--stored") == 0


def test_a_part_of_the_project_cannot_be_promoted(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = project_dir / "suites/second"
    shutil.copytree(project_dir / "suites/shop", second)
    (second / "suite.yaml").write_text(
        (second / "suite.yaml").read_text().replace("name: shop", "name: second")
    )
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("- suites/shop", "- suites/shop\n- suites/second"))
    assert call("gate", "candidate", "--suite", "shop") == 3
    assert "only a part of the project's suites (--suite shop)" in capsys.readouterr().out
    assert call("gate", "candidate") == 0


def test_answers_edited_on_disk_are_noticed(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    path = next((project_dir / ".harness/runs").glob("candidate-*/attempts.jsonl"))
    path.write_text(path.read_text().replace("value 7.", "value 8."))
    assert call("gate", "candidate") == 3
    assert "was changed after the run was finished" in capsys.readouterr().err


def test_a_new_critical_failure_blocks_though_the_policy_forgot_the_rule(
    project_dir: Path, mock: ThreadedMock
) -> None:
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("  - require: no_new_critical_failures\n", ""))

    def careless(body: dict[str, Any]) -> str:
        if body["messages"][-1]["content"] == "Hack 0":
            return "Here." if body["model"] == "candidate" else "Sorry, I can't help with that."
        return answer(body)

    mock.answer = careless
    assert call("gate", "candidate") == 1
    data = json.loads((project_dir / "reports/candidate-vs-base/verdict.json").read_text())
    assert data["new_critical_failures"] == ["shop/scope/s0"]
    assert data["rules"][-1]["require"] == "no_new_critical_failures"


def test_a_reader_that_goes_away_does_not_change_the_exit_code(project_dir: Path) -> None:
    line = f"{sys.executable} -m harness gate candidate | true; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", line], cwd=project_dir).returncode == 0
    path = project_dir / "harness.yaml"
    path.write_text(path.read_text().replace("value: 0.8", "value: 1.0"))
    assert subprocess.run(["bash", "-c", line], cwd=project_dir).returncode == 4


def test_an_adapter_that_a_url_lists_is_proven_too(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.server._models["candidate"] = "base"
    mock.answer = lambda body: spoken(answer({**body, "model": "base"}), -0.5)
    assert call("gate", "candidate") == 3
    assert "answers 16 of 16 probes exactly as its base does" in capsys.readouterr().err

    def proven(body: dict[str, Any]) -> MockReply:
        shift = -0.1 if body["model"] == "candidate" else 0.0
        return spoken(answer(body), -0.5 + shift)

    mock.answer = proven
    assert call("gate", "candidate") == 0
    run = next((project_dir / ".harness/runs").glob("candidate-*/run.json"))
    assert json.loads(run.read_text())["adapter_proof"]["parent"] == "base"


def test_a_sealed_baseline_is_scored_by_the_scorers_of_today(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    gold = registry.get("gold")

    class Harsh:
        name, metrics = gold.name, gold.metrics

        def check_section(self, settings: object) -> None: ...

        def check_case(self, case: object, settings: object) -> None: ...

        def score(self, text: str, case: Any, settings: object) -> Judgement:
            zero = {name: Term(num=0.0, den=1.0) for name in self.metrics}
            return Judgement(0.0, False, zero)

    real = registry.get
    for place in ("harness.sections.prompts.get", "harness.scorers.registry.get"):
        monkeypatch.setattr(place, lambda name: Harsh() if name == "gold" else real(name))
    call("gate", "base", "--baseline", "sealed:v1")
    data = json.loads((project_dir / "reports/base-vs-sealed-v1/verdict.json").read_text())
    assert data["rules"][0]["baseline"] == data["rules"][0]["candidate"] == 0.0


def test_a_line_added_to_a_finished_journal_is_noticed(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_fails(body: dict[str, Any]) -> str | MockReply:
        bad = body["messages"][-1]["content"] == "What is fact 1?"
        return MockReply("no", status=400) if bad else answer(body)

    mock.answer = one_fails
    assert call("gate", "candidate") == 3
    path = next((project_dir / ".harness/runs").glob("candidate-*/attempts.jsonl"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    failed = next(line for line in lines if line["status"] == "failed")
    forged = {**failed, "status": "answered", "text": "It is value 1.", "failure": None}
    with path.open("a") as file:
        file.write(json.dumps(forged) + "\n")
    capsys.readouterr()
    assert call("gate", "candidate", "--stored") == 3
    assert "was changed after the run was finished" in capsys.readouterr().err


def test_an_adapter_that_is_not_applied_undoes_no_earlier_run(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.server._models["candidate"] = "base"

    def proven(body: dict[str, Any]) -> MockReply:
        shift = -0.1 if body["model"] == "candidate" else 0.0
        return spoken(answer(body), -0.5 + shift)

    mock.answer = proven
    assert call("gate", "candidate") == 0
    mock.answer = lambda body: spoken(answer({**body, "model": "base"}), -0.5)
    assert call("gate", "candidate", "--no-cache") == 3
    mock.answer = proven
    assert call("run", "candidate") == 0


def printed(
    judged: tuple[Verdict, ComparisonRecord], capsys: pytest.CaptureFixture[str]
) -> list[str]:
    print_verdict(ReportContent(*judged), Path("x"))
    return [line for line in capsys.readouterr().out.splitlines() if "regression" in line]


def test_what_decided_is_said_once_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    verdict, found = pair("BLOCK")
    print_verdict(ReportContent(verdict, found), Path("x"))
    lines = capsys.readouterr().out.splitlines()
    assert verdict.deciding is not None
    assert sum(verdict.deciding.reason in line for line in lines) == 1
    assert lines[1] == f"  {ReportContent(verdict, found).plain}"
    unplain = verdict.deciding.model_copy(update={"estimate": None})
    rules = tuple(unplain if rule is verdict.deciding else rule for rule in verdict.rules)
    verdict = verdict.model_copy(update={"rules": rules})
    print_verdict(ReportContent(verdict, found), Path("x"))
    lines = capsys.readouterr().out.splitlines()
    assert sum(unplain.reason in line for line in lines) == 1


def test_each_regression_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(pair("BLOCK"), capsys) == [
        "  regression: support.scope.f1 -0.548 [-0.641, -0.437], p < 0.001 (Holm, 7 metrics)",
        "  regression: support.general.accuracy -0.067 [-0.121, -0.018], p 0.031 (Holm, 7 metrics)",
    ]


def test_without_a_regression_no_line_speaks_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(pair("PROMOTE"), capsys) == []


def test_a_name_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    verdict, comparison = pair("BLOCK")
    bad = verdict.regressions[0].model_copy(update={"metric": "s.\x1b[31mred\nPROMOTE"})
    (line,) = printed((verdict.model_copy(update={"regressions": (bad,)}), comparison), capsys)
    assert "\x1b" not in line
    assert "s.\u241b[31mred PROMOTE -0.548" in line
