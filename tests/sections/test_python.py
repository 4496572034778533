from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import SuiteError
from harness.records.suite import Suite
from harness.sections.python import PythonSection
from harness.sections.section_kinds import kinds
from harness.suites import load_suite
from harness.suites.load import DOMAIN
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
    return load_suite(suite, kinds())


TESTS = {"tests": "test_memory.py"}


def test_python_tests_are_a_section_with_a_metric(tmp_path: Path) -> None:
    suite = load(tmp_path, TESTS, test_memory="")
    (tests,) = (each for each in suite.sections if isinstance(each, PythonSection))
    assert (tests.name, tests.file) == ("memory", "test_memory.py")
    assert "shop.memory.accuracy" in dict(suite.definitions())
    assert "memory" not in [section.name for section in suite.asked]


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


def test_the_digest_knows_the_data_that_tests_may_read(tmp_path: Path) -> None:
    def digest(section: Any, *files: tuple[str, str]) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        load(folder, section, test_memory="a = 1")
        for name, text in files:
            path = folder / "suites/shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return load_suite(folder / "suites/shop", kinds()).digest

    bare = digest(TESTS)
    assert digest(TESTS, ("wanted.json", "[1]")) == digest(TESTS, ("wanted.json", "[1]"))
    others = [
        digest(TESTS, ("wanted.json", "[1]")),
        digest(TESTS, ("wanted.json", "[2]")),
        digest(TESTS, ("other.json", "[2]")),
        digest(TESTS, ("data/deep/wanted.json", "[2]")),
        digest(TESTS, ("forms.py", "a = 1")),
    ]
    assert len({bare, *others}) == 6
    for name in ("README.md", ".draft", ".cache/a", "__pycache__/a.pyc", "more/suite.yaml"):
        assert digest(TESTS, (name, "a")) == bare, name
    assert digest(None, ("wanted.json", "[1]")) == digest(None)  # no test reads it


def test_data_in_a_projects_own_folder_lies_beside_the_suite(tmp_path: Path) -> None:
    def digest() -> str:
        return load_suite(suite, kinds()).digest

    load(tmp_path, TESTS, test_memory="a = 1")
    suite = tmp_path / "suites/shop"
    (suite / "harness.yaml").write_text("")
    bare = digest()
    (suite / "reports").mkdir()
    (suite / "reports/report.json").write_text("{}")
    assert digest() == bare
    (suite / "wanted.json").write_text("[]")
    assert digest() != bare


def test_too_much_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.suites.data._MOST", 1)
    load(tmp_path, TESTS, test_memory="a = 1")
    for name in ("a.json", "b.json"):
        (tmp_path / "suites/shop" / name).write_text("")
    with pytest.raises(SuiteError, match="more than 1 files beside its Python tests"):
        load_suite(tmp_path / "suites/shop", kinds())


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"tests": "test_memory.py", "scorer": "gold"}, "scorer: unknown key"),
        ({"tests": "memory.py"}, "no test file of pytest's"),
        ({"tests": "../test_memory.py"}, "no test file of pytest's"),
        ({"tests": "test_gone.py"}, "tests: no such file: `test_gone.py`"),
        ({"tests": 3}, "tests: must be text, not a number"),
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
        load_suite(tmp_path / "suites/shop", kinds())


def test_python_tests_alone_are_a_suite(tmp_path: Path) -> None:
    (tmp_path / "test_memory.py").write_text("")
    whole = {**suite_yaml(), "sections": {"memory": TESTS}}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(whole))
    suite = load_suite(tmp_path, kinds())
    assert suite.asked == ()
    assert list(dict(suite.definitions())) == ["shop.memory.accuracy"]


def test_results_rest_on_the_files_of_the_section_unless_the_code_reads_cases(
    tmp_path: Path,
) -> None:
    def parts(name: str, **files: str) -> set[str]:
        suite = load(tmp_path / name, TESTS, **files)
        (tests,) = (each for each in suite.sections if isinstance(each, PythonSection))
        assert "parts" not in tests.model_dump()
        return set(tests.parts)

    assert parts("one", test_memory="a = 1") == {"test_memory.py", DOMAIN}
    both = parts("two", test_memory="a = 1", conftest="b = 1", words="c = 1")
    assert both == {"test_memory.py", "conftest.py", "words.py", DOMAIN}
    assert parts("three", test_memory="a = 1", words="CASES = 'gold.jsonl'") == set()


def test_results_rest_on_the_whole_suite_where_the_code_uses_the_tests_of_another_section(
    tmp_path: Path,
) -> None:
    def parts(code: str, beside: str = "", **written: str) -> dict[str, str]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        files = {"test_memory": code, "test_tone": "LIMIT = 3", "conftest": beside}
        load(folder, **files)
        whole = {**suite_yaml(), **written}
        whole["sections"] |= {"memory": TESTS, "tone": {"tests": "test_tone.py"}}
        (folder / "suites/shop/suite.yaml").write_text(yaml.safe_dump(whole))
        suite = load_suite(folder / "suites/shop", kinds())
        return next(one.parts for one in suite.sections if one.name == "memory")

    alone = parts("a = 1")
    assert set(alone) == {"test_memory.py", "conftest.py", DOMAIN}
    for code in ("from test_tone import LIMIT", "import importlib", "from os import popen"):
        assert parts(code) == parts("a = 1", code) == {}
    # The judge of a test is told it.
    assert parts("a = 1", domain="Other things") != alone
