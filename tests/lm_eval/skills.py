"""The example's project with a micro model of random weights, small enough for a test."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

EXAMPLE = Path(__file__).parents[2] / "examples/benchmarks"
SUITE = "suites/skills"
GROUP = """
group: both
task: [sums, {task: more, num_fewshot: 1}]
aggregate_metric_list: [{metric: acc, weight_by_size: true}]
"""
SECTIONS: dict[str, dict[str, Any]] = {
    "sums": {"lm_eval": "both.yaml", "limit": 6, "fewshot_as_multiturn": False},
    "reading": {
        "lm_eval": "reading.yaml", "limit": 6, "apply_chat_template": True, "group_by": "note",
    },
    "prose": {"lm_eval": ["prose.yaml"], "limit": 4},
}  # fmt: skip


def write_skills(
    folder: Path, servers: dict[str, Any], targets: dict[str, Any], **sections: Any
) -> Path:
    """The folder with a project of the example's tasks, in the sections given or in all three."""
    suite = folder / SUITE
    shutil.copytree(EXAMPLE / SUITE, suite)
    (suite / "both.yaml").write_text(GROUP)
    (suite / "more.yaml").write_text("include: sums.yaml\ntask: more\n")
    written = yaml.safe_load((suite / "suite.yaml").read_text())
    written["sections"] = sections or SECTIONS
    (suite / "suite.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    rules: list[dict[str, Any]] = [
        {"metric": f"skills.{name}.{metric}", "require": "no_worse_than_baseline", "margin": 0.3}
        for name, metric in (("sums", "acc"), ("reading", "exact_match@word"))
        if name in written["sections"]
    ]
    rules = rules or [{"require": "no_new_critical_failures"}]
    config = {
        "suites": [SUITE], "servers": servers, "targets": targets,
        "gate": {"baseline": "base", "rules": rules},
    }  # fmt: skip
    (folder / "harness.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder
