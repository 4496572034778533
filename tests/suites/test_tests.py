from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import SuiteError
from harness.records.suite import Suite
from harness.scorers.registry import book
from harness.suites import load_suite
from tests.shop import suite_yaml, write_project


def load(folder: Path, section: Any = None, **files: str) -> Suite:
    write_project(folder, "http://127.0.0.1:1")
    suite = folder / "suites/shop"
    written = suite_yaml()
    if section is not None:
        written["sections"]["memory"] = section
    (suite / "suite.yaml").write_text(yaml.safe_dump(written))
    for name, text in files.items():
        (suite / f"{name}.py").write_text(text)
    return load_suite(suite, book())


TESTS = {"tests": "test_memory.py"}


def test_python_tests_are_a_section_with_a_metric(tmp_path: Path) -> None:
    suite = load(tmp_path, TESTS, test_memory="")
    assert [(each.name, each.file) for each in suite.tests] == [("memory", "test_memory.py")]
    assert "shop.memory.accuracy" in suite.metrics()
    assert "memory" not in [section.name for section in suite.sections]


def test_the_digest_knows_the_code_of_the_tests(tmp_path: Path) -> None:
    def digest(name: str, *given: Any, **files: str) -> str:
        return load(tmp_path / name, *given, **files).digest

    bare = digest("bare", test_memory="a = 1")
    one = digest("one", TESTS, test_memory="a = 1")
    assert digest("again", TESTS, test_memory="a = 1") == one
    others = {
        bare,
        one,
        digest("edited", TESTS, test_memory="a = 2"),
        digest("beside", TESTS, test_memory="a = 1", conftest="b = 1"),
    }
    assert len(others) == 4
    assert digest("stray", test_memory="a = 2") == bare  # it scores nothing


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"tests": "test_memory.py", "scorer": "gold"}, "scorer: unknown key"),
        ({"tests": "memory.py"}, "no test file of pytest's"),
        ({"tests": "../test_memory.py"}, "no test file of pytest's"),
        ({"tests": "test_gone.py"}, "test_gone.py: no such file"),
        ({"tests": 3}, "tests: Input should be a valid string"),
    ],
)
def test_bad_sections_are_named(tmp_path: Path, section: dict[str, Any], message: str) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        load(tmp_path, section, test_memory="")
    assert "suites/shop" in str(caught.value)


def test_two_sections_cannot_share_a_file(tmp_path: Path) -> None:
    write_project(tmp_path, "http://127.0.0.1:1")
    written = suite_yaml()
    written["sections"] |= {"memory": TESTS, "manners": TESTS}
    (tmp_path / "suites/shop/suite.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    (tmp_path / "suites/shop/test_memory.py").write_text("")
    with pytest.raises(SuiteError, match=r"sections\.manners: .* is that of section `memory`"):
        load_suite(tmp_path / "suites/shop", book())


def test_python_tests_alone_are_no_suite(tmp_path: Path) -> None:
    (tmp_path / "test_memory.py").write_text("")
    whole = {**suite_yaml(), "sections": {"memory": TESTS}}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(whole))
    with pytest.raises(SuiteError, match="a section with `cases` beside them"):
        load_suite(tmp_path, book())
