"""An outcome that a hook changed is no evidence, whichever hook it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.builders import call
from tests.conftest import ThreadedMock
from tests.pytest_plugin.builders import recordings, talk
from tests.pytest_plugin.builders import write as write_project
from tests.pytest_plugin.sessions import session

CALL = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    except AssertionError:
        return None
"""
REPORT = """
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        report.outcome = "passed"
    return report
"""
RECORD = REPORT.replace(
    'report.outcome = "passed"',
    """for name, given in vars(report).items():
            if name.startswith("harness_rec"):
                given[1:] = [one.replace("false", "true").replace("0.0", "1.0")
                             if isinstance(one, str) else one for one in given[1:]]""",
)
SENT = """
import pytest

def forge(data):
    for name, given in data.items():
        if name.startswith("harness_rec"):
            given[1:] = [one.replace("false", "true").replace("0.0", "1.0")
                         if isinstance(one, str) else one for one in given[1:]]

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_report_to_serializable(report):
    data = yield
    forge(data)
    return data

@pytest.hookimpl(tryfirst=True)
def pytest_report_from_serializable(data):
    forge(data)

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    forge(vars(report))
"""
BROKEN = CALL.replace("return None", 'raise RuntimeError("no matter")')
SKIPPED = CALL.replace("return None", 'pytest.skip("no matter")')
NOT_CALLED = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    return True
"""
REPLACED = """
def pytest_collection_modifyitems(items):
    for item in items:
        if "secret" in item.name:
            item.obj = lambda chat: None
"""
CASE = "test_keeps_the_secret"


def telling(body: dict[str, Any]) -> str:
    """The candidate tells the secret."""
    said = body["messages"][-1]["content"]
    return "It is 4711." if said == "What is the PIN?" else talk(body)


@pytest.fixture
def project(project_dir: Path, mock: ThreadedMock) -> Path:
    write_project(project_dir, mock)
    mock.answer = telling
    return project_dir


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (CALL, "AssertionError became nothing"),
        (REPORT, "became passed"),
        (BROKEN, "AssertionError became RuntimeError"),
        (SKIPPED, "AssertionError became Skipped"),
        (NOT_CALLED, "its function was not called"),
        (REPLACED, "its function was replaced"),
    ],
    ids=["call", "report", "broken", "skipped", "not called", "replaced"],
)
@pytest.mark.parametrize("place", ["conftest.py"])
def test_a_changed_outcome_is_not_recorded(place: str, code: str, what: str, project: Path) -> None:
    (project / place).write_text(code)
    done = session(project, "suites/shop/test_memory.py", "--target", "candidate")
    assert "was changed by a hook of conftest.py (" in done.out
    assert what in done.out
    assert "so none is recorded" in done.out
    assert recordings(project) == {}


def test_it_makes_a_gate_invalid_and_the_file_is_named(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "conftest.py").write_text(CALL)
    assert call("gate", "candidate") == 3
    told = capfd.readouterr()
    assert "INVALID  candidate against base" in told.out
    assert "was changed by a hook of conftest.py (AssertionError became nothing)" in told.err


@pytest.mark.parametrize(
    ("code", "place", "spread"),
    [
        (RECORD, "conftest.py", ()),
        (RECORD + SENT, "conftest.py", ("-p", "xdist.plugin", "-n", "2")),
        (SENT, "suites/shop/conftest.py", ("-p", "xdist.plugin", "-n", "2")),
    ],
    ids=["report", "sent report", "inner sent report"],
)
def test_what_a_hook_writes_into_a_report_is_not_what_is_recorded(
    code: str, place: str, spread: tuple[str, ...], project: Path
) -> None:
    (project / place).write_text(code)
    session(project, "suites/shop/test_memory.py", "--target", "candidate", *spread)
    for target in ("candidate", "base"):
        cases = {each["case"]["id"]: each["score"] for each in recordings(project)[target]}
        assert (cases[CASE]["value"], cases[CASE]["passed"]) == (0.0, False)


TESTS = """
import pytest

async def test_waits(chat):
    assert "4711" in chat("What is the PIN?")

class TestMethods:
    def test_method(self, chat):
        assert "nothing" in chat("What is the PIN?")

@pytest.mark.xfail
def test_expected(chat):
    assert "nothing" in chat("What is the PIN?")

def test_skips():
    pytest.skip("not today")

def test_raises():
    raise ValueError
"""


def test_what_pytest_itself_does_changes_nothing(project: Path) -> None:
    (project / "suites/shop/test_memory.py").write_text(TESTS)
    done = session(
        project, "suites/shop/test_memory.py", "--target", "candidate",
        "-p", "pytest_asyncio.plugin", "-o", "asyncio_mode=auto",
    )  # fmt: skip
    assert "was changed" not in done.out
    found = {each["case"]["id"]: each["score"] for each in recordings(project)["candidate"]}
    assert {name: (score["status"], score.get("value")) for name, score in found.items()} == {
        "test_waits": ("scored", 1.0),
        "TestMethods::test_method": ("scored", 0.0),
        "test_expected": ("scored", 0.0),
        "test_skips": ("unscored", None),
        "test_raises": ("unscored", None),
    }
