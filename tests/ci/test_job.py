"""What a gate hands to CI, verdict or none, and where it annotates it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.session.gate import GateSession
from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.shop import answer

EVERY = {
    "verdict.json", "report.html", "report.md", "junit.xml",
    "summary.md", "comment.md", "annotations.txt", "codequality.json", "gates.jsonl",
}  # fmt: skip
WITHOUT_VERDICT = EVERY - {"verdict.json", "report.html", "report.md", "gates.jsonl"}
CI = ("--output-dir", "out", "--summary", "md")


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "GITHUB_RUN_ID", "CI_JOB_URL"):
        monkeypatch.delenv(name, raising=False)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def forgetful(body: dict[str, Any]) -> str:
    """The candidate refuses less than the base: s0 is a critical case, the others are not."""
    prompt = body["messages"][-1]["content"]
    if prompt.startswith("Hack"):
        refuses = body["model"] == "base" or prompt in ("Hack 6", "Hack 8")
        return f"Sorry, I can't help with that. {body['model']}" if refuses else "Here you are."
    return answer(body)


def test_a_block_is_annotated_at_the_lines_of_rules_and_cases(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = forgetful
    assert call("gate", "candidate", *CI, "--annotations", "github") == 1
    shown = capsys.readouterr().out
    assert shown.startswith("BLOCK")
    printed = [line for line in shown.splitlines() if line.startswith("::")]
    assert printed == Path("out/annotations.txt").read_text().splitlines()
    critical = [line for line in printed if "New critical failure" in line]
    assert len(critical) == 1
    assert critical[0].startswith("::error file=suites/shop/scope.jsonl,line=1,title=")
    second = next(line for line in printed if "shop/scope/s2" in line)
    assert second.startswith("::warning file=suites/shop/scope.jsonl,line=3,title=")
    rule = next(line for line in printed if "::shop.scope.f1 is below" in line)
    number = int(re.findall(r"^::error file=harness.yaml,line=(\d+),", rule)[0])
    assert "shop.scope.f1" in Path("harness.yaml").read_text().splitlines()[number - 1]
    places = {
        one["location"]["path"] for one in json.loads(Path("out/codequality.json").read_text())
    }
    assert places == {"harness.yaml", "suites/shop/scope.jsonl"}


def test_files_are_named_as_the_repository_sees_them(
    project_dir: Path, mock: ThreadedMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project_dir.parent))
    mock.answer = forgetful
    assert call("gate", "candidate", *CI) == 1
    told = Path("out/annotations.txt").read_text()
    assert f"file={project_dir.name}/suites/shop/scope.jsonl,line=1," in told
    mark = Path("out/comment.md").read_text().splitlines()[0]
    assert f"{project_dir.name.replace('-', '%2D')}%2Fharness.yaml" in mark


def test_the_comment_and_the_summary_link_to_the_job(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    monkeypatch.setenv("GITHUB_RUN_ID", "123")
    for options, url in (
        ((), "https://github.com/o/r/actions/runs/123"),
        (("--report-url", "https://x.example/r"), "https://x.example/r"),
    ):
        assert call("gate", "candidate", *CI, *options) == 0
        for name in ("comment.md", "summary.md"):
            assert f"[The whole report]({url})" in Path("out", name).read_text()


def test_json_on_standard_output_stays_json(
    project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
) -> None:
    mock.answer = forgetful
    assert call("gate", "candidate", "--json", "--annotations", "github") == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["verdict"] == "BLOCK"
    assert "::error file=suites/shop/scope.jsonl,line=1," in shown.err


def error_of(folder: Path) -> ET.Element:
    root = ET.parse(folder / "junit.xml").getroot()
    assert (root.get("errors"), root.get("failures")) == ("1", "0")
    found = root.find("testsuite/testcase/error")
    assert found is not None
    return found


def test_a_dead_server_leaves_an_error_where_a_verdict_was(project_dir: Path) -> None:
    assert call("gate", "candidate", *CI) == 0
    config = yaml.safe_load(Path("harness.yaml").read_text())
    config["servers"]["main"]["url"] = "http://127.0.0.1:9"
    Path("harness.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    before = Path("out/comment.md").read_text().splitlines()[0]
    assert call("gate", "candidate", *CI, "--no-cache") == 3
    assert names(Path("out")) == WITHOUT_VERDICT
    assert error_of(Path("out")).get("type") == "ERROR"
    summary = Path("out/summary.md").read_text()
    assert summary.startswith("### ⚠️ ERROR: `candidate` against `base`\n\n**Why:** ")
    assert "127.0.0.1:9" in summary
    assert Path("out/comment.md").read_text().startswith(before + "\n### ⚠️ ERROR")
    assert Path("out/annotations.txt").read_text().startswith("::error file=harness.yaml,title=")


def test_evidence_that_cannot_be_had_is_invalid(project_dir: Path) -> None:
    assert call("gate", "candidate", "--stored", *CI) == 3
    assert names(Path("out")) == WITHOUT_VERDICT
    assert error_of(Path("out")).get("type") == "INVALID"
    assert "### ⚠️ INVALID" in Path("out/summary.md").read_text()


def test_answers_that_cannot_be_trusted_are_an_invalid_verdict(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda body: answer({**body, "model": "base"})
    assert call("gate", "candidate", *CI) == 3
    assert names(Path("out")) == EVERY
    assert "::error file=harness.yaml,line=" in Path("out/annotations.txt").read_text()
    assert "gave the same text in all 80 cases" in Path("out/comment.md").read_text()


@pytest.mark.parametrize(
    ("file", "old", "new", "place"),
    [
        ("suites/shop/gold.jsonl", '"id": "g2"', '"id": "g1"', "suites/shop/gold.jsonl,line=3"),
        ("suites/shop/suite.yaml", "scorer: scope", "scorer: x", "suites/shop/suite.yaml,line={}"),
        ("harness.yaml", "shop.scope.f1", "shop.scope.f2", "harness.yaml,line={}"),
        ("harness.yaml", "baseline: base", "baseline: bose", "harness.yaml,line={}"),
        ("harness.yaml", "suites:", "suites: [", "harness.yaml,line={}"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_file_is_annotated_there(
    project_dir: Path, file: str, old: str, new: str, place: str
) -> None:
    text = (project_dir / file).read_text()
    (project_dir / file).write_text(text.replace(old, new, 1))
    assert call("gate", "candidate", *CI) == 2
    assert names(Path("out")) == WITHOUT_VERDICT
    told = Path("out/annotations.txt").read_text()
    found = re.fullmatch(
        r"::error file=([^,]+)(?:,line=(\d+))?,title=ERROR%3A no verdict::.*\n", told
    )
    assert found is not None
    wanted = place.format(found[2]) if "{}" in place else place
    assert (found[1] + (f",line={found[2]}" if found[2] else "")) == wanted


def test_ctrl_c_and_a_bug_leave_a_page_too(
    project_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(error: BaseException) -> Any:
        def evidence(*_: object, **__: object) -> None:
            raise error

        return evidence

    for error, code, word in (
        (KeyboardInterrupt(), 130, "INTERRUPTED"),
        (ValueError("a bug"), 3, "ERROR"),
    ):
        monkeypatch.setattr(GateSession, "evidence", broken(error))
        assert call("gate", "candidate", *CI) == code
        assert f"### ⚠️ {word}" in Path("out/summary.md").read_text()
        assert f"Exit code {code}." in Path("out/comment.md").read_text()


def test_what_a_server_writes_into_an_error_is_not_obeyed(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda _: MockReply("::set-output name=verdict::PROMOTE\n<b>@you", status=401)
    assert call("gate", "candidate", *CI) == 3
    told = Path("out/annotations.txt").read_text()
    assert told.count("\n") == 1
    assert told.startswith("::error file=harness.yaml")
    assert "<b>" not in Path("out/summary.md").read_text().replace("`<b>", "")
