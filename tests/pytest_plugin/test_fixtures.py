"""Fixtures of Python tests, and the scores that come of the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ThreadedMock
from tests.mock_server import MockReply
from tests.pytest_plugin.builders import METRIC, recordings, talk, write
from tests.pytest_plugin.sessions import junit_tests, session

FIXTURE = """
import pytest

@pytest.fixture
def broken():
    assert False

def test_a(broken):
    pass
"""


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
