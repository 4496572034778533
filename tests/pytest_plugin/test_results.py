"""What is recorded of Python tests: whole sections of sessions that get to their end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ThreadedMock
from tests.pytest_plugin.builders import METRIC, TESTS, recordings, write
from tests.pytest_plugin.sessions import cold_session, session

# Goes well until there is a file called `mishap`.
MISHAP = """
import contextlib
import fcntl
import os
from pathlib import Path
from typing import Any

held = []

def hold():
    for lock in Path(".harness/runs").glob("candidate-*/lock"):
        held.append(lock.open("w"))
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)

def test_mishap():
    if Path("mishap").exists():
        {happens}
"""


class TestAPartIsNoEvidence:
    @pytest.mark.parametrize(
        "chosen",
        [
            ("suites", "-k", "Anna or rule or gold or scope"),
            ("suites/shop/suite.yaml", "suites/shop/test_memory.py::test_greets"),
        ],
    )
    def test_nothing_is_recorded_and_the_rules_are_errors(
        self, project: Path, chosen: tuple[str, ...]
    ) -> None:
        done = session(project, *chosen, "--target", "candidate", "-v")
        assert done.code == 1
        assert recordings(project) == {}
        assert "only a part of its Python tests was selected" in done.out
        assert done.words[f"rule::{METRIC}[candidate]"] == "ERROR"
        assert (
            "`candidate` has no scores of the 6 Python tests of shop.memory: only a part"
            in done.out
        )

    def test_what_an_earlier_session_recorded_does_not_stand_in(self, project: Path) -> None:
        assert session(project, "suites", "--target", "candidate").code == 0
        done = session(project, "suites", "-k", "Anna or rule", "--target", "candidate", "-v")
        assert done.words[f"rule::{METRIC}[candidate]"] == "ERROR"
        assert len(recordings(project)["candidate"]) == 6

    def test_a_file_that_skips_itself_is_judged_by_nothing_older(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        skip = "if os.path.exists('closed'): pytest.skip('today', allow_module_level=True)\n"
        folder = write(project_dir, mock, f"import os\nimport pytest\n{skip}{TESTS}")
        assert session(folder, "suites", "--target", "candidate").code == 0
        (folder / "closed").touch()
        done = session(folder, "suites", "--target", "candidate", "-v")
        assert done.words[f"rule::{METRIC}[candidate]"] == "ERROR"

    def test_a_session_that_stops_early_records_nothing(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        folder = write(project_dir, mock, "def test_breaks():\n    1 / 0\n" + TESTS)
        done = session(folder, "suites/shop/test_memory.py", "--target", "candidate", "-x")
        assert done.code == 1
        assert recordings(folder) == {}
        assert "Python tests ran, so none is recorded" in done.out

    def test_the_last_failures_alone_are_a_part(self, project: Path) -> None:
        arguments = ("suites", "--target", "candidate", "-p", "cacheprovider")
        session(project, *arguments)
        before = recordings(project)
        session(project, *arguments, "--lf")
        assert recordings(project) == before


def test_results_rest_on_the_whole_suite_where_a_file_above_it_uses_other_tests(
    project: Path,
) -> None:
    path = project / "suites/shop/suite.yaml"
    suite = yaml.safe_load(path.read_text())
    suite["sections"]["tone"] = {"tests": "test_tone.py"}
    path.write_text(yaml.safe_dump(suite))
    (project / "suites/shop/test_tone.py").write_text("def test_tone(): pass")
    (project / "conftest.py").write_text("# from test_tone import x")
    assert session(project, "suites", "--target", "candidate").code == 0
    (file,) = project.glob(".harness/runs/candidate-*/recorded.json")
    kept = json.loads(file.read_text())["sections"]
    assert {one["section"]: "parts" in one for one in kept} == {"memory": False, "tone": True}


class TestBrokenOff:
    def test_a_session_that_stops_leaves_a_partial_report(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        write(project_dir, mock)
        assert session(project_dir, "suites", "--target", "candidate").code == 0
        write(project_dir, mock, "def test_breaks(chat):\n    1 / 0\n" + TESTS)
        done = session(project_dir, "suites", "--target", "candidate", "-x")
        assert "partial report" in done.out
        found = json.loads((project_dir / "reports/candidate-vs-base/verdict.json").read_text())
        assert found["verdict"] == "INVALID"
        assert found["problems"][0].startswith("broken off")

    @pytest.mark.parametrize(
        ("happens", "more", "why"),
        [
            ("os._exit(3)", ("-p", "xdist.plugin", "-n", "2"), "a worker died, "),
            ("hold()", (), "another process is writing this run"),
            ("hold()", ("-p", "xdist.plugin", "-n", "2"), "another process is writing this run"),
        ],
    )
    def test_an_earlier_recording_does_not_stand_in_for_this_session(
        self,
        project_dir: Path,
        mock: ThreadedMock,
        happens: str,
        more: tuple[str, ...],
        why: str,
    ) -> None:
        write(project_dir, mock, TESTS + MISHAP.format(happens=happens))
        assert session(project_dir, "suites", "--target", "candidate").code == 0
        before = recordings(project_dir)
        (project_dir / "mishap").touch()
        done = session(project_dir, "suites", "--target", "candidate", "-v", *more)
        assert done.code == 1
        rules = {word for name, word in done.words.items() if name.startswith("rule::")}
        assert rules == {"ERROR"}
        assert "INVALID  candidate against base" in done.out
        found = json.loads((project_dir / "reports/candidate-vs-base/verdict.json").read_text())
        assert found["verdict"] == "INVALID"
        assert "has no scores of the 7 Python tests of shop.memory: " in found["problems"][0]
        assert why in found["problems"][0]
        assert recordings(project_dir)["candidate"] == before["candidate"]

    def test_a_file_that_cannot_be_collected_has_no_earlier_scores(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        write(project_dir, mock, TESTS + "from pathlib import Path\nPath('list').stat()\n")
        (project_dir / "list").touch()
        line = ("suites", "--target", "candidate", "-v", "--continue-on-collection-errors")
        assert session(project_dir, *line).code == 0
        (project_dir / "list").unlink()
        done = session(project_dir, *line)
        assert done.words[f"rule::{METRIC}[candidate]"] == "ERROR"
        assert "its Python tests could not be collected" in done.out

    def test_a_later_gate_tells_it_or_runs_them_again(
        self, project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from tests.cli.builders import call

        write(project_dir, mock, MISHAP.format(happens="1 / 0") + TESTS)
        assert session(project_dir, "suites", "--target", "candidate").code == 0
        (project_dir / "mishap").touch()
        assert session(project_dir, "suites", "--target", "candidate", "-x").code == 1
        assert call("gate", "candidate", "--stored") == 0
        told = "the 7 Python tests of shop.memory were started again since and did not finish"
        assert f"candidate: {told}" in capsys.readouterr().err
        done = session(project_dir, "suites", "--target", "candidate", "--harness-stored")
        assert f"candidate: {told}" in done.out
        (project_dir / "mishap").unlink()
        assert call("gate", "candidate") == 0
        assert "pytest runs the Python tests of shop.memory for" in capsys.readouterr().err
        assert call("gate", "candidate", "--stored") == 0
        assert told not in capsys.readouterr().err

    def test_a_part_has_a_later_gate_run_them_all_again(
        self, project_dir: Path, mock: ThreadedMock, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from tests.cli.builders import call

        write(project_dir, mock)
        assert session(project_dir, "suites", "--target", "candidate").code == 0
        session(project_dir, "suites", "--target", "candidate", "-k", "test_greets")
        assert call("gate", "candidate") == 0
        assert "pytest runs the Python tests of shop.memory for" in capsys.readouterr().err

    def test_a_worker_that_dies_does_not_hold_the_rules_up(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        crash = "import os\ndef test_dies(chat):\n    os._exit(3)\n"
        write(project_dir, mock, crash)
        done = session(
            project_dir, "suites", "--target", "candidate", "-v", "-p", "xdist.plugin", "-n", "2"
        )
        assert "worker 'gw" in done.out
        assert done.words[f"rule::{METRIC}[candidate]"] == "ERROR"
        assert recordings(project_dir) == {}


UNSTEADY = """
import pytest

