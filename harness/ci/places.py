"""Where a project's rules and cases stand, as seen from the root of its repository."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from harness.ci.annotations import Place, Places
from harness.files import seen_from
from harness.records.comparison import Comparison
from harness.session.evidence import Bench
from harness.suites.places import case_lines
from harness.yaml_files import line_of


def repository_root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that CI checked the repository out to; elsewhere the current one."""
    given = environment.get("GITHUB_WORKSPACE") or environment.get("CI_PROJECT_DIR")
    return Path(given or Path.cwd())


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


def _defined(file: Path, test: str) -> int | None:
    """The line that defines a Python test, whose name may have a class before and values after."""
    name = re.escape(test.partition("[")[0].rpartition("::")[2])
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    found = re.search(rf"^\s*(async )?def {name}\b", text, re.MULTILINE)
    return None if found is None else text.count("\n", 0, found.end()) + 1
