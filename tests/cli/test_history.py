"""`harness report --history`, as a user runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.test_commands import call


def history(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    capsys.readouterr()
    assert call("report", "--history", "--json", *arguments) == 0
    (found,) = json.loads(capsys.readouterr().out)["histories"]
    return found


def edit(path: str, old: str, new: str) -> None:
    Path(path).write_text(Path(path).read_text().replace(old, new))


def test_gates_and_promotions_are_drawn(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    assert call("gate", "base", "--baseline", "sealed:v1") == 1
    capsys.readouterr()
    assert call("report", "--history") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"reports/history/shop/history.{kind}" for kind in ("html", "md", "json")
    ]
    data = json.loads((project_dir / "reports/history/shop/history.json").read_text())
    told = [(gate["candidate"], gate["baseline"], gate["verdict"]) for gate in data["gates"]]
    assert told == [("candidate", "base", "PROMOTE"), ("base", "sealed:v1", "BLOCK")]
    assert [one["name"] for one in data["gates"][0]["promotions"]] == ["v1"]
    assert data["gates"][0]["metrics"]["shop.gold.f1"]["candidate"] > 0.6, "no rule is on it"
    page = (project_dir / "reports/history/shop/history.html").read_text()
    assert "shop.scope.refusal_recall over time" in page


def test_a_gate_that_is_given_again_is_one_more(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    edit(".harness/gates.jsonl", '"created":"20', '"created":"19')
    assert call("gate", "candidate", "--stored") == 0
    assert len(history(capsys)["gates"]) == 2


def test_verdicts_from_elsewhere_are_added_and_known_ones_are_not(
    project_dir: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    kept = tmp_path_factory.mktemp("kept")
    shutil.copytree("reports", kept / "one")
    shutil.copytree("reports", kept / "two")
    edit(str(kept / "two/candidate-vs-base/verdict.json"), '"created": "20', '"created": "19')
    shutil.copy(".harness/gates.jsonl", kept / "gates.jsonl")
    gates = history(capsys, "--from", str(kept))["gates"]
    assert len(gates) == 2
    assert gates[0]["created"].startswith("19")
    assert gates[0]["suite_version"] == gates[1]["suite_version"]
    file = str(kept / "two/candidate-vs-base/verdict.json")
    assert history(capsys, "--from", file)["gates"] == gates


def test_another_version_of_the_suite_shows(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    edit("suites/shop/gold.jsonl", "value 7", "value 77")
    assert call("gate", "candidate", "--stored") == 0
    first, second = history(capsys)["gates"]
    assert first["suite_version"] != second["suite_version"]


def test_an_invalid_gate_is_kept_without_numbers(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit("harness.yaml", "model: candidate", "model: base")
    assert call("gate", "candidate") == 3
    (gate,) = history(capsys)["gates"]
    assert (gate["verdict"], gate["metrics"]) == ("INVALID", {})


NOT_THERE = [
    ((), 2, "no gate of suite `shop` was kept"),
    (("--from", "none"), 2, "none: no such file or folder"),
    (("--from", "suites"), 2, "suites: holds no verdict.json"),
    (("--from", "harness.yaml"), 3, "harness.yaml: is no verdict"),
    (("--suite", "x"), 2, "no suite `x`"),
    (("candidate",), 2, "neither a CANDIDATE"),
    (("--baseline", "base"), 2, "nor --baseline"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), NOT_THERE)
def test_bad_input_is_one_line_and_the_right_code(
    project_dir: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    assert call("report", "--history", *arguments) == code
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error: ")]
    assert message in line


def test_the_other_report_takes_none_of_its_options(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("report", "candidate", "--json") == 2
    assert "go with --history" in capsys.readouterr().err
    assert call("report") == 2
    assert "Missing argument 'CANDIDATE', or --history" in capsys.readouterr().err


def test_a_verdict_without_a_moment_is_named(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    path = Path("reports/candidate-vs-base/verdict.json")
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "created": "yesterday"}))
    assert call("report", "--history", "--from", str(path)) == 3
    assert "is no verdict: created: `yesterday` is no moment" in capsys.readouterr().err


def test_a_gate_that_cannot_be_kept_leaves_no_report(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project_dir / ".harness/gates.jsonl").mkdir(parents=True)
    assert call("gate", "candidate") == 3
    assert "gates.jsonl: cannot write: Is a directory" in capsys.readouterr().err
    assert not (project_dir / "reports/candidate-vs-base/verdict.json").exists()


def test_a_damaged_line_is_named(project_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("gate", "candidate") == 0
    with Path(".harness/gates.jsonl").open("a") as file:
        file.write("{}\n")
    assert call("report", "--history") == 3
    assert "gates.jsonl:2: is no record of a gate: suites: missing key" in capsys.readouterr().err
