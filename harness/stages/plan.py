"""Plan: from suites and a target to every request that will be made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.config import Project
from harness.errors import UsageError
from harness.files import digest_json
from harness.records.plan import Ask, Plan
from harness.records.suite import Case, Message, Section, Suite
from harness.records.target import Generation, Identity


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of the suites to ask; the default is all of them."""

    suites: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    limit: int | None = None
    repeats: int | None = None
    concurrency: int | None = None

    def described(self, suites: int) -> dict[str, str]:
        """What leaves cases of the project's `suites` out, empty where nothing does."""
        found = {}
        if len(set(self.suites)) not in (0, suites):
            found["suite"] = ", ".join(sorted(set(self.suites)))
        if self.cases:
            found["case"] = ", ".join(sorted(self.cases))
        if self.limit is not None:
            found["limit"] = str(self.limit)
        return found


def plan(
    project: Project,
    target: str,
    suites: Sequence[Suite],
    identity: Identity,
    selection: Selection | None = None,
) -> Plan:
    """Every request that the suites put to the target, under the run they belong to.

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
    own = project.target(target).system_prompt
    prompts = {suite.name: suite.system_prompt if own is None else own for suite in suites}
    asks = tuple(
        _ask(identity, generation, suite.name, section.name, case, prompts[suite.name], repeat)
        for suite in suites
        for section, case in _selected(suite, chosen)
        for repeat in range(generation.repeats)
    )
    if not asks:
        raise UsageError("no case is left to ask", hint="widen --suite, --case or --limit")
    digests = {suite.name: suite.digest for suite in suites}
    described = chosen.described(len(project.config.suites))
    content = digest_json([sorted(ask.key for ask in asks), digests, described])
    return Plan(
        run_id=f"{target}-{content.removeprefix('sha256:')[:12]}",
        target=target,
        identity=identity,
        generation=generation,
        system_prompts=prompts,
        suite_digests=digests,
        asks=asks,
        selection=described,
    )


def _check_cases(selection: Selection, suites: Sequence[Suite]) -> None:
    known = {
        name
        for suite in suites
        for section, case in suite.cases()
        for name in (case.id, f"{suite.name}/{section.name}/{case.id}")
    }
    for name in selection.cases:
        if name not in known:
            raise UsageError(f"no case `{name}`", hint="give an id, or suite/section/id")


def _selected(suite: Suite, selection: Selection) -> Iterator[tuple[Section, Case]]:
    """The chosen cases; `limit` counts within each section, so that every section stays present."""
    wanted = set(selection.cases)
    for section in suite.sections:
        taken = 0
        for case in section.cases:
            path = f"{suite.name}/{section.name}/{case.id}"
            if wanted and not wanted & {case.id, path}:
                continue
            if selection.limit is not None and taken >= selection.limit:
                break
            taken += 1
            yield section, case


def conversation(case: Case, system_prompt: str | None) -> tuple[Message, ...]:
    """The case's messages as they are sent: a system message of its own stands."""
    if system_prompt and case.messages[0].role != "system":
        return (Message(role="system", content=system_prompt), *case.messages)
    return case.messages


def _ask(
    identity: Identity,
    generation: Generation,
    suite: str,
    section: str,
    case: Case,
    system_prompt: str | None,
    repeat: int,
) -> Ask:
    messages = conversation(case, system_prompt)
    seed = generation.seed + repeat
    key = digest_json(
        {
            "identity": identity.model_dump(mode="json"),
            "messages": [message.model_dump() for message in messages],
            "sampling": generation.sampling(),
            "seed": seed,
            "case": f"{suite}/{section}/{case.id}",
            "repeat": repeat,
        }
    )
    return Ask(key, suite, section, case, repeat, messages, seed)
