"""Whether the configuration says already that two sides are going to be asked differently."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.config import Project
from harness.errors import EvidenceError
from harness.gate.askings import Asked, uncompared
from harness.records.http_server import HttpServer
from harness.records.request_fields import RequestForm
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.records.server import ManagedServer
from harness.records.suite import Suite
from harness.run.plan import system_prompts
from harness.serving.sampling_defaults import fields_of_the_model
from harness.targets.additions import additions
from harness.targets.identity import form_of_requests


def asked_differently(
    project: Project,
    suites: Sequence[Suite],
    policy: Policy,
    candidate: str,
    sealed: RunRecord | None = None,
) -> EvidenceError | None:
    """The error for a candidate that is not asked as the baseline is, None where it seems to be.

    What a managed server takes from its model's own files is not known before it is started, so
    fields that it may set are left out. `sealed` is the baseline's run where it is a sealed one.
    """
    theirs = (
        Asked.of(sealed.header)
        if sealed is not None
        else _configured(project, suites, policy.baseline)
    )
    unknown = set(_unknown(project, candidate))
    if sealed is None:
        unknown.update(_unknown(project, policy.baseline))
    ours = _configured(project, suites, candidate)
    differences = uncompared(ours, theirs, policy.compare_across)
    found = [(key, what) for key, what in differences if key not in unknown]
    if not found:
        return None
    words = "; ".join(what for _, what in found)
    across = ", ".join(dict.fromkeys((*policy.compare_across, *(key for key, _ in found))))
    return EvidenceError(
        f"`{candidate}` and `{policy.baseline}` are asked differently: {words}",
        where=project.place("gate"),
        hint=f"if that is what is compared, `compare_across: [{across}]`",
    )


def _configured(project: Project, suites: Sequence[Suite], target: str) -> Asked:
    server = project.config.servers[project.target(target).server]
    return Asked(
        system_prompts=system_prompts(project, target, suites),
        generation=project.generation(target).model_dump(mode="json"),
        request=RequestForm() if isinstance(server, HttpServer) else server.request,
        engine_args={} if isinstance(server, ManagedServer) else form_of_requests(server),
        sampling_defaults={},
        request_form=server.form_digest() if isinstance(server, HttpServer) else None,
        additions=additions(project, target),
    )


def _unknown(project: Project, target: str) -> Iterator[str]:
    server = project.config.servers[project.target(target).server]
    if isinstance(server, ManagedServer):
        yield from fields_of_the_model(server.args)
