"""Where rules stand, and how a repository sees a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.ci.annotations import Place, build_annotations, find_places, repository_root
from harness.files import seen_from
from harness.gate.compare import compare
from harness.records.recording import Recording
from harness.sections.python import PythonSection
from harness.session.context import open_context
from tests.builders import make_run, recorded, shop


def test_a_file_is_seen_from_the_root_or_as_it_is(tmp_path: Path) -> None:
    assert seen_from(tmp_path, tmp_path / "a/b.yaml") == "a/b.yaml"
    assert seen_from(tmp_path / "a", tmp_path / "b.yaml") == str(tmp_path / "b.yaml")


def test_the_root_is_what_ci_checked_out(tmp_path: Path) -> None:
    assert repository_root({"GITHUB_WORKSPACE": "/w"}) == Path("/w")
    assert repository_root({"CI_PROJECT_DIR": "/p"}) == Path("/p")
    assert repository_root({}) == Path.cwd()


TESTS = """\
import pytest

# def test_keeps_the_name
def test_keeps_the_name_of_a_friend(chat): ...


def test_keeps_the_name(chat): ...


class TestRefunds:
    @pytest.mark.parametrize("days", [1, 2])
    async def test_late(self, chat, days): ...
"""


def test_a_python_test_that_newly_fails_is_told_where_it_is_defined(tmp_path: Path) -> None:
    project, (suite,) = shop(tmp_path)
    (tmp_path / "suites/shop/test_memory.py").write_text(TESTS)
    section = PythonSection(name="memory", file="test_memory.py")
    suites = (suite.model_copy(update={"sections": (*suite.sections, section)}),)
    lines = {
        "test_keeps_the_name": 7,
        "TestRefunds::test_late[2]": 12,
        "test_that_is_made_up": None,
    }
    ours, theirs = (
        make_run(project, suites, "base").with_recording(
            Recording(freshness=0, sections=(recorded("memory", **dict.fromkeys(lines, value)),))
        )
        for value in (0.0, 1.0)
    )
    compared = compare(ours, theirs, suites)
    context = replace(open_context(project, ["candidate"], None, ()), suites=suites)
    places = find_places(context, compared, tmp_path / "harness.yaml", tmp_path)
    file = "suites/shop/test_memory.py"
    assert places.cases == {
        f"shop/memory/{name}": Place(file, line) for name, line in lines.items()
    }
    verdict = context.judge(compared)
    told = {one.title: one.place for one in build_annotations(verdict, compared, places)}
    for name, line in lines.items():
        assert told[f"New failure: shop/memory/{name}"] == Place(file, line)
