"""Python tests of a suite, in real sessions of pytest against a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ThreadedMock
from tests.pytest_plugin.builders import METRIC, recordings, write
from tests.pytest_plugin.sessions import cold_session, session

NAMES = [f"test_remembers[{name}]" for name in ("Anna", "Bo", "Cy", "Di")]


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
