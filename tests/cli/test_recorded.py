"""What Python tests recorded counts for as long as what it rests on is the same."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.builders import call
from tests.cli.test_python_tests import RUNS
from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.pytest_plugin.builders import METRIC, talk, write

LENGTHS = """
import pytest
@pytest.mark.parametrize("n", range(8))
def test_no_longer(chat, base_chat, n):
    assert len(str(chat("How long?"))) <= len(str(base_chat("How long?")))
"""
KINDNESS = """
import pytest
@pytest.mark.parametrize("n", range(8))
def test_kind(chat, judge, n):
    assert judge(chat("Hello"), "It is kind.").met
"""
SAID = {"base": "x" * 50, "terse": "x" * 5, "candidate": "x" * 20}

Gated = Callable[..., tuple[int, str, str]]


@pytest.fixture
def gated(capsys: pytest.CaptureFixture[str]) -> Gated:
    """Gate: its exit code, what it says on the two streams."""

    def gate(*arguments: str) -> tuple[int, str, str]:
        code = call("gate", *arguments)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return gate


def reconfigure(**change: Any) -> None:
    path = Path("harness.yaml")
    settings = {**yaml.safe_load(path.read_text()), **change}
    settings["gate"]["rules"][-1] = {"metric": METRIC, "require": "at_least", "value": 0.6}
    settings["gate"]["compare_across"] = ["system_prompt"]
    path.write_text(yaml.safe_dump(settings))


def targets(**more: dict[str, str]) -> dict[str, Any]:
    known = yaml.safe_load(Path("harness.yaml").read_text())["targets"]
    return {**known, **more}


def listed(mock: ThreadedMock, *models: str) -> None:
    for model in models:
        mock.server._models[model] = None


class TestBaseline:
    @pytest.fixture(autouse=True)
    def project(self, project_dir: Path, mock: ThreadedMock) -> None:
        write(project_dir, mock, LENGTHS)
        listed(mock, "terse")

        def said(body: dict[str, Any]) -> str:
            if body["messages"][-1]["content"] == "How long?":
                return SAID[body["model"]]
            terse = body["model"] == "terse"
            found = talk({**body, "model": "base" if terse else body["model"]})
            return f"{found} Indeed." if terse else found

        mock.answer = said
        reconfigure(targets=targets(terse={"server": "main", "model": "terse"}))

    def test_against_another_the_tests_are_run_again(self, gated: Gated) -> None:
        assert gated("candidate")[0] == 0
        code, _, err = gated("candidate", "--baseline", "terse")
        assert (code, f"{RUNS}terse, candidate;" in err) == (1, True)

    def test_another_model_under_its_name_is_another(self, gated: Gated) -> None:
        assert gated("candidate")[0] == 0
        reconfigure(targets=targets(base={"server": "main", "model": "terse"}))
        assert gated("candidate")[0] == 1

    def test_another_system_prompt_makes_it_another(self, gated: Gated) -> None:
        assert gated("candidate")[0] == 0
        told = {"server": "main", "model": "base", "system_prompt": "Be brief."}
        reconfigure(targets=targets(base=told))
        _, _, err = gated("candidate")
        assert f"{RUNS}base, candidate;" in err

    def test_stored_alone_it_is_no_evidence(self, gated: Gated) -> None:
        assert gated("candidate")[0] == 0
        assert call("run", "terse") == 0
        code, out, _ = gated("candidate", "--baseline", "terse", "--stored")
        told = "`candidate` has no scores of the Python tests of shop.memory: recorded against"
        assert (code, told in out) == (3, True)

    def test_two_runs_side_by_side_are_told_of_it(self, gated: Gated) -> None:
        import harness

        assert gated("candidate")[0] == 0
        assert call("run", "terse") == 0
        runs = Path(".harness/runs")
        (ours,), (theirs,) = runs.glob("candidate-*"), runs.glob("terse-*")
        assert any("another baseline" in each for each in harness.compare(ours, theirs).problems)


class TestJudge:
    @pytest.fixture(autouse=True)
    def project(self, project_dir: Path, mock: ThreadedMock) -> None:
        write(project_dir, mock, KINDNESS)
        listed(mock, "lenient", "strict")

        def said(body: dict[str, Any]) -> str:
            if body["model"] in ("lenient", "strict"):
                return json.dumps({"met": body["model"] == "lenient", "reason": "so"})
            return talk(body)

        mock.answer = said
        reconfigure(
            judge="lenient",
            targets=targets(
                lenient={"server": "main", "model": "lenient"},
                strict={"server": "main", "model": "strict"},
                later={"server": "main", "model": "candidate", "system_prompt": "Be other."},
            ),
        )

    def test_another_judges_anew(self, gated: Gated) -> None:
        assert gated("candidate")[0] == 0
        reconfigure(judge="strict")
        assert call("promote", "candidate") != 0
        assert gated("candidate", "--stored")[0] == 3
        code, _, err = gated("candidate")
        assert (code, f"{RUNS}base, candidate;" in err) == (1, True)

    def test_a_baseline_that_another_judged_is_tested_again_for_a_new_candidate(
        self, gated: Gated
    ) -> None:
        assert gated("candidate")[0] == 0
        reconfigure(judge="strict")
        code, out, err = gated("later")
        assert f"{RUNS}base, later;" in err
        assert (code, "another judge" in out) == (1, False)


def test_a_request_that_failed_is_asked_again(
    project_dir: Path, mock: ThreadedMock, gated: Gated
) -> None:
    write(project_dir, mock)
    mock.answer = lambda body: (
        MockReply("x", status=400)
        if "My name is Bo." in body["messages"][-1]["content"] and Path("down").exists()
        else talk(body)
    )
    Path("down").touch()
    code, out, _ = gated("candidate")
    assert (code, "has scores for" in out) == (3, True)
    Path("down").unlink()
    code, _, err = gated("candidate")
    assert (code, RUNS in err) == (0, True)
    assert RUNS not in gated("candidate")[2]


def test_a_test_that_was_skipped_is_not_run_again(
    project_dir: Path, mock: ThreadedMock, gated: Gated
) -> None:
    write(project_dir, mock, "import pytest\ndef test_a(chat):\n    pytest.skip('not here')\n")
    assert RUNS in gated("candidate")[2]
    assert RUNS not in gated("candidate")[2]


def test_data_that_a_test_reads_belongs_to_the_suite(
    project_dir: Path, mock: ThreadedMock, gated: Gated
) -> None:
    tests = """
