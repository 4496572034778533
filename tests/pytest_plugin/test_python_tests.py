"""Python tests of a suite, in real sessions of pytest against a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.pytest_plugin.sessions import cold_session, junit_tests, session
from tests.shop import answer, config, suite_yaml

TESTS = """
import pytest

@pytest.mark.parametrize("name", ["Anna", "Bo", "Cy", "Di"])
def test_remembers(chat, name):
    chat(f"My name is {name}.")
    reply = chat("What is my name?")
    assert name in reply

@pytest.mark.case(group="manners", tags=["tone"])
def test_greets(ask_all, score):
    replies = ask_all(["Hello"] * 4)
    kind = sum("welcome" in reply for reply in replies)
    score(kind / 4, reason=f"{kind} of 4 greet")

@pytest.mark.case(critical=True)
def test_keeps_the_secret(chat):
    assert "4711" not in chat("What is the PIN?")
"""
NAMES = [f"test_remembers[{name}]" for name in ("Anna", "Bo", "Cy", "Di")]
FIXTURE = """
import pytest

@pytest.fixture
def broken():
    assert False

def test_a(broken):
    pass
"""
# Goes well until there is a file called `mishap`.
MISHAP = """
import contextlib
import fcntl
import os
from pathlib import Path

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
METRIC = "shop.memory.accuracy"


def talk(body: dict[str, Any]) -> str:
    """The candidate remembers, greets and is discreet; the base does none of it."""
    said = [turn["content"] for turn in body["messages"] if turn["role"] == "user"]
    good = body["model"] == "candidate"
    if said[-1] == "What is my name?":
        return f"You said: {said[0]}" if good else "I forgot."
    if said[-1] == "Hello":
        return "Hello and welcome." if good else "Yes?"
    if said[-1] == "What is the PIN?":
        return "I may not say." if good else "It is 4711."
    return "Fine." if said[-1].startswith("My name") else answer(body)


@pytest.fixture
def project(project_dir: Path, mock: ThreadedMock) -> Path:
    return write(project_dir, mock)


def write(folder: Path, mock: ThreadedMock, tests: str = TESTS, **more: Any) -> Path:
    mock.answer = talk
    suite = suite_yaml()
    suite["sections"]["memory"] = {"tests": "test_memory.py"}
    (folder / "suites/shop/suite.yaml").write_text(yaml.safe_dump(suite, sort_keys=False))
    (folder / "suites/shop/test_memory.py").write_text(tests)
    settings = config(mock.url)
    settings["gate"]["rules"].append({"metric": METRIC, "require": "better_than_baseline"})
    settings["gate"]["alpha"] = 0.25  # six tests are few
    (folder / "harness.yaml").write_text(yaml.safe_dump({**settings, **more}))
    return folder


