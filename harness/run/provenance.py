"""Provenance: the header of a run, which records where its numbers come from."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.clock import Clock, iso
from harness.config import Project
from harness.records.cost import Asking
from harness.records.http_server import HttpServer
from harness.records.plan import Plan
from harness.records.run import AdapterProof, RunHeader, SectionPlan
from harness.records.server import ManagedServer
from harness.records.suite import Suite
from harness.records.target import Identity
from harness.run.resume import Job
from harness.serving.command import SERVER_PACKAGES
from harness.serving.sampling_defaults import defaults_in_force
from harness.targets.endpoint import machines
from harness.targets.models import server_model
from harness.version import __version__, installed_versions

CLIENT = ("httptools", "uvloop", "numpy", "scipy")


def header(
    project: Project,
    job: Job,
    suites: Sequence[Suite],
    proof: AdapterProof | None,
    clock: Clock,
) -> RunHeader:
    """The header of a run in progress; a resumed run keeps its time of creation."""
    planned = job.plan
    known = None if job.anew() else job.folder.header()
    return RunHeader(
        run_id=planned.run_id,
        target=planned.target,
        identity=planned.identity,
        generation=planned.generation.model_dump(mode="json"),
        sampling_defaults=_sampling_defaults(project, planned),
        request_form=_request_form(project, planned.target),
        system_prompts=planned.system_prompts,
        suites=planned.suite_digests,
        selection=planned.selection,
        sections=_sections(planned, suites),
        planned=len(planned.requests),
        config_digest=project.digest,
        adapter_proof=_with_first_fingerprint(proof, known),
        packages=packages(planned.identity),
        git_commit=_git_commit(project.root),
        host=host(),
        freshness=job.freshness,
        afresh=job.afresh or (known is not None and known.afresh),
        asking=priced(project, planned.target, known.asking if known is not None else None),
        chain=known.chain if known is not None else (),
        created=known.created if known is not None else iso(clock.utc()),
    )


def _sampling_defaults(project: Project, planned: Plan) -> dict[str, Any]:
    """What the model's own file adds to the requests, where the server is ours and lets it."""
    name = project.target(planned.target).server
    if not isinstance(project.config.servers[name], ManagedServer):
        return {}
    folder = server_model(project, name, here=True).path
    return defaults_in_force(folder, planned.identity, planned.generation)


def _request_form(project: Project, target: str) -> str | None:
    """The digest of how a chatbot's requests are formed, None where they are of a known form."""
    server = project.config.servers[project.target(target).server]
    return server.form_digest() if isinstance(server, HttpServer) else None


def _with_first_fingerprint(
    proof: AdapterProof | None, known: RunHeader | None
) -> AdapterProof | None:
    """The proof, with the fingerprint that the run began with, so that no drift adds up."""
    first = known.adapter_proof.fingerprint if known is not None and known.adapter_proof else ()
    if proof is None or not first:
        return proof
    return proof.model_copy(update={"fingerprint": first})


def priced(project: Project, target: str, known: Asking | None) -> Asking:
    """The tokens of the target so far, at the present price of its server."""
    server = project.config.servers[project.target(target).server]
    update = {"price": server.price, "replicas": machines(server)}
    return (known or Asking()).model_copy(update=update)


def _sections(planned: Plan, suites: Sequence[Suite]) -> tuple[SectionPlan, ...]:
    count = planned.requests.counts
    return tuple(
        SectionPlan(
            suite=suite.name,
            section=section.name,
            scorer=section.scorer,
            metrics=section.metrics,
            planned=count[suite.name, section.name],
        )
        for suite in suites
        for section in suite.asked
        if planned.scored and (suite.name, section.name) in count
    )


def host() -> dict[str, str]:
    """What this machine is."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpus": str(os.cpu_count()),
    }


def packages(identity: Identity) -> dict[str, str]:
    """The installed versions; those that serve a model only where the server is ours."""
    names = CLIENT if identity.weights is None else CLIENT + SERVER_PACKAGES
    return {"harness": __version__, **installed_versions(names)}


def _git_commit(folder: Path) -> str | None:
    """The commit checked out in the folder, with `+changes` where it was edited since."""

    def git(*arguments: str) -> str:
        line = ["git", *arguments]
        return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True).stdout

    try:
        commit = git("rev-parse", "HEAD").strip()
        changes = git("status", "--porcelain").strip()
    except (OSError, subprocess.CalledProcessError):
        return None
    return f"{commit}+changes" if changes else commit