calls = []

@pytest.mark.parametrize("name", ["a", "b"])
def test_unsteady(chat, name, harness_target):
    chat(f"My name is {name}.")
    calls.append((name, harness_target))
    assert calls.count(calls[-1]) != 1, "the first time it fails"

@pytest.mark.case(critical=True)
def test_critical(chat, harness_target):
    chat("My name is Bo.")
    calls.append(harness_target)
    assert calls.count(harness_target) != 1, "the first time it fails"
"""


class TestRepetitionsAreNoEvidence:
    """Running a case again makes its score steadier, and gives no more cases."""

    def found(self, project: Path, *arguments: str) -> dict[str, dict[str, Any]]:
        (project / "suites/shop/test_memory.py").write_text(UNSTEADY)
        cold_session(project, "suites", "--target", "candidate", *arguments)
        return {each["case"]["id"]: each for each in recordings(project)["candidate"]}

    def test_those_of_pytest_repeat_are_one_case(self, project: Path) -> None:
        found = self.found(project, "-p", "pytest_repeat", "--count", "4")
        assert set(found) == {"test_unsteady[a]", "test_unsteady[b]", "test_critical"}
        one = found["test_unsteady[a]"]
        assert (one["score"]["value"], one["score"]["passed"]) == (0.75, True)
        assert one["score"]["reason"].startswith("3 of 4 repetitions pass; ")
        assert one["score"]["group"] == "test_unsteady[a]"
        critical = found["test_critical"]["score"]
        assert (critical["value"], critical["passed"]) == (0.75, False)

    def test_a_rerun_does_not_undo_the_first_run(self, project: Path) -> None:
        found = self.found(project, "-p", "pytest_rerunfailures", "--reruns", "2")
        assert set(found) == {"test_unsteady[a]", "test_unsteady[b]", "test_critical"}
        critical = found["test_critical"]["score"]
        assert (critical["value"], critical["passed"]) == (0.5, False)
        assert critical["reason"].startswith("1 of 2 repetitions pass; ")
