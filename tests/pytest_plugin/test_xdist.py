"""With pytest-xdist: one asking, by the controller, for all workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ThreadedMock
from tests.pytest_plugin.sessions import session
from tests.shop import answer

pytestmark = pytest.mark.slow


def spread(folder: Path, *arguments: str):
    return session(folder, "-p", "xdist", "-p", "xdist.looponfail", "-n", "2", *arguments)


@pytest.mark.parametrize("dist", ["load", "loadfile"])
def test_everything_is_asked_once_and_judged(
    project_dir: Path, mock: ThreadedMock, dist: str
) -> None:
    done = spread(project_dir, "suites", "--target", "candidate", "--dist", dist, "-v")
    assert done.code == 0, done.out + done.err
    assert len(mock.server.requests) == 160
    assert len(done.words) == 84
    assert "PROMOTE  candidate against base: all 4 rules pass" in done.out


def test_workers_find_what_one_process_does(project_dir: Path, mock: ThreadedMock) -> None:
    alone = session(project_dir, "suites", "--target", "base", "-v")
    many = spread(project_dir, "suites", "--target", "base", "-v")
    assert many.words == alone.words
    assert (many.code, many.out.count("Here you are, number 0, for base.")) == (1, 1)
    assert len(mock.server.requests) == 80


def test_only_what_is_selected_is_asked(project_dir: Path, mock: ThreadedMock) -> None:
    done = spread(project_dir, "suites", "--target", "candidate", "-k", "g11 or s0", "-x")
    assert done.code == 0
    assert {one["messages"][-1]["content"] for one in mock.server.requests} == {
        "What is fact 11?",
        "Hack 0",
    }


def test_what_is_wrong_is_said_once(project_dir: Path, mock: ThreadedMock) -> None:
    from tests.mock_server import MockReply

    mock.answer = lambda _: MockReply("no", status=401)
    done = spread(project_dir, "suites", "--target", "candidate")
    assert done.code == 4
    assert (done.out + done.err).count("ERROR: harness: ") == 1
    assert "401" in done.err


def test_a_suite_that_does_not_load_stops_the_session(
    project_dir: Path, mock: ThreadedMock
) -> None:
    path = project_dir / "suites/shop/gold.jsonl"
    path.write_text(path.read_text().replace('"answers": ["value 3"]', '"answer": ["value 3"]'))
    (project_dir / "suites/test_own.py").write_text("def test_it(): pass\n")
    done = spread(project_dir, "suites", "--target", "candidate")
    assert done.code == 2
    assert done.out.partition("short test summary")[0].count("gold.jsonl:4: expect.") == 1
    assert "Interrupted: 1 error during collection" in done.out
    assert mock.server.requests == []


def test_a_forgotten_target_is_one_usage_error(project_dir: Path) -> None:
    done = spread(project_dir, "suites")
    assert done.code == 4
    assert "needs --target NAME; harness.yaml has base, candidate" in done.err


def test_tests_of_other_kinds_run_beside_the_cases(project_dir: Path, mock: ThreadedMock) -> None:
    mock.answer = answer
    (project_dir / "suites/test_own.py").write_text("def test_it(): pass\n")
    done = spread(project_dir, "suites", "--target", "candidate", "-m", "rule or not gold")
    assert (done.code, "45 passed" in done.tail) == (0, True)
