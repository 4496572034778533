"""The house rules, held by machine."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import stats
from harness.config import load_project
from harness.gate.judge import check_policy
from harness.sections.section_kinds import load_suites
from harness.stats import Interval

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
SOURCES = sorted((ROOT / "harness").rglob("*.py"))


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports", "--no-cache"),
    ],
    ids=lambda command: " ".join(command),
)
def test_the_linters_are_content(command: tuple[str, ...]) -> None:
    line = [BIN / command[0], *command[1:]]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_over_400_lines_and_no_function_over_60() -> None:
    too_long = []
    for path in SOURCES:
        text = path.read_text()
        if text.count("\n") > 400:
            too_long.append(str(path))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno
                if length > 60:
                    too_long.append(f"{path}:{node.lineno} {node.name} {length}")
    assert too_long == []


def test_every_ignored_type_error_has_a_code_and_a_reason() -> None:
    bare = [
        f"{path}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "type: ignore" in line and not re.search(r"type: ignore\[[a-z-]+\]  # \S", line)
    ]
    assert bare == []


def test_the_shipped_suites_load_and_the_policy_fits_them() -> None:
    project = load_project(ROOT / "harness.yaml")
    suites = load_suites(project)
    check_policy(project.policy(), suites, project.place)
    sections = {section.name: section for section in suites[0].sections}
    assert len(sections["gold"].cases) >= 120
    assert len({case.group for case in sections["gold"].cases}) >= 40
    assert len(sections["scope"].cases) >= 80
    assert len(sections["tone"].cases) >= 40
    assert len(sections["general"].cases) >= 60


PUBLIC = {
    "harness.stats": "Agreement Interval Joint Slice Spread adaptive_gap audited_difference "
    "audited_mean effective_groups holm independent_difference joint_bounds krippendorff_alpha "
    "lost_p_values mean needed "
    "paired_difference paired_difference_of_ratios paired_ratio percentile percentile_ratio "
    "pooled_mean ratio_of_sums",
    "harness.perturb": "AS_WRITTEN Counterfactual Draw Perturbation Question Word counterfactuals "
    "perturbations read variants",
    "harness.scorers": "Judgement Registry Scorer Settings Unscored book get names register",
    "harness.suites": "LoadedSection SectionBook SectionSource lint_suite load_suite",
    "harness.training": "Conversation Divided OnProgress divide load_recipe read_data train",
}


@pytest.mark.parametrize("package", PUBLIC)
def test_public_names_are_pinned(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(module.__all__) == PUBLIC[package].split()
    assert all(hasattr(module, name) for name in module.__all__)


def test_the_arguments_of_the_statistics_are_pinned() -> None:
    shapes = {
        stats.mean: "(values, groups, *, alpha=0.05, seed=0)",
        stats.paired_difference: "(candidate, baseline, groups, *, alpha=0.05, seed=0)",
        stats.paired_ratio: (
            "(candidate, baseline, groups, *, alpha=0.05, ceiling=None, missing=None)"
        ),
    }
    for function, shape in shapes.items():
        plain = [
            one.replace(annotation=inspect.Parameter.empty)
            for one in inspect.signature(function).parameters.values()
        ]
        assert str(inspect.Signature(plain)) == shape
    assert Interval.__slots__ == ("estimate", "low", "high", "p_value", "n", "groups")


def test_the_commands_in_the_readme_exist() -> None:
    from harness.cli.main import COMMANDS

    text = (ROOT / "README.md").read_text()
    used = set(re.findall(r"^\s*(?:\$ )?harness ([a-z]+)", text, re.MULTILINE))
    assert used
    assert used <= set(COMMANDS)
    targets = set(re.findall(r"^\s*(?:\$ )?make ([a-z]+)", text, re.MULTILINE))
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= targets <= made
