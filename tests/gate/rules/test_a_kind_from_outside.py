"""A kind of rule that lives here goes wherever the package's own go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import harness
from harness.records.rule import find_kind, register_rule, rule_kinds
from tests.cli.builders import call
from tests.gate.rules.worst_group import WorstGroupAtLeast
from tests.pytest_plugin.sessions import session

METRIC = "shop.gold.accuracy"
CONFTEST = """
from harness.records.rule import register_rule
from tests.gate.rules.worst_group import WorstGroupAtLeast

register_rule(WorstGroupAtLeast)
"""


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    rule_kinds.cache_clear()
    register_rule(WorstGroupAtLeast)
    yield
    rule_kinds.cache_clear()


@pytest.fixture
def ruled(project_dir: Path) -> Path:
    """A project with a rule of that kind, which the candidate passes and the base would not."""
    path = project_dir / "harness.yaml"
    config = yaml.safe_load(path.read_text())
    rule = {"metric": METRIC, "require": "worst_group_at_least", "value": 0.9}
    config["gate"]["rules"].append(rule)
    path.write_text(yaml.safe_dump(config))
    return project_dir


def test_it_is_found_beside_the_packages_own() -> None:
    assert find_kind("worst_group_at_least", METRIC) is WorstGroupAtLeast


def test_its_keys_are_checked_where_the_configuration_is_read(
    ruled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("validate") == 0
    path = ruled / "harness.yaml"
    good = path.read_text()
    path.write_text(good.replace("value: 0.9", "valeu: 0.9"))
    assert call("validate") == 2
    assert "gate.rules.4.valeu: unknown key; did you mean `value`?" in capsys.readouterr().err
    path.write_text(good.replace("worst_group_at_least", "worst_group_at_lest"))
    assert call("validate") == 2
    said = "no kind of rule `worst_group_at_lest`; did you mean `worst_group_at_least`?"
    assert f"gate.rules.4.require: {said}" in capsys.readouterr().err


def test_it_is_judged_and_reported_in_every_form(
    ruled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    assert call("gate", "candidate", "--stored") == 0
    reason = f"{METRIC} of group g0 is 1.000, 0.9 is asked"
    assert reason in capsys.readouterr().out
    folder = ruled / "reports/candidate-vs-base"
    rule = json.loads((folder / "verdict.json").read_text())["rules"][-1]
    assert (rule["require"], rule["outcome"], rule["limit"], rule["reason"]) == (
        "worst_group_at_least", "pass", 0.9, reason,
    )  # fmt: skip
    for name in ("report.html", "report.md"):
        assert "at least 90.0% in every group" in (folder / name).read_text().replace("\\", "")
    assert METRIC in (folder / "junit.xml").read_text()

    assert call("report", "--history") == 0
    page = (ruled / "reports/history/shop/history.html").read_text()
    assert "at least 90.0% in every group" in page

    capsys.readouterr()
    assert call("compare", "candidate") == 0
    assert call("compare", "candidate", "--json") == 0
    assert call("power") == 0
    assert call("power", "candidate") == 0
    assert capsys.readouterr().out.count("the worst group has no spread") == 2

    found = harness.gate("candidate", stored=True)
    assert list(found.rules()["require"])[-1] == "worst_group_at_least"


def test_it_is_an_item_of_pytest(ruled: Path) -> None:
    (ruled / "conftest.py").write_text(CONFTEST)
    done = session(ruled, "-v", "--harness-target=candidate")
    items = [name for name in done.words if "worst_group_at_least" in name]
    assert [done.words[name] for name in items] == ["PASSED"], done.out + done.err


def test_its_results_stay_readable_where_it_is_not_installed(
    ruled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", "candidate") == 0
    rule_kinds.cache_clear()
    config = ruled / "harness.yaml"
    kept = yaml.safe_load(config.read_text())
    kept["gate"]["rules"].pop()
    config.write_text(yaml.safe_dump(kept))
    assert call("report", "--history") == 0
    page = (ruled / "reports/history/shop/history.html").read_text()
    assert "worst group at least" in page