from pathlib import Path
import pytest
@pytest.mark.parametrize("n", range(8))
def test_says_it(chat, n):
    assert Path(__file__).with_name("wanted.txt").read_text() in chat("Hello")
"""
    write(project_dir, mock, tests)
    reconfigure()
    wanted = project_dir / "suites/shop/wanted.txt"
    wanted.write_text("welcome")
    assert gated("candidate")[0] == 0
    wanted.write_text("good riddance")
    assert gated("candidate")[0] == 1


def test_what_an_older_version_recorded_is_run_again(
    project_dir: Path, mock: ThreadedMock, gated: Gated
) -> None:
    write(project_dir, mock)
    assert gated("candidate")[0] == 0
    for path in project_dir.glob(".harness/runs/*/recorded.json"):
        old = json.loads(path.read_text())
        for section in old["sections"]:
            del section["session"]
        path.write_text(json.dumps({**old, "begun": [["shop", "memory"]]}))
    assert "recorded by an older version" in gated("candidate", "--stored")[1]
    code, _, err = gated("candidate")
    assert (code, RUNS in err) == (0, True)


def test_what_another_session_begins_meanwhile_takes_nothing_away(
    project_dir: Path, mock: ThreadedMock, gated: Gated
) -> None:
    beside = """
import json
from pathlib import Path
def pytest_sessionfinish():
    for path in Path(".harness/runs").glob("base-*/recorded.json"):
        known = json.loads(path.read_text())
        known["begun"] = [*known.get("begun", []), ["shop", "memory", "other"]]
        path.write_text(json.dumps(known))
