"""Python tests are counted from the text of their file, which is never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.pytest_plugin.fixtures import CaseMark
from harness.sections.tests_in_source import MARK_KEYS, SourceTests, read_tests

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
    ("text", "said", "line"),
    [
        ("\ndef test_one(:\n", "no Python: invalid syntax", 2),
        ("nothing = 1\n", "holds no test", None),
        ("x = '\0'\n", "no Python: source code ", None),
    ],
)
def test_a_file_without_tests_says_why(file: Path, text: str, said: str, line: int | None) -> None:
    file.write_text(text)
    found = read_tests(file)
    assert said in found.problem
    assert found.line == line


@pytest.mark.parametrize(
    ("key", "said"),
    [("critcal", "no `critcal`; did you mean `critical`?"), ("owner", "there is group, critical")],
)
def test_a_key_that_the_mark_does_not_take_is_named_with_its_line(
    file: Path, key: str, said: str
) -> None:
    mark = f"@pytest.mark.case({key}=True, **MORE)\n"
    file.write_text(f"{mark}def test_one(chat):\n    pass\n")
    found = read_tests(file)
    assert said in found.problem
    assert (found.tests, found.line) == (1, 1)


def test_the_keys_are_those_that_the_mark_takes() -> None:
    assert set(MARK_KEYS) == CaseMark.model_fields.keys()


def test_a_file_that_cannot_be_read_says_why(file: Path) -> None:
    file.write_bytes(b"\xff")
    assert "UTF-8" in read_tests(file).problem
