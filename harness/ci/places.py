"""Where a project's rules and cases stand, as seen from the root of its repository."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from harness.ci.annotations import Place, Places
from harness.files import seen_from
from harness.records.comparison import Comparison
from harness.session.context import GateContext
from harness.yaml_files import line_of


def repository_root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that CI checked the repository out to; elsewhere the current one."""
    given = environment.get("GITHUB_WORKSPACE") or environment.get("CI_PROJECT_DIR")
    return Path(given or Path.cwd())


def find_places(context: GateContext, comparison: Comparison, config: Path, root: Path) -> Places:
    """Where the policy's rules and the cases that newly fail stand."""
    file = seen_from(root, config)
    found: dict[str, Place] = {}
    for suite in context.suites:
        for section in suite.sections:
            failing = {
                case.case: case.path
                for case in comparison.cases
                if case.change == "new_failure"
                and (case.suite, case.section) == (suite.name, section.name)
            }
            for case, (path, line) in section.locate(Path(suite.folder), failing).items():
                found[failing[case]] = Place(seen_from(root, path), line)
    rules = tuple(
        Place(file, line_of(config, f"gate.rules[{place}]"))
        for place in range(len(context.policy.rules))
    )
    return Places(Place(file, line_of(config, "gate")), rules, found)
