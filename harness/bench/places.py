"""Where a project's rules and cases stand, as seen from the root of its repository."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from harness.bench.evidence import Bench
from harness.records.comparison import Comparison
from harness.report.annotations import Place, Places
from harness.suites.places import case_lines

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def repository_root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that CI checked the repository out to; elsewhere the current one."""
    given = environment.get("GITHUB_WORKSPACE") or environment.get("CI_PROJECT_DIR")
    return Path(given or Path.cwd())


def seen_from(root: Path, path: Path) -> str:
    """The path relative to the root, where it lies below it."""
    full, root = path.resolve(), root.resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else full.as_posix()


def find_places(bench: Bench, comparison: Comparison, config: Path, root: Path) -> Places:
    """Where the policy's rules and the cases that newly fail stand."""
    file = seen_from(root, config)
    found: dict[str, Place] = {}
    for suite in bench.suites:
        failing = {
            case.case: case.path
            for case in comparison.cases
            if case.change == "new_failure" and case.suite == suite.name
        }
        for case, (path, line) in case_lines(suite, failing).items():
            found[failing[case]] = Place(seen_from(root, path), line)
        for tests in suite.tests:
            path = Path(suite.folder) / tests.file
            for case, full in failing.items():
                if full.startswith(f"{suite.name}/{tests.name}/"):
                    found[full] = Place(seen_from(root, path), _defined(path, case))
    rules = tuple(
        Place(file, line_of(config, f"gate.rules[{place}]"))
        for place in range(len(bench.policy.rules))
    )
    return Places(Place(file, line_of(config, "gate")), rules, found)


def line_of(file: Path, key: str) -> int | None:
    """The line of a key such as `gate.rules[2].metric` in a YAML file, or of the last known part.

    None where the file cannot be read or knows not even the first part.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    line: int | None = None
    for name, index in _STEP.findall(key):
        step = _child(node, name or int(index))
        if step is None:
            break
        line, node = step
    return line


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        items: Sequence[yaml.Node] = node.value
        return (_line(items[step]), items[step]) if step < len(items) else None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return _line(key), value
    return None


def _defined(file: Path, test: str) -> int | None:
    """The line that defines a Python test, whose name may have a class before and values after."""
    name = re.escape(test.partition("[")[0].rpartition("::")[2])
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    found = re.search(rf"^\s*(async )?def {name}\b", text, re.MULTILINE)
    return None if found is None else text.count("\n", 0, found.end()) + 1


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