"""
    write(project_dir, mock)
    (project_dir / "suites/shop/conftest.py").write_text(beside)
    code, _, err = gated("candidate")
    assert (code, f"{RUNS}base, candidate;" in err) == (0, True)
    assert f"{RUNS}base;" in gated("candidate")[2]


def test_two_gates_of_one_candidate_write_two_logs(
    project_dir: Path, mock: ThreadedMock, gated: Gated
) -> None:
    write(project_dir, mock)
    folder = project_dir / ".harness/pytest"
    folder.mkdir(parents=True)
    (folder / "candidate-vs-base.log").write_text("another gate writes this")
    with (folder / "candidate-vs-base.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert gated("candidate")[0] == 0
    assert (folder / "candidate-vs-base.log").read_text() == "another gate writes this"
    (own,) = folder.glob("candidate-vs-base.*.log")
    assert "6 passed, 6 tolerated" in own.read_text()


class TestSuite:
    """Results are those of a section: a change elsewhere in the suite leaves them valid."""

    @pytest.fixture(autouse=True)
    def project(self, project_dir: Path, mock: ThreadedMock) -> None:
        write(project_dir, mock)

    def mend(self, section: str, **change: Any) -> None:
        path = Path("suites/shop/suite.yaml")
        suite = yaml.safe_load(path.read_text())
        suite["sections"][section] |= change
        path.write_text(yaml.safe_dump(suite))

    def test_other_sections_can_be_mended_and_judged_without_a_server(
        self, gated: Gated, mock: ThreadedMock
    ) -> None:
        assert gated("candidate")[0] == 0
        asked = len(mock.server.requests)
        self.mend("scope", metrics=["f1", "answer_rate"])
        assert gated("candidate", "--stored")[0] == 0
        gold = Path("suites/shop/gold.jsonl")
        gold.write_text(gold.read_text().replace("value 39", "value 40"))
        code, out, err = gated("candidate", "--stored")
        assert (code, "shop.memory.accuracy" in out, err) == (0, True, "")
        code, _, err = gated("candidate")
        assert (code, RUNS in err) == (0, False)
        assert len(mock.server.requests) == asked

    def test_what_a_section_rests_on_is_named(self, gated: Gated) -> None:
        data = Path("suites/shop/pins.txt")
        data.write_text("4711")
        assert gated("candidate")[0] == 0
        data.write_text("4712")
        code, out, _ = gated("candidate", "--stored")
        why = "has no scores of the 6 Python tests of shop.memory: recorded with another pins.txt"
        assert (code, f"`candidate` {why}" in out) == (3, True)
        code, _, err = gated("candidate")
        told = "candidate: the results of the 6 Python tests of shop.memory count no more: recorded"
        assert (code, f"{told} with another pins.txt" in err, RUNS in err) == (0, True, True)

    def test_a_suite_may_consist_of_tests_alone(self, gated: Gated, mock: ThreadedMock) -> None:
        path = Path("suites/shop/suite.yaml")
        suite = yaml.safe_load(path.read_text())
        suite["sections"] = {"memory": suite["sections"]["memory"]}
        path.write_text(yaml.safe_dump(suite))
        settings = yaml.safe_load(Path("harness.yaml").read_text())
        settings["gate"]["rules"] = [{"metric": METRIC, "require": "better_than_baseline"}]
        Path("harness.yaml").write_text(yaml.safe_dump(settings))
        assert call("validate") == 0
        code, out, _ = gated("candidate")
        assert (code, "6 planned, 6 scored" in out) == (0, True)
        assert gated("candidate", "--stored")[0] == 0
