"""The project in which mutants are judged: the candidate's own, with the mutants as targets."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.config import CONFIG_NAME, SEALED, Project, load_project
from harness.errors import ConfigError, UsageError
from harness.files import write_atomic
from harness.latency.latency_rule import latency_rules
from harness.mutation.operator import Mutant, Original
from harness.yaml_files import read_yaml

# In what mutants may be asked otherwise than the baseline.
_ACROSS = ("system_prompt", "temperature", "max_tokens", "min_tokens", "extra_body")
_TRUST = "trust-request-chat-template"


def write_project(original: Original, mutants: Sequence[Mutant]) -> tuple[Project, tuple[str, ...]]:
    """The mutants' project, written to the original's folder, and what of the policy it leaves out.

    Those are rules on latency, which would cost a measurement a mutant, and the holdout. What the
    configuration takes from the environment is still taken from there.

    Raises:
        UsageError: a mutant has the name of a target.
        StorageError: the folder cannot be written.
    """
    project, root = original.project, original.project.root
    data = read_yaml(root / Path(project.file).name, ConfigError).data
    data["suites"] = [_absolute(root, path) for path in data["suites"]]
    for server in data["servers"].values():
        if "model" in server:
            server["model"] = _absolute(root, server["model"])
        for name, value in server.get("args", {}).items():
            server["args"][name] = _absolute(root, value)
    for target in data["targets"].values():
        _make_absolute(root, target)
    if "labels" in data:
        data["labels"] = [str(root / pattern) for pattern in data["labels"]]
    data.pop("runs_dir", None)
    _add(original, mutants, data)
    left_out = _adapt_policy(project, data["gate"])
    folder = original.folder
    if project.policy().baseline.startswith(SEALED):
        shutil.copytree(project.baselines, folder / "baselines", dirs_exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / CONFIG_NAME, yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
    return load_project(folder / CONFIG_NAME), left_out


def _absolute(root: Path, value: Any) -> Any:
    """The value, as an absolute path where it is one of a file or folder of the project."""
    if isinstance(value, str) and value and "\n" not in value and (root / value).exists():
        return str(root / value)
    return value


def _make_absolute(root: Path, target: dict[str, Any]) -> None:
    for key in ("adapter", "few_shot"):
        if key in target:
            target[key] = _absolute(root, target[key])
    for key, inner in (("few_shot", "file"), ("retrieval", "documents")):
        if isinstance(target.get(key), dict):
            target[key] = {**target[key], inner: _absolute(root, target[key][inner])}
    if "data" in target:
        target["data"] = [_absolute(root, file) for file in target["data"]]


def _add(original: Original, mutants: Sequence[Mutant], data: dict[str, Any]) -> None:
    """Add the mutants to the targets: what the candidate has, and what is changed in it."""
    own = data["targets"][original.name]
    before = original.target.model_dump(mode="json")
    for mutant in mutants:
        if mutant.name in data["targets"]:
            raise UsageError(
                f"a target has the name of a mutant, `{mutant.name}`",
                where=original.project.place(f"targets.{mutant.name}"),
                hint="give it another name",
            )
        after = mutant.target.model_dump(mode="json")
        changed = {key: value for key, value in after.items() if value != before.get(key)}
        data["targets"][mutant.name] = {**own, **changed}
    if any("chat_template" in _extra(mutant) for mutant in mutants):
        server = data["servers"][original.target.server]
        server["args"] = {**server.get("args", {}), _TRUST: True}


def _extra(mutant: Mutant) -> dict[str, Any]:
    return dict(mutant.target.generation.get("extra_body") or {})


def _adapt_policy(project: Project, gate: dict[str, Any]) -> tuple[str, ...]:
    policy = project.policy()
    latency = latency_rules(policy)
    kept = [rule not in latency for rule in policy.rules]
    gate["rules"] = [rule for rule, keep in zip(gate["rules"], kept, strict=True) if keep]
    gate["compare_across"] = sorted({*policy.compare_across, *_ACROSS})
    # All answers are wanted, and a mutant is not worth a look at what was held out.
    gate.pop("sequential", None)
    held_out = (f"the holdout {gate.pop('holdout')}",) if "holdout" in gate else ()
    return (*(f"{rule.metric} {rule.require}" for rule in latency), *held_out)
