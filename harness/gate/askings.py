"""Whether both sides were asked in the same way: prompt, sampling and limits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.records.comparison import ComparisonRecord
from harness.records.omissions import omissions
from harness.records.request_fields import ALWAYS_SENT, RequestForm
from harness.records.rule import Policy
from harness.records.run import RunHeader
from harness.records.target import SAMPLING
from harness.records.verdict import EvidenceWarning

SYSTEM_PROMPT = "system_prompt"
LIMIT = "max_tokens"
REQUEST = "request"
# What an identity says of what is put before a question.
ADDITIONS = ("few_shot", "retrieval")
# What an identity says of the form of requests; a chatbot's `mapping` is looked at apart.
FORM = ("dialect", "preset", "turns")
# What changes an answer, and what only limits how long one is waited for.
ASKED = (*SAMPLING[:3], "seed", *SAMPLING[3:])
WAITING = ("connect_timeout", "chunk_timeout", "case_timeout", "retries")
# Arguments of a managed server that change sampling or limits.
SERVER_ARGUMENTS = (
    "max-model-len", "generation-config", "override-generation-config", "chat-template",
    "default-chat-template-kwargs", "logits-processors",
)  # fmt: skip
LONGEST = 60
LEFT = "left to the server"


@dataclass(frozen=True, slots=True)
class Asked:
    """How a side was asked, or is going to be.

    `generation` holds the settings as configured, `sampling_defaults` what a managed server adds to
    them, `engine_args` its arguments or the form of a chatbot's requests, `request_form` the digest
    of the latter, where it is known. `additions` are what stands before a question, by its key.
    """

    system_prompts: Mapping[str, str | None]
    generation: Mapping[str, Any]
    request: RequestForm
    engine_args: Mapping[str, Any]
    sampling_defaults: Mapping[str, Any]
    request_form: str | None
    additions: Mapping[str, str | None]

    @classmethod
    def of(cls, header: RunHeader) -> Asked:
        """How the run's target was asked."""
        return cls(
            header.system_prompts,
            header.generation,
            header.identity.request,
            header.identity.engine_args,
            header.sampling_defaults,
            header.request_form,
            {name: getattr(header.identity, name) for name in ADDITIONS},
        )


def asking_problems(comparison: ComparisonRecord, policy: Policy) -> Iterator[str]:
    """What makes the answers incomparable, where the policy does not compare across it."""
    for key, what in uncompared(*_sides(comparison), policy.compare_across):
        meant = f"if that is what is compared, `compare_across: [{key}]`"
        yield f"the sides are asked differently: {what} ({meant})"


def asking_warnings(comparison: ComparisonRecord, policy: Policy) -> Iterator[EvidenceWarning]:
    """Every difference in how the sides are asked, whether the policy names it or not.

    So is every field that a side's server is not sent, with what follows from that.
    """
    for key, what in _differences(*_sides(comparison)):
        meant = ", which the policy compares across" if key in policy.compare_across else ""
        yield EvidenceWarning(
            code="asked-differently",
            place=key,
            what=f"the sides are asked differently: {what}{meant}",
        )
    yield from _left_out(comparison)


def _left_out(comparison: ComparisonRecord) -> Iterator[EvidenceWarning]:
    for who, run in (("candidate", comparison.candidate), ("baseline", comparison.baseline)):
        said = "; ".join(omissions(run.header.identity.request, run.header.generation))
        if said:
            yield EvidenceWarning(code="fields-left-out", place=who, what=said)


def _sides(comparison: ComparisonRecord) -> tuple[Asked, Asked]:
    return Asked.of(comparison.candidate.header), Asked.of(comparison.baseline.header)


def uncompared(
    ours: Asked, theirs: Asked, compare_across: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The keys in which the sides must not differ, and do, each in words."""
    for key, what in _differences(ours, theirs):
        if key in (SYSTEM_PROMPT, REQUEST, *ADDITIONS, *ASKED) and key not in compare_across:
            yield key, what


def _differences(ours: Asked, theirs: Asked) -> Iterator[tuple[str, str]]:
    """The keys that differ, each in words."""
    suites = sorted(
        suite
        for suite in ours.system_prompts.keys() & theirs.system_prompts.keys()
        if ours.system_prompts[suite] != theirs.system_prompts[suite]
    )
    if suites:
        yield SYSTEM_PROMPT, f"another system prompt in {', '.join(f'`{one}`' for one in suites)}"
    roles = [side.request.system_as or "system" for side in (ours, theirs)]
    if roles[0] != roles[1]:
        put = f"as `{roles[0]}` to the candidate, as `{roles[1]}` to the baseline"
        yield SYSTEM_PROMPT, f"the system prompt is put {put}"
    # A server that does not know a field answers as if it had not been sent.
    names = [side.request.max_tokens_as or LIMIT for side in (ours, theirs)]
    if names[0] != names[1]:
        sent = f"as `{names[0]}` to the candidate, as `{names[1]}` to the baseline"
        yield LIMIT, f"max_tokens is sent {sent}"
    forms = "; ".join(_forms(ours, theirs))
    if forms:
        yield REQUEST, f"requests have another form: {forms}"
    for keys, values in (
        (ADDITIONS, (ours.additions, theirs.additions)),
        ((*ASKED, *WAITING), (_settings(ours), _settings(theirs))),
        (SERVER_ARGUMENTS, (ours.engine_args, theirs.engine_args)),
    ):
        for name in keys:
            one, other = (side.get(name) for side in values)
            if one != other:
                yield (
                    name,
                    f"{name} is {_shown(one)} for the candidate, {_shown(other)} for the baseline",
                )


def _forms(ours: Asked, theirs: Asked) -> Iterator[str]:
    one, other = ours.engine_args, theirs.engine_args
    for name in FORM:
        if one.get(name) != other.get(name):
            values = f"{_shown(one.get(name))} for the candidate, {_shown(other.get(name))}"
            yield f"{name} is {values} for the baseline"
    if one.get("mapping") == other.get("mapping"):
        return
    # Two bots may differ in a name alone; of runs of earlier versions that cannot be told.
    if None in (ours.request_form, theirs.request_form) or ours.request_form != theirs.request_form:
        yield "what the server's `request`, `answer` or `headers` say besides the model"


def _settings(side: Asked) -> Mapping[str, Any]:
    """The generation settings as sent; a run of an earlier version lacks those not yet known."""
    found = {name: value for name, value in side.generation.items() if value not in ((), [])}
    for name in side.request.omit:
        if name in ALWAYS_SENT:
            found[name] = LEFT
        else:
            found.pop(name, None)
    return {**found, **side.sampling_defaults}


def _shown(value: object) -> str:
    text = "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
