"""Which tests `make check` picks for a change."""

from __future__ import annotations

from tests.affected import ROOT, affected, importers_in, imports_of_tests

IMPORTERS = {"harness.low": {"harness.middle"}, "harness.middle": {"harness.top"}}
TESTS = {
    "tests/test_low.py": {"harness.low"},
    "tests/test_top.py": {"harness.top", "tests.builders"},
    "tests/test_other.py": {"harness.other"},
    "tests/builders.py": {"harness.middle"},
    "tests/e2e/test_all.py": {"harness.low"},
}


def test_the_nearest_come_first_and_what_is_not_reached_is_left_out() -> None:
    found = affected(["harness/low.py"], TESTS, IMPORTERS)
    assert found == ["tests/test_low.py", "tests/test_top.py"]


def test_a_changed_test_is_nearest_whatever_it_imports() -> None:
    found = affected(["tests/test_other.py", "harness/top.py"], TESTS, IMPORTERS)
    assert found == ["tests/test_other.py", "tests/test_top.py"]


def test_a_changed_builder_of_tests_reaches_those_who_use_it() -> None:
    assert affected(["tests/builders.py"], TESTS, IMPORTERS) == ["tests/test_top.py"]


def test_a_page_of_documentation_reaches_nothing() -> None:
    assert affected(["docs/gate.md"], TESTS, IMPORTERS) == []


def test_in_this_repository_a_scorer_reaches_its_own_tests_first() -> None:
    found = affected(["harness/scorers/gold.py"], imports_of_tests(ROOT), importers_in("harness"))
    assert found[0] == "tests/scorers/test_gold.py"


def test_in_this_repository_a_template_reaches_the_tests_of_its_reports() -> None:
    template = "harness/report/templates/report.html.j2"
    found = affected([template], imports_of_tests(ROOT), importers_in("harness"))
    assert any(file.startswith("tests/report/") for file in found[:10])
