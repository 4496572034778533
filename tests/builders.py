"""Runs made without a server: planned and scored by the real stages, answered by a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.config import Project, load_project
from harness.records.attempt import Attempt, Failure, Score, Term
from harness.records.plan import PlannedRequest
from harness.records.recording import RecordedCase, RecordedSection
from harness.records.run import AdapterProof, RunRecord
from harness.records.suite import Case, Suite
from harness.records.target import Identity
from harness.run.plan import Selection, plan
from harness.run.provenance import header
from harness.run.resume import Job
from harness.run.score import score
from harness.sections.section_kinds import load_suites
from harness.storage import RunFolder
from tests.manual_clock import ManualClock
from tests.shop import answer, write_project

Answering = Callable[[str, PlannedRequest], str | Failure | None]


def shop(folder: Path) -> tuple[Project, tuple[Suite, ...]]:
    write_project(folder, "http://127.0.0.1:1")
    project = load_project(folder / "harness.yaml")
    return project, load_suites(project)


def usual(target: str, ask: PlannedRequest) -> str:
    return answer({"model": target, "messages": [message.model_dump() for message in ask.messages]})


def identity(target: str, adapter: str | None = None) -> Identity:
    return Identity(
        server="test", server_version="1", model=target, weights="sha256:w", adapter=adapter
    )


def proof(adapter: str = "sha256:a", differing: int = 8) -> AdapterProof:
    return AdapterProof(
        model="m", parent="b", adapter=adapter, probes=8, differing=differing,
        largest_gap=1.0, noise=0.0,
    )  # fmt: skip


def make_run(
    project: Project,
    suites: tuple[Suite, ...],
    target: str,
    answering: Answering = usual,
    *,
    adapter: str | None = None,
    adapter_proof: AdapterProof | None = None,
    selection: Selection | None = None,
) -> RunRecord:
    """The finished run of a target; where `answering` gives None, the attempt is missing."""
    planned = plan(project, target, suites, identity(target, adapter), selection)
    attempts = {}
    for ask in planned.requests:
        said = answering(target, ask)
        if said is not None:
            attempts[ask.key] = attempt(ask, said)
    job = Job(planned, RunFolder(project.runs / planned.run_id))
    head = header(project, job, suites, adapter_proof, ManualClock())
    scores = tuple(found for found, _ in score(suites, planned.requests, attempts))
    done = head.model_copy(update={"finished": "2026-01-01T00:00:00Z"})
    return RunRecord(done, tuple(attempts.values()), scores)


def recorded(section: str, **values: float) -> RecordedSection:
    """A section of the shop whose Python tests, by id, came to these values."""
    return RecordedSection(
        suite="shop",
        section=section,
        metrics=("accuracy",),
        cases=tuple(_recorded(section, name, value) for name, value in values.items()),
        session="mine",
    )


def _recorded(section: str, name: str, value: float) -> RecordedCase:
    case = Case.model_validate({"id": name, "prompt": f"{name}?"})
    place = {"key": f"{section}-{name}", "suite": "shop", "section": section, "case": name}
    return RecordedCase(
        case=case,
        attempt=Attempt(**place, repeat=0, status="answered", text=f"{name} {value}"),
        score=Score(
            **place, repeat=0, group=name, critical=False, status="scored", state="ok",
            value=value, passed=value > 0.5, terms={"accuracy": Term(num=value, den=1.0)},
        ),
    )  # fmt: skip


def attempt(ask: PlannedRequest, said: str | Failure) -> Attempt:
    place = {
        "key": ask.key, "suite": ask.suite, "section": ask.section, "case": ask.case.id,
        "repeat": ask.repeat,
    }  # fmt: skip
    if isinstance(said, Failure):
        return Attempt(**place, status="failed", failure=said)
    return Attempt(**place, status="answered", text=said, finish_reason="stop")


def changed(run: RunRecord, **update: object) -> RunRecord:
    return replace(run, header=run.header.model_copy(update=update))
