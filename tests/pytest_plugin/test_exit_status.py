"""A session passes by answers and rules, whatever a conftest.py or the configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.pytest_plugin.exit_status import is_part
from tests.conftest import ThreadedMock
from tests.pytest_plugin.builders import write
from tests.pytest_plugin.sessions import cold_session, session
from tests.shop import answer

PASSING = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report
"""
MARKED = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.{mark})

def pytest_runtest_setup(item):
    if {skips}:
        pytest.skip("not today")
"""
REMOVED = """
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "rule" not in item.nodeid and "s0" not in item.nodeid]
"""
SUCCESS = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    yield
    session.exitstatus = 0

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_unconfigure(config):
    yield
    config.pluginmanager.getplugin("session").exitstatus = 0
"""
NOT_RUN = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    return True
"""
IGNORED = (
    "def pytest_ignore_collect(collection_path):\n    return collection_path.suffix == '.yaml'\n"
)


def weak(body: dict[str, Any]) -> str:
    """The candidate answers like the base, so that it is no better."""
    return answer({**body, "model": "base"}) + f" {body['model']}"


BLOCKED, INNER = "exit status 1: candidate: BLOCK", "suites/shop/conftest.py"


@pytest.mark.parametrize(
    ("code", "told", "place"),
    [
        (PASSING, BLOCKED, "conftest.py"),
        (PASSING, BLOCKED, INNER),
        (MARKED.format(mark="xfail", skips=False), BLOCKED, "conftest.py"),
        (MARKED.format(mark="skip", skips=False), BLOCKED, "conftest.py"),
        (MARKED.format(mark="cases", skips=True), BLOCKED, "conftest.py"),
        (REMOVED, "exit status 1: 4 rules were left out", "conftest.py"),
        (SUCCESS, "BLOCK  candidate against base", "conftest.py"),
        (SUCCESS, "BLOCK  candidate against base", INNER),
        (NOT_RUN, BLOCKED, "conftest.py"),
        (NOT_RUN, "exit status 1: nothing was asked", INNER),
    ],
    ids=["passed", "inner passed", "xfail", "skip", "skips", "removed", "status", "inner status",
         "not run", "inner not run"],
)  # fmt: skip
def test_no_conftest_makes_a_block_pass(
    code: str, told: str, place: str, project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = weak
    (project_dir / place).write_text(code)
    done = session(project_dir, "suites", "--target", "candidate")
    assert (done.code, told in done.out) == (1, True), done.out


def test_nor_with_workers(project_dir: Path, mock: ThreadedMock) -> None:
    mock.answer = weak
    (project_dir / "conftest.py").write_text(PASSING)
    done = cold_session(
        project_dir, "suites", "--target", "candidate", "-p", "xdist.plugin", "-n", "2"
    )
    assert (done.code, BLOCKED in done.out) == (1, True), done.out


def test_a_critical_case_fails_the_session_whatever_becomes_of_its_report(
    project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = weak
    (project_dir / "conftest.py").write_text(PASSING)
    done = session(project_dir, "suites", "--target", "candidate", "-m", "scope")
    assert done.code == 1
    assert "exit status 1: candidate: critical cases fail: shop/scope/s0\n" in done.out


def test_so_does_a_critical_python_test(project_dir: Path, mock: ThreadedMock) -> None:
    write(project_dir, mock)
    mock.answer = lambda body: "It is 4711."
    outside = PASSING.replace("wrapper=True", "wrapper=True, tryfirst=True")
    (project_dir / "conftest.py").write_text(outside)
    done = session(project_dir, "suites/shop/test_memory.py", "--target", "candidate")
    assert done.code == 1
    assert "candidate: critical cases fail: shop/memory/test_keeps_the_secret\n" in done.out


@pytest.mark.parametrize(
    "part",
    [("-m", "not rule"), ("-k", "not rule"), ("--deselect", "suites/shop/suite.yaml::rule")],
)
def test_without_rules_there_is_no_verdict_and_that_is_said(
    part: tuple[str, ...], project_dir: Path, mock: ThreadedMock
) -> None:
    mock.answer = lambda body: (
        answer({**body, "model": "candidate"})
        if body["messages"][-1]["content"].startswith("Hack")
        else weak(body)
    )
    done = session(project_dir, "suites", "--target", "candidate", *part)
    assert done.code == 0
    assert "no verdict: rules not selected" in done.out
    assert "30 failing cases tolerated (" in done.out
    assert "the rules decide" not in done.out


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\naddopts = -m 'not rule'\n"),
        ("pytest.ini", "[pytest]\naddopts = --deselect suites/shop/suite.yaml::rule\n"),
        ("suites/conftest.py", IGNORED),
    ],
)
def test_what_leaves_rules_out_behind_the_command_line_fails_the_session(
    file: str, text: str, project_dir: Path, mock: ThreadedMock
) -> None:
    write(project_dir, mock)
    (project_dir / file).write_text(text)
    done = session(project_dir, "suites", "--target", "candidate")
    assert done.code == 1
    assert "no verdict: rules not selected" in done.out
    assert "exit status 1: 5 rules were left out, and not by the command line" in done.out


def test_a_promotion_passes_also_where_the_baseline_is_a_target(
    project_dir: Path, mock: ThreadedMock
) -> None:
    done = session(project_dir, "suites", "--target", "candidate")
    assert (done.code, "exit status" in done.out) == (0, False)


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("suites --target candidate -q", False),
        ("suites -vm gold", True),
        ("suites -k x", True),
        ("suites/a/suite.yaml::rule", True),
        ("suites --lf", True),
        ("suites --markers -pno:mark -rm", False),
    ],
)
def test_a_command_line_may_ask_for_a_part(line: str, part: bool) -> None:
    assert is_part(line.split()) is part