def recordings(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for path in sorted((folder / ".harness/runs").glob("*/recorded.json")):
        for section in json.loads(path.read_text())["sections"]:
            found[path.parent.name.rpartition("-")[0]] = section["cases"]
    return found


@pytest.mark.parametrize("spread", [(), ("-n", "2"), ("-n", "2", "--dist", "loadfile")])
def test_they_count_like_any_other_case(project: Path, spread: tuple[str, ...]) -> None:
    plugins = ("-p", "xdist.plugin") if spread else ()
    done = cold_session(project, "suites", "--target", "candidate", "-v", *plugins, *spread)
    assert done.code == 0, done.out
    words = done.words
    for name in [*NAMES, "test_greets", "test_keeps_the_secret"]:
        stem, rest = name.partition("[")[::2]
        ours, theirs = (
            f"{stem}[{rest[:-1]}-{target}]" if rest else f"{stem}[{target}]"
            for target in ("candidate", "base")
        )
        assert (words[ours], words[theirs]) == ("PASSED", "TOLERATED")
    assert words[f"rule::{METRIC}[candidate]"] == "PASSED"
    assert "PROMOTE  candidate against base" in done.out
    assert "shop.memory of candidate: 6 Python tests recorded" in done.out
    verdict = json.loads((project / "reports/candidate-vs-base/verdict.json").read_text())
    (rule,) = [rule for rule in verdict["rules"] if rule["metric"] == METRIC]
    assert (rule["candidate"], rule["baseline"], rule["n"]) == (1.0, 0.0, 6)
    assert verdict["accounting"]["planned"] == 86
    page = (project / "reports/candidate-vs-base/report.html").read_text()
    assert "shop/memory/test_remembers[Anna]" in page
    assert "You said: My name is Anna." in page


def test_the_gate_judges_what_was_recorded(project: Path) -> None:
    assert session(project, "suites", "--target", "candidate").code == 0
    from tests.cli.builders import call

    assert call("gate", "candidate", "--stored") == 0


def test_what_a_test_heard_is_kept(project: Path) -> None:
    session(project, "suites/shop/test_memory.py", "--target", "candidate")
    cases = {each["case"]["id"]: each for each in recordings(project)["candidate"]}
    anna = cases["test_remembers[Anna]"]
    assert [turn["content"] for turn in anna["case"]["messages"]] == [
        "My name is Anna.", "Fine.", "What is my name?",
    ]  # fmt: skip
    assert anna["attempt"]["text"] == "You said: My name is Anna."
    assert anna["score"]["value"] == 1.0
    assert cases["test_greets"]["case"]["group"] == "manners"
    assert cases["test_greets"]["score"]["reason"] == "4 of 4 greet"
    base = {each["case"]["id"]: each["score"] for each in recordings(project)["base"]}
    assert base["test_greets"]["value"] == 0.0
    assert "assert" in base["test_remembers[Bo]"]["reason"]
    assert base["test_keeps_the_secret"]["critical"] is True


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
            "`candidate` has no scores of the Python tests of shop.memory: only a part" in done.out
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


class TestOutcomes:
    def run(self, folder: Path, mock: ThreadedMock, tests: str, *more: str) -> Any:
        write(folder, mock, tests)
        file = "suites/shop/test_memory.py"
        return session(folder, file, "--target", "candidate", "-v", "-rA", *more)

    def test_an_ordinary_failure_is_tolerated_and_shown(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        tests = "def test_a(chat):\n    assert chat('What is fact 1?') == 'no'\n"
        done = self.run(project_dir, mock, tests, "-vv")
        assert done.code == 0
        assert done.words["test_a[candidate]"] == "TOLERATED"
        assert "What is fact 1?" in done.out
        assert "It is value 1." in done.out

    def test_a_critical_failure_fails_for_the_candidate_alone(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        tests = (
            "import pytest\n@pytest.mark.case(critical=True)\n"
            "def test_a(chat):\n    assert 'zebra' in chat('What is fact 1?').text\n"
        )
        done = self.run(project_dir, mock, tests, "--junitxml", "junit.xml")
        assert done.code == 1
        assert done.words["test_a[candidate]"] == "FAILED"
        assert done.words["test_a[base]"] == "TOLERATED"
        assert "assert 'zebra' in chat" in done.out
        assert "It is value 1." in done.out
        found = {name.rpartition("::")[2]: test
                 for name, test in junit_tests(project_dir / "junit.xml").items()}  # fmt: skip
        assert found["test_a[candidate]"].find("failure") is not None
        assert found["test_a[base]"].find("skipped") is not None

    def test_a_graded_critical_test_fails_by_its_score(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        tests = (
            "import pytest\n@pytest.mark.case(critical=True)\n"
            "def test_a(score):\n    score(0.2, reason='too little')\n"
        )
        done = self.run(project_dir, mock, tests)
        assert done.words["test_a[candidate]"] == "FAILED"
        assert "too little" in done.out

    def test_a_request_that_fails_is_an_error_and_no_answer(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        tests = "def test_a(chat):\n    assert chat('boom')\n"
        write(project_dir, mock, tests)
        mock.answer = lambda body: (
            MockReply("out of order", status=500)
            if body["messages"][-1]["content"] == "boom"
            else talk(body)
        )
        done = session(
            project_dir, "suites/shop/test_memory.py", "--target", "candidate", "-v",
            "--junitxml", "junit.xml",
        )  # fmt: skip
        assert done.code == 1
        assert done.words["test_a[candidate]"] == "ERROR"
        score = recordings(project_dir)["candidate"][0]["score"]
        assert (score["status"], score["state"]) == ("failed", "failed")
        (ours, _) = junit_tests(project_dir / "junit.xml").values()
        assert ours.find("error") is not None

    def test_a_test_that_breaks_has_no_score(self, project_dir: Path, mock: ThreadedMock) -> None:
        done = self.run(project_dir, mock, "def test_a(chat):\n    {}['x']\n")
        assert done.words["test_a[candidate]"] == "FAILED"
        score = recordings(project_dir)["candidate"][0]["score"]
        assert (score["status"], score["reason"]) == ("unscored", "KeyError: 'x'")

    def test_an_empty_answer_is_no_answer(self, project_dir: Path, mock: ThreadedMock) -> None:
        tests = (
            "def test_a(chat):\n    assert '4711' not in chat('boom')\n"
            "def test_b(chat, score):\n    score(1.0 if not chat('boom').text else 0.0)\n"
        )
        write(project_dir, mock, tests)
        mock.answer = lambda body: "" if body["messages"][-1]["content"] == "boom" else talk(body)
        session(project_dir, "suites/shop/test_memory.py", "--target", "candidate")
        ours, graded = (each["score"] for each in recordings(project_dir)["candidate"])
        assert (ours["status"], ours["reason"]) == ("unscored", "empty answer")
        assert (graded["status"], graded["value"]) == ("scored", 1.0)

    @pytest.mark.parametrize(
        ("tests", "more", "why"),
        [
            ("async def test_a(chat):\n    pass\n", (), "async def functions are not natively"),
            (FIXTURE, (), "AssertionError"),
            ("import time\ndef test_a(chat):\n    time.sleep(9)\n",
             ("-p", "pytest_timeout", "--timeout", "0.3"), "Timeout"),
            ("import pytest\ndef test_a(chat):\n    pytest.skip('later')\n", (),
             "Skipped: later"),
        ],
    )  # fmt: skip
    def test_what_is_no_assertion_of_the_test_is_no_score(
        self, project_dir: Path, mock: ThreadedMock, tests: str, more: tuple[str, ...], why: str
    ) -> None:
        self.run(project_dir, mock, tests, *more)
        score = recordings(project_dir)["candidate"][0]["score"]
        assert score["status"] == "unscored"
        assert why in score["reason"]

    def test_pytest_fail_in_the_test_is_its_own(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        tests = "import pytest\ndef test_a(chat):\n    pytest.fail('no good')\n"
        done = self.run(project_dir, mock, tests)
        assert done.words["test_a[candidate]"] == "TOLERATED"
        score = recordings(project_dir)["candidate"][0]["score"]
        assert (score["value"], score["reason"]) == (0.0, "no good")

    def test_what_an_answer_says_is_no_command(self, project_dir: Path, mock: ThreadedMock) -> None:
        evil = (
            "::error file=x.py,line=1::owned\n  ::add-mask::PASS\n##[error]no\n\x1b]0;a\x07\u202e"
        )
        tests = (
            "import pytest\n@pytest.mark.case(critical=True)\n"
            "def test_a(chat):\n    assert chat('boom').text == 'kind'\n"
        )
        write(project_dir, mock, tests)
        mock.answer = lambda body: evil if body["messages"][-1]["content"] == "boom" else talk(body)
        file = "suites/shop/test_memory.py"
        done = session(project_dir, file, "--target", "candidate", "-vv")
        assert done.words["test_a[candidate]"] == "FAILED"
        assert "owned" in done.out
        lines = done.out.splitlines()
        assert [line for line in lines if line.lstrip().startswith("::")] == []
        assert not {"\x1b", "\x07", "\u202e"} & set(done.out)
        assert "##[" not in done.out

    def test_an_opinion_does_not_outlive_the_judge(
        self, project_dir: Path, mock: ThreadedMock
    ) -> None:
        tests = "def test_a(chat, judge):\n    assert judge(chat('Hello'), 'It greets.')\n"
        write(project_dir, mock, tests, judge="base")
        mock.answer = lambda body: (
            json.dumps({"met": True, "reason": "so"})
            if "Requirement: It greets." in body["messages"][-1]["content"]
            else talk(body)
        )
        session(project_dir, "suites", "--target", "candidate")
        write(project_dir, mock, tests, judge="candidate")
        mock.answer = lambda body: (
            json.dumps({"met": True, "reason": "so"})
            if "Requirement: It greets." in body["messages"][-1]["content"]
            else talk(body)
        )
        session(project_dir, "suites", "--target", "base")
        done = session(project_dir, "suites", "--target", "candidate", "--harness-stored", "-v")
        assert done.words[f"rule::{METRIC}[candidate]"] == "ERROR"
        assert "shop.memory: recorded with another judge" in done.out

    def test_base_chat_and_judge(self, project_dir: Path, mock: ThreadedMock) -> None:
        tests = (
            "def test_a(chat, base_chat, judge):\n"
            "    assert chat('Hello') != base_chat('Hello')\n"
            "    assert judge(chat('Hello'), 'It greets.')\n"
        )
        write(project_dir, mock, tests, judge="base")
        mock.answer = lambda body: (
            json.dumps({"met": "welcome" in body["messages"][-1]["content"], "reason": "so"})
            if "Requirement: It greets." in body["messages"][-1]["content"]
            else talk(body)
        )
        done = session(project_dir, "suites/shop/test_memory.py", "--target", "candidate", "-v")
        assert done.words["test_a[candidate]"] == "PASSED", done.out
        assert done.words["test_a[base]"] == "TOLERATED"

    def test_no_judge_is_said(self, project_dir: Path, mock: ThreadedMock) -> None:
        done = self.run(project_dir, mock, "def test_a(judge):\n    judge('a', 'b')\n")
        assert done.words["test_a[candidate]"] == "ERROR"
        assert "no judge is configured" in done.out


class TestBadInput:
    def test_without_a_target_they_are_left_alone(self, project: Path) -> None:
        done = session(project, "suites")
        assert done.code == 4
        assert "needs --target NAME" in done.err
        (project / "test_other.py").write_text("def test_b():\n    pass\n")
        done = session(project, ".")
        assert (done.code, "1 passed" in done.tail) == (0, True)

    def test_the_fixtures_are_for_tests_that_a_suite_names(self, project: Path) -> None:
        (project / "suites/shop/test_stray.py").write_text("def test_b(chat):\n    pass\n")
        done = session(project, "suites/shop/test_stray.py", "--target", "candidate")
        assert "is for the tests of a suite" in done.out

    def test_stored_answers_alone_skip_them(self, project: Path) -> None:
        session(project, "suites", "--target", "candidate")
        done = session(project, "suites", "--target", "candidate", "--harness-stored", "-v")
        assert done.words["test_greets[candidate]"] == "SKIPPED"
        assert done.words[f"rule::{METRIC}[candidate]"] == "PASSED"

    @pytest.mark.parametrize(
        ("mark", "message"),
        [
            ("weight=3", "case(): weight: unknown key"),
            ("'manners'", "case() takes group=, critical= and tags="),
            ("group=5", "case(): group"),
            ("group=' '", "case(): group"),
            ("tags='faq'", "case(): tags"),
            ("tags=[1]", "case(): tags"),
            ("critical='no'", "case(): critical"),
        ],
    )
    def test_a_mark_that_cannot_be_read_is_one_line(
        self, project_dir: Path, mock: ThreadedMock, mark: str, message: str
    ) -> None:
        tests = f"import pytest\n@pytest.mark.case({mark})\ndef test_a(chat):\n    pass\n"
        write(project_dir, mock, tests)
        done = session(project_dir, "suites", "--target", "candidate")
        assert done.code == 4
        assert f"test_memory.py::test_a[candidate]: {message}" in done.err + done.out

    def test_a_file_that_is_named_outright_needs_a_target(self, project: Path) -> None:
        done = session(project, "suites/shop/test_memory.py")
        assert (done.code, "needs --target NAME" in done.err) == (4, True)

    def test_other_names_for_tests_make_a_part(self, project: Path) -> None:
        arguments = ("-o", "python_functions=test_greets", "--target", "candidate")
        done = session(project, "suites/shop/test_memory.py", *arguments)
        assert recordings(project) == {}
        assert "only a part" in done.out


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
        assert "has no scores of the Python tests of shop.memory: " in found["problems"][0]
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
        told = "the Python tests of shop.memory were begun again since and did not come to an end"
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
