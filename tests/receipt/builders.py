"""A small promotion, made without a server."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from harness.config import load_project
from harness.files import digest_json
from harness.gate.compare import compare
from harness.gate.differences import with_regressions
from harness.gate.judge import Circumstances, gate, with_power
from harness.gate.seal import promote
from harness.receipt.write import Promoted, write_receipt
from harness.records.comparison import Weigh
from harness.records.rule import Policy
from harness.records.verdict import VerdictHashes
from harness.run.score import fingerprint
from harness.sections.section_kinds import load_suites
from harness.version import __version__
from tests.builders import changed, make_run
from tests.shop import config, gold_cases, scope_cases, suite_yaml, write_lines

NAME = "v1"
MOMENT = "2026-01-02T00:00:00Z"
RULES: list[dict[str, Any]] = [
    {"metric": "shop.gold.accuracy", "require": "no_worse_than_baseline", "margin": 0.5},
    {"require": "no_new_critical_failures"},
]


@dataclass(frozen=True)
class Sealed:
    """A promotion on disk: its folder of baselines, and the receipt."""

    folder: Path
    receipt: Path
    promoted: Promoted

    @property
    def evidence(self) -> Path:
        return self.folder / f"{NAME}.evidence.jsonl"

    @property
    def leaves(self) -> Path:
        return self.folder / f"{NAME}.leaves.txt"

    @property
    def seal(self) -> Path:
        return self.folder / f"shop/{NAME}.json"


def promotion(
    folder: Path, cases: int = 6, *, scorers: str | None = "known", weigh: Weigh = "cases"
) -> Sealed:
    """A promotion of a shop with so many cases a section; the runs say that of their `scorers`."""
    suite = folder / "suites/shop"
    suite.mkdir(parents=True)
    (suite / "suite.yaml").write_text(yaml.safe_dump(suite_yaml(), sort_keys=False))
    write_lines(suite / "gold.jsonl", gold_cases()[:cases])
    write_lines(suite / "scope.jsonl", scope_cases()[:cases])
    written = config("http://127.0.0.1:1")
    written["gate"] |= {"rules": RULES, "weigh": weigh}
    (folder / "harness.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    project = load_project(folder / "harness.yaml")
    suites = load_suites(project)
    given = fingerprint(suites) if scorers == "known" else scorers
    runs = [
        changed(make_run(project, suites, name), scorers=given) for name in ("candidate", "base")
    ]
    comparison, policy = compare(*runs, suites, weigh=weigh), Policy.model_validate(written["gate"])
    hashes = VerdictHashes(
        suites=digest_json({one.name: one.digest for one in suites}),
        config=project.digest,
        candidate=runs[0].digest(),
        baseline=runs[1].digest(),
    )
    now = Circumstances("base", hashes, __version__, MOMENT)
    verdict = with_power(gate(comparison, policy, now), comparison, policy)
    verdict = with_regressions(verdict, comparison)
    seals = promote(verdict, verdict, runs[0], now, NAME, project.baselines)
    promoted = Promoted(comparison, suites, policy, verdict, now)
    return Sealed(project.baselines, write_receipt(project, promoted, seals), promoted)


def sealed_again(made: Sealed, key: Any = None, **update: Any) -> Sealed:
    """The promotion written anew as a forger would, with every digest as it must be."""
    promoted = replace(made.promoted, **update)
    project = load_project(made.folder.parent / "harness.yaml")
    run, now = promoted.comparison.candidate, promoted.now
    seals = promote(promoted.verdict, promoted.verdict, run, now, NAME, project.baselines)
    receipt = write_receipt(project, promoted, seals, key)
    return replace(made, receipt=receipt, promoted=promoted)


def fields(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The place of every leaf of a JSON value."""
    if isinstance(value, dict) and value:
        return [place for key, each in value.items() for place in fields(each, (*at, key))]
    if isinstance(value, list) and value:
        return [place for key, each in enumerate(value) for place in fields(each, (*at, key))]
    return [at]


def mutated(value: Any, at: tuple[str | int, ...]) -> Any:
    """The value with another leaf at that place."""
    found = json.loads(json.dumps(value))
    inner = found
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = _other(inner[at[-1]])
    return found


def _other(leaf: Any) -> Any:
    if isinstance(leaf, bool) or leaf is None:
        return leaf is None or not leaf
    if isinstance(leaf, int | float):
        return leaf + 1
    if isinstance(leaf, str):
        turned = {"a": "b", "0": "1"}
        return leaf[:-1] + turned.get(leaf[-1:], "0") if leaf else "x"
    return ["x"] if isinstance(leaf, list) else {"x": "x"}
