"""Whether a run's answers are those of the adapter that was proven.

The proof's requests can be told from others: they are short and ask for log-probabilities. A server
that applies the adapter to them alone is found here, since they hold prompts of the run itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from harness.client.thinking import split_thinking
from harness.records.attempt import Attempt
from harness.records.plan import conversation, prompt_digest
from harness.records.run import Probe, RunRecord
from harness.records.suite import Case
from harness.records.target import Generation

FEWEST: Final = 4  # prompts that must be comparable before anything is said
_BROKEN = "\N{REPLACEMENT CHARACTER}"  # a token that ends in the middle of a character


def contradictions(
    who: str, run: RunRecord, cases: Mapping[tuple[str, str, str], Case]
) -> Iterator[str]:
    """A problem where most of the proof's prompts were answered otherwise when they counted.

    `cases` holds those of the suites by suite, section and id. Greedy answers alone are compared:
    sampled ones differ by chance. A batch with other requests may turn a few, so half must agree.
    The proof's prompts have neither examples nor passages before them: where a run's have, its
    answers are to other prompts.
    """
    proof, identity = run.header.adapter_proof, run.header.identity
    if proof is None or run.header.temperature != 0 or identity.few_shot or identity.retrieval:
        return
    drawn = [probe for probe in proof.fingerprint if probe.drawn]
    # Apart, as a server may have learnt by heart what every proof asks.
    for probes, which in ((proof.fingerprint, "prompts"), (drawn, "prompts drawn at random")):
        agreeing = list(_agreeing(probes, run, cases))
        other = agreeing.count(False)
        if len(agreeing) >= FEWEST and 2 * other > len(agreeing):
            yield (
                f"{who} answers {other} of {len(agreeing)} {which} "
                "differently from the adapter when it was proven: "
                "its answers are not the adapter's, or the sampling differs"
            )
            return


def _agreeing(
    probes: Iterable[Probe], run: RunRecord, cases: Mapping[tuple[str, str, str], Case]
) -> Iterator[bool]:
    generation = Generation.model_validate(run.header.generation)
    proven = {probe.prompt: _begun(probe, generation.thinking_tags) for probe in probes}
    fields = generation.probe_fields()
    # A case has as many attempts as repeats.
    known: dict[tuple[str, str, str], frozenset[str]] = {}
    for attempt in run.attempts:
        place = attempt.suite, attempt.section, attempt.case
        case = cases.get(place)
        if case is None or attempt.text is None:
            continue
        if place not in known:
            messages = conversation(case, run.header.system_prompts.get(attempt.suite))
            known[place] = proven.get(prompt_digest(messages, fields), frozenset())
        if begun := known[place]:
            yield _same_start(attempt, begun)


def _begun(probe: Probe, tags: Sequence[tuple[str, str]]) -> frozenset[str]:
    """What the adapter began with, as its tokens say it and without marks of thinking.

    A server tells thinking apart or leaves it in the text; the tokens of a proof hold all of it.
    """
    said = "".join(token for token, _ in probe.adapter)
    answer, thinking = split_thinking(said, tags)
    return frozenset(filter(None, (_text(said), _text(thinking + answer))))


def _same_start(attempt: Attempt, begun: frozenset[str]) -> bool:
    answer = attempt.text or ""
    return any(
        said.startswith(one) or one.startswith(said)
        for one in begun
        for said in (_text(answer), _text((attempt.reasoning or "") + answer))
    )


def _text(pieces: Iterable[str]) -> str:
    """The pieces as one text without white space, which tokens on their own may lack."""
    return "".join("".join(pieces).partition(_BROKEN)[0].split())
