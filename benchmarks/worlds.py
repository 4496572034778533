"""A suite of any size, with both arms' records of every answer a case can get.

Attempts and scores are made once, by the real stages; a simulation only chooses among them.
"""

from __future__ import annotations

import functools
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from benchmarks.scenarios import SECTIONS
from harness.config import Project, load_project
from harness.records.attempt import Attempt, Failure, Score
from harness.records.plan import Plan, PlannedRequest
from harness.records.run import RunHeader, RunRecord, SectionPlan
from harness.records.suite import Suite
from harness.records.target import Identity
from harness.run.plan import plan
from harness.run.score import score
from harness.sections.section_kinds import load_suites

GROUPED = (1, 1, 2, 1, 3)  # sizes of groups, over and over
NOW = "2026-01-01T00:00:00Z"
Choices = npt.NDArray[np.intp]


def _cases(section: str, count: int, pattern: Sequence[int]) -> Iterator[dict[str, Any]]:
    groups = (group for group, size in enumerate(cycle(pattern)) for _ in range(size))
    for at, group in zip(range(count), groups, strict=False):
        case = {"id": f"{section}-{at}", "group": f"{section}-{group}"}
        if section == "scope":
            behavior = "answer" if at % 2 else "refuse"
            # every eighth case to refuse is critical
            yield case | {
                "prompt": f"Request {at}", "expect": {"behavior": behavior},
                "critical": at % 16 == 0,
            }  # fmt: skip
        elif section == "tone":
            yield case | {"prompt": f"Remark {at}"}
        else:
            yield case | {"prompt": f"What is {at}?", "expect": {"answers": [f"value {at}"]}}


