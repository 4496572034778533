"""Who judges, and what is asked: the panel, the baseline's answers, the questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.config import Project
from harness.errors import SuiteError
from harness.event_loop import run_async
from harness.files import digest_json
from harness.records.attempt import Attempt
from harness.records.plan import conversation
from harness.records.server import ManagedServer
from harness.records.suite import Case
from harness.records.target import Identity
from harness.sections.judge.prompt import Structured, judge_messages, reply_fields, spoken
from harness.sections.judge.section import JUDGED, JudgeExpect, JudgeSection
from harness.sections.work import SectionJob, SectionRequest, SectionWork
from harness.targets.identity import identify

Sent = tuple[SectionJob, Case, int]  # of an answer: whose, to what, and which repeat


@dataclass(frozen=True, slots=True)
class Panel:
    """The judges of a job: the digest of all of them, and those that are kin of its target."""

    digest: str
    kin: bool


def panel_of(work: SectionWork, job: SectionJob) -> Panel:
    """The judges of a job.

    Raises:
        SuiteError: one of them is the candidate itself.
    """
    project, side = work.project, job.run.identity
    policy = project.config.gate
    baseline = work.gate.baseline if work.gate else policy.baseline if policy else None
    known, kin = [], False
    for name in job.section.asks:
        identity = run_async(identify(project, name))
        same = name == job.target or _weights(identity) == _weights(side)
        if same and job.target != baseline:
            raise SuiteError(
                f"the judge `{name}` is the candidate `{job.target}` itself",
                where=".".join(job.place),
                hint="name another target in `judge`",
            )
        kin = kin or same or _shares_base(identity, job)
        known.append([identity.model_dump(mode="json"), project.generation(name).sampling()])
    return Panel(digest_json(known), kin)


def _weights(identity: Identity) -> tuple[str | None, ...]:
    """What tells models apart: their files, or where a server is not ours, what it calls them."""
    if identity.weights is not None:
        return identity.weights, identity.adapter
    return identity.server, identity.model


def _shares_base(judge: Identity, job: SectionJob) -> bool:
    side, proof = job.run.identity, job.run.adapter_proof
    if judge.weights is not None:
        return judge.weights == side.weights
    parent = None if proof is None else proof.parent
    return judge.server == side.server and judge.model == parent


def rivals_of(work: SectionWork, sent: Sequence[Sent]) -> dict[int, Attempt]:
    """The baseline's answers to what is held against them, by the places of the answers."""
    gate = work.gate
    wanted = {
        place: one
        for place, one in enumerate(sent)
        if one[0].section.against_baseline and gate is not None and one[0].target != gate.baseline
    }
    if gate is None or not wanted:
        return {}
    if gate.sealed is not None:
        held = {
            (*each.score.place, each.case.id, each.score.repeat): each.attempt
            for each in gate.sealed.recorded
        }
        places = {
            place: (*job.place, case.id, repeat) for place, (job, case, repeat) in wanted.items()
        }
        return {place: held[key] for place, key in places.items() if key in held}
    own = work.project.target(gate.baseline).system_prompt
    requests = []
    for job, case, repeat in wanted.values():
        prompt = job.suite.system_prompt if own is None else own
        asked = SectionRequest(job, case, conversation(case, prompt), repeat, to=gate.baseline)
        requests.append(asked)
    return dict(zip(wanted, work.ask(requests), strict=True))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a judge about the answer at a place; `swapped` if that is the second of two."""

    place: int
    judge: str
    request: SectionRequest
    verdicts: tuple[str, ...]
    swapped: bool = False


def questions(
    project: Project, place: int, sent: Sent, answer: Attempt, rival: Attempt | None
) -> Iterator[Asked]:
    """The questions to all judges about one answer, none where no judge is needed."""
    job, case, repeat = sent
    section: JudgeSection = job.section  # type: ignore[assignment]  # it is of this kind
    text = answer.text or ""
    orders = [False]
    if section.against_baseline:
        if rival is None or rival.state not in JUDGED or rival.text == text:
            return
        orders = [False, True]
    reference = JudgeExpect.model_validate(case.expect).reference
    given = {"conversation": spoken(case.messages)}
    given |= {} if reference is None else {"reference answer": reference}
    for judge in section.asks:
        structured = section.structured or _usual(project, judge)
        fields = reply_fields(structured, section.verdicts)
        for swapped in orders:
            shown = {"answer": text}
            if rival is not None:
                pair = (rival.text or "", text) if swapped else (text, rival.text or "")
                shown = {"first answer": pair[0], "second answer": pair[1]}
            messages = judge_messages(
                section.rubric, job.suite.domain, {**given, **shown}, section.verdicts, structured
            )
            for again in range(section.judge_repeats):
                number = repeat * section.judge_repeats + again
                request = SectionRequest(job, case, messages, number, to=judge, sampling=fields)
                yield Asked(place, judge, request, section.verdicts, swapped)


def _usual(project: Project, judge: str) -> Structured:
    """The form that a judge's server is known to keep it to."""
    server = project.config.servers[project.target(judge).server]
    return "json_schema" if isinstance(server, ManagedServer) else "none"
