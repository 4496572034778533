"""Python tests are counted from the text of their file, which is never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.sections.tests_in_source import SourceTests, read_tests

TESTS = """
import pytest
import no_such_package

raise SystemExit("run")

pytestmark = [pytest.mark.case(tags=["all"])]


def helper():
    pass


@pytest.mark.case(group="names")
@pytest.mark.parametrize("name", ["Anna", "Bo"])
@pytest.mark.parametrize(argnames="twice", argvalues=(1, 2, 3))
def test_remembers(chat, name, twice):
    pass


@pytest.mark.case(critical=True)
class TestPills:
    pytestmark = pytest.mark.slow

    async def test_none(self, chat):
        pass

    @pytest.mark.case(critical=False, group="names")
    def test_some(self, chat):
        pass
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "test_talk.py"


def test_tests_are_counted_with_their_marks(file: Path) -> None:
    file.write_text(TESTS)
    assert read_tests(file) == SourceTests(tests=8, groups=2, critical=1)


@pytest.mark.parametrize(
    "mark",
    [
        'parametrize("name", NAMES)',
        'parametrize("name", ["Anna", *NAMES])',
        "case(group=NAME)",
    ],
)
def test_what_only_running_tells_leaves_the_count_open(file: Path, mark: str) -> None:
    file.write_text(f"@pytest.mark.{mark}\ndef test_one(chat, name):\n    pass\n")
    found = read_tests(file)
    assert not found.exact
    assert found.tests >= 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def test_one(:\n", "line 1: "),
        ("nothing = 1\n", "holds no test"),
        ("x = '\0'\n", "source code "),
    ],
)
def test_a_file_without_tests_says_why(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    assert said in read_tests(file).problem


def test_a_file_that_cannot_be_read_says_why(file: Path) -> None:
    file.write_bytes(b"\xff")
    assert "UTF-8" in read_tests(file).problem
