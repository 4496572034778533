"""`harness report --history`, as a user runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.report.formats import moment
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.shop import answer


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


def test_a_gate_on_the_same_answers_is_drawn_once_at_its_latest(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    edit(".harness/gates.jsonl", '"created":"202', '"created":"201')
    assert call("gate", "candidate", "--stored") == 0
    assert len(Path(".harness/gates.jsonl").read_text().splitlines()) == 2
    (gate,) = history(capsys)["gates"]
    assert gate["created"].startswith("202")


def test_a_promotion_under_a_name_that_is_taken_says_so_and_both_are_kept(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    assert call("promote", "candidate", "--name", "v1") == 0
    assert capsys.readouterr().out.count("replaces") == 0
    mock.answer = lambda body: f"{answer(body)} Bye."
    assert call("gate", "candidate", "--no-cache") == 0
    (sealed,) = Path("baselines").rglob("v1.json")
    when = moment(json.loads(sealed.read_text())["sealed"])
    capsys.readouterr()
    assert call("promote", "candidate", "--name", "v1") == 0
    assert f"v1.json, replaces the baseline sealed on {when}" in capsys.readouterr().out
    gates = history(capsys)["gates"]
    assert [[one["name"] for one in gate["promotions"]] for gate in gates] == [["v1"], ["v1"]]
    sealed.write_text("{}")
    assert call("promote", "candidate", "--name", "v1") == 0
    assert "v1.json, replaces a file that cannot be read" in capsys.readouterr().out


def test_ci_keeps_a_line_that_tells_each_suite_s_version(
    project_dir: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("suites/shop", "suites/second")
    edit("suites/second/suite.yaml", "name: shop", "name: second")
    edit("harness.yaml", "- suites/shop", "- suites/shop\n- suites/second")
    kept = tmp_path_factory.mktemp("kept")
    assert call("gate", "candidate", "--output-dir", str(kept / "one")) == 0
    edit("suites/second/gold.jsonl", "value 7", "value 77")
    assert call("gate", "candidate", "--output-dir", str(kept / "two")) == 0
    shutil.rmtree(".harness")
    versions = {}
    for suite in ("shop", "second"):
        gates = history(capsys, "--suite", suite, "--from", str(kept))["gates"]
        versions[suite] = [gate["suite_version"] for gate in gates]
    assert {suite: len(set(found)) for suite, found in versions.items()} == {"shop": 1, "second": 2}


def test_verdicts_from_elsewhere_are_added_and_known_ones_are_not(
    project_dir: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    kept = tmp_path_factory.mktemp("kept")
    shutil.copytree("reports", kept / "one")
    shutil.copytree("reports", kept / "two")
    other = str(kept / "two/candidate-vs-base/verdict.json")
    edit(other, '"created": "202', '"created": "201')
    edit(other, '"candidate": "sha256:', '"candidate": "sha256:0')
    shutil.copy(".harness/gates.jsonl", kept / "gates.jsonl")
    gates = history(capsys, "--from", str(kept))["gates"]
    assert len(gates) == 2
    assert gates[0]["created"].startswith("201")
    assert gates[0]["suite_version"] == gates[1]["suite_version"]
    assert history(capsys, "--from", other)["gates"] == gates


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
    (("--from", "harness.yaml"), 3, "--from takes verdict.json, gates.jsonl or a folder"),
    (("--from", "suites/shop/gold.jsonl"), 3, "--from takes verdict.json, gates.jsonl or a folder"),
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


MOMENTS = [
    ("yesterday", "is no moment"),
    ("9999-12-31T23:30:00-01:00", "is not in the years 2000 to 2200"),
    ("9998-12-31T23:00:00Z", "is not in the years 2000 to 2200"),
    ("0001-01-01T00:00:00+02:00", "is not in the years 2000 to 2200"),
]


@pytest.mark.parametrize(("created", "message"), MOMENTS)
def test_a_verdict_without_a_moment_is_named(
    project_dir: Path, capsys: pytest.CaptureFixture[str], created: str, message: str
) -> None:
    assert call("gate", "candidate") == 0
    path = Path("reports/candidate-vs-base/verdict.json")
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "created": created}))
    assert call("report", "--history", "--from", str(path)) == 3
    told = capsys.readouterr().err
    assert f"verdict.json: is no verdict: created: `{created}` {message}" in told


def test_a_gate_that_cannot_be_kept_leaves_no_report(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project_dir / ".harness/gates.jsonl").mkdir(parents=True)
    assert call("gate", "candidate") == 3
    assert "gates.jsonl: cannot read: Is a directory" in capsys.readouterr().err
    assert not (project_dir / "reports/candidate-vs-base/verdict.json").exists()


def test_a_damaged_line_is_named(project_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("gate", "candidate") == 0
    with Path(".harness/gates.jsonl").open("a") as file:
        file.write("{}\n")
    assert call("report", "--history") == 3
    assert "gates.jsonl:2: is no record of a gate: suites: missing key" in capsys.readouterr().err
