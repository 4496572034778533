"""Plan: the list of all requests that suites make to a target."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.config import Project
from harness.errors import UsageError
from harness.files import canonical_json, digest_json
from harness.records.plan import Part, Plan, PlannedRequest, PlannedRequests, RequestList
from harness.records.run import LOOK, RunHeader
from harness.records.suite import Case, Message, Section, Suite
from harness.records.target import Generation, Identity
from harness.targets.probes import choose_probes


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of the suites to run; the default is all of them."""

    suites: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    limit: int | None = None
    repeats: int | None = None
    concurrency: int | None = None
    # Of which sections, by `suite.section`, only some cases are asked by now, and at which look.
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    look: str = ""

    def described(self, suites: int) -> dict[str, str]:
        """What leaves cases of the project's `suites` out, empty where nothing does."""
        found = {}
        if len(set(self.suites)) not in (0, suites):
            found["suite"] = ", ".join(sorted(set(self.suites)))
        if self.cases:
            found["case"] = ", ".join(sorted(self.cases))
        if self.limit is not None:
            found["limit"] = str(self.limit)
        if self.look:
            found[LOOK] = self.look
        return found


def plan(
    project: Project,
    target: str,
    suites: Sequence[Suite],
    identity: Identity,
    selection: Selection | None = None,
) -> Plan:
    """Every request of the suites to the target, and the header of the run it belongs to.

    The run's id follows from its content: the same target, weights, suites and settings give the
    same run, so that running again resumes it.

    Raises:
        UsageError: the selection names no case, or leaves none.
    """
    chosen = selection or Selection()
    generation = project.generation(target)
    if chosen.repeats is not None:
        generation = generation.model_copy(update={"repeats": chosen.repeats})
    if chosen.concurrency is not None:
        generation = generation.model_copy(update={"concurrency": chosen.concurrency})
    _check_cases(chosen, suites)
    prompts = system_prompts(project, target, suites)
    asked = [(suite, section) for suite in suites for section in suite.asked]
    requests = _keyed(
        identity,
        generation,
        [
            Part(suite.name, section, prompts[suite.name], _selected(suite, section, chosen))
            for suite, section in asked
        ],
    )
    whole = [
        Part(suite.name, section, prompts[suite.name], range(len(section.cases)))
        for suite, section in asked
    ]
    if not requests and not any(_has_work(suite, chosen) for suite in suites):
        raise UsageError("no case is left to ask", hint="widen --suite, --case or --limit")
    digests = {suite.name: suite.digest for suite in suites}
    described = chosen.described(len(project.config.suites))
    content = digest_json([_content(requests, identity, generation), digests, described])
    return Plan(
        run_id=f"{target}-{content.removeprefix('sha256:')[:12]}",
        target=target,
        identity=identity,
        generation=generation,
        system_prompts=prompts,
        suite_digests=digests,
        requests=requests,
        selection=described,
        pool=PlannedRequests(whole, generation.model_copy(update={"repeats": 1}), b""),
    )


def system_prompts(project: Project, target: str, suites: Sequence[Suite]) -> dict[str, str | None]:
    """The system prompt that goes with each suite's cases: the target's own, or the suite's."""
    own = project.target(target).system_prompt
    return {suite.name: suite.system_prompt if own is None else own for suite in suites}


def plan_requests(
    about: RunHeader,
    target: str,
    identity: Identity,
    generation: Generation,
    requests: Sequence[PlannedRequest],
) -> Plan:
    """The plan of requests that the run `about` leads to, put to any target.

    Their keys are made here. The plan's run has no scores: the caller scores the answers.
    """
    key = _keys(identity, generation)
    listed = RequestList([replace(ask, key=f"sha256:{key(ask).hex()}") for ask in requests])
    content = digest_json([listed.digest, about.run_id])
    return Plan(
        run_id=f"{target}-{content.removeprefix('sha256:')[:12]}",
        target=target,
        identity=identity,
        generation=generation,
        system_prompts={},
        suite_digests=about.suites,
        requests=listed,
        selection=about.selection,
        pool=listed,
        scored=False,
    )


def probe_conversations(
    project: Project, target: str, suites: Sequence[Suite]
) -> list[tuple[Message, ...]]:
    """A few conversations from all over the suites, as they are put to the target."""
    prompts = system_prompts(project, target, suites)
    parts = [
        Part(suite.name, section, prompts[suite.name], range(len(section.cases)))
        for suite in suites
        for section in suite.asked
    ]
    once = project.generation(target).model_copy(update={"repeats": 1})
    return [probe.messages for probe in choose_probes(PlannedRequests(parts, once, b""))]


def selected_cases(suite: Suite, section: Section, selection: Selection) -> list[Case]:
    """The chosen cases of a section."""
    return [section.cases[place] for place in _selected(suite, section, selection)]


def _has_work(suite: Suite, selection: Selection) -> bool:
    """Whether a section of another sort than one request a case is chosen."""
    return any(
        _selected(suite, section, selection) if section.cases else not selection.cases
        for section in suite.worked
    )


def _content(requests: PlannedRequests, identity: Identity, generation: Generation) -> Any:
    """What the answers depend on; without planned requests, what later requests depend on."""
    if requests:
        return requests.digest
    sampling = [generation.sampling(), generation.seed, generation.repeats]
    return [requests.digest, identity.model_dump(mode="json"), *sampling]


def _check_cases(selection: Selection, suites: Sequence[Suite]) -> None:
    left = set(selection.cases)
    if not left:
        return
    for suite in suites:
        for section, case in suite.cases():
            left -= _names(suite, section, case)
    if left:
        unknown = next(name for name in selection.cases if name in left)
        raise UsageError(f"no case `{unknown}`", hint="give an id, or suite/section/id")


def _names(suite: Suite, section: Section, case: Case) -> set[str]:
    """What a case may be called on the command line."""
    return {case.id, f"{suite.name}/{section.name}/{case.id}"}


def _selected(suite: Suite, section: Section, selection: Selection) -> Sequence[int]:
    """The places of the chosen cases in their section.

    `limit` counts within each section, so that every section stays present.
    """
    wanted = set(selection.cases)
    places: Sequence[int] = range(len(section.cases))
    if wanted:
        cases = enumerate(section.cases)
        places = [place for place, case in cases if wanted & _names(suite, section, case)]
    only = selection.only.get(f"{suite.name}.{section.name}")
    if only is not None:
        places = [place for place in places if section.cases[place].id in only]
    return places[: selection.limit]


def _keyed(identity: Identity, generation: Generation, parts: Sequence[Part]) -> PlannedRequests:
    """The requests of the parts, each keyed by the digest of all its answer depends on."""
    key, keys = _keys(identity, generation), bytearray()
    for ask in PlannedRequests(parts, generation, b""):
        keys += key(ask)
    return PlannedRequests(parts, generation, bytes(keys))


def _keys(identity: Identity, generation: Generation) -> Callable[[PlannedRequest], bytes]:
    """What gives a request its key."""
    common = canonical_json([identity.model_dump(mode="json"), generation.sampling()])
    begun = hashlib.sha256(common.encode())

    def key(ask: PlannedRequest) -> bytes:
        messages = [[turn.role, turn.content] for turn in ask.messages]
        content = [messages, ask.seed, ask.path, ask.repeat]
        if identity.few_shot is not None:  # which examples it is shown depends on its group
            content.append(ask.case.group)
        digest = begun.copy()
        digest.update(canonical_json(content).encode())
        return digest.digest()

    return key