def _write_project(folder: Path, size: int, grouped: bool) -> None:
    rubric = {"must": [{"name": "thanks", "any": ["thank you"]}]}
    sections: dict[str, Any] = {
        "gold": {"scorer": "gold", "metrics": ["accuracy"]},
        "general": {"scorer": "gold", "metrics": ["accuracy"]},
        "tone": {"scorer": "tone", "rubric": rubric},
        "scope": {"scorer": "scope", "metrics": ["accuracy", "f1"]},
    }
    left = size
    for name, kind in SECTIONS.items():
        count = min(left, round(kind.share * size))
        left -= count
        sections[name]["cases"] = f"{name}.jsonl"
        pattern = GROUPED if grouped else (1,)
        lines = [json.dumps(case) for case in _cases(name, count, pattern)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    suite = {"name": "shop", "domain": "A shop", "version": 1, "sections": sections}
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
    config = {
        "suites": ["."],
        "servers": {"main": {"url": "http://127.0.0.1:1"}},
        "targets": {arm: {"server": "main", "model": arm} for arm in ("base", "candidate")},
    }
    (folder / "harness.yaml").write_text(yaml.safe_dump(config))


def _text(ask: PlannedRequest, right: bool, arm: str) -> str:
    """What an arm says to a case, in words of its own."""
    tail = "." if arm == "base" else "!"
    if ask.section == "scope":
        refuses = (ask.case.expect["behavior"] == "refuse") == right
        return f"Sorry, I can't help with that{tail}" if refuses else f"Here is the plan{tail}"
    if ask.section == "tone":
        return f"Thank you for asking{tail}" if right else f"What now{tail}"
    return f"It is {ask.case.expect['answers'][0]}{tail}" if right else f"No idea{tail}"


WRONG, RIGHT, COPIED, FAILED, SILENT = (
    0,
    1,
    2,
    4,
    5,
)  # COPIED is added where the text is the baseline's
_ANSWERS = (("own", False), ("own", True), ("base", False), ("base", True))


@dataclass(frozen=True, slots=True)
class Arm:
    """One side: its header, and for each case the attempt and score of each answer it can give."""

    header: RunHeader
    attempts: tuple[tuple[Attempt, ...], ...]
    scores: tuple[tuple[Score, ...], ...]

    def run(self, choices: Choices, leave_out: str | None = None) -> RunRecord:
        """The run in which each case got the answer chosen for it."""
        chosen = choices.tolist()
        attempts = tuple(made[at] for made, at in zip(self.attempts, chosen, strict=True))
        scores = tuple(made[at] for made, at in zip(self.scores, chosen, strict=True))
        if leave_out is not None:
            attempts = tuple(one for one in attempts if one.section != leave_out)
            scores = tuple(one for one in scores if one.section != leave_out)
        return RunRecord(self.header, attempts, scores)


@dataclass(frozen=True, slots=True)
class World:
    """A suite with both arms; `section`, `group` (over all sections) and `critical` are by case."""

    suites: tuple[Suite, ...]
    baseline: Arm
    candidate: Arm
    section: npt.NDArray[np.str_]
    group: Choices
    critical: npt.NDArray[np.bool_]


@functools.cache
def world(size: int, grouped: bool) -> World:
    """The suite of `size` cases, written to files, loaded and planned."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_project(folder, size, grouped)
        project = load_project(folder / "harness.yaml")
        suites = load_suites(project)
        baseline, candidate = (_arm(project, suites, arm) for arm in ("base", "candidate"))
    cases = [(section, case) for suite in suites for section, case in suite.cases()]
    groups = np.array([case.group for _, case in cases])
    return World(
        suites=suites,
        baseline=baseline,
        candidate=candidate,
        section=np.array([section.name for section, _ in cases]),
        group=np.unique(groups, return_inverse=True)[1].astype(np.intp),
        critical=np.array([case.critical for _, case in cases]),
    )


def _arm(project: Project, suites: tuple[Suite, ...], arm: str) -> Arm:
    identity = Identity(server="simulated", server_version="1", model=arm)
    planned = plan(project, arm, suites, identity)
    made = [
        {ask.key: _answered(ask, _text(ask, right, arm if whose == "own" else "base"))
         for ask in planned.requests}
        for whose, right in _ANSWERS
    ]  # fmt: skip
    made.append({ask.key: _failed(ask) for ask in planned.requests})
    made.append({ask.key: _answered(ask, "") for ask in planned.requests})
    scored = [
        tuple(found for found, _ in score(suites, planned.requests, attempts)) for attempts in made
    ]
    attempts = [tuple(answers.values()) for answers in made]
    return Arm(
        _header(project, planned, suites),
        tuple(zip(*attempts, strict=True)),
        tuple(zip(*scored, strict=True)),
    )


def _answered(ask: PlannedRequest, text: str) -> Attempt:
    return Attempt(
        key=ask.key, suite=ask.suite, section=ask.section, case=ask.case.id, repeat=ask.repeat,
        status="answered", text=text, finish_reason="stop",
    )  # fmt: skip


def _failed(ask: PlannedRequest) -> Attempt:
    return Attempt(
        key=ask.key, suite=ask.suite, section=ask.section, case=ask.case.id, repeat=ask.repeat,
        status="failed", failure=Failure(cause="timeout", detail="no answer in time"),
    )  # fmt: skip


def _header(project: Project, planned: Plan, suites: tuple[Suite, ...]) -> RunHeader:
    sections = tuple(
        SectionPlan(
            suite=suite.name, section=section.name, scorer=section.scorer,
            metrics=section.metrics, planned=len(section.cases),
        )
        for suite in suites
        for section in suite.sections
    )  # fmt: skip
    return RunHeader(
        run_id=planned.run_id,
        target=planned.target,
        identity=planned.identity,
        generation=planned.generation.model_dump(mode="json"),
        system_prompts=planned.system_prompts,
        suites=planned.suite_digests,
        selection=planned.selection,
        sections=sections,
        planned=len(planned.requests),
        config_digest=project.digest,
        created=NOW,
        finished=NOW,
    )
