"""Whether a run's answers are those of the adapter that was proven.

The proof's requests can be told from others: they are short and ask for log-probabilities. A server
that applies the adapter to them alone is found here, since they hold prompts of the run itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

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
    """
    proof = run.header.adapter_proof
    if proof is None or run.header.temperature != 0:
        return
    drawn = [probe for probe in proof.fingerprint if probe.drawn]
    # Apart, as a server may have learnt by heart what every proof asks.
    for probes, which in ((proof.fingerprint, "prompts"), (drawn, "prompts drawn at random")):
        agreeing = list(_agreeing(probes, run, cases))
        other = agreeing.count(False)
        if len(agreeing) >= FEWEST and 2 * other > len(agreeing):
            yield (
                f"{who} answers {other} of {len(agreeing)} {which} "
                "otherwise than the adapter did when it was proven: "
                "its answers are not the adapter's, or the sampling differs"
            )
            return


def _agreeing(
    probes: Iterable[Probe], run: RunRecord, cases: Mapping[tuple[str, str, str], Case]
) -> Iterator[bool]:
    proven = {probe.prompt: _text(token for token, _ in probe.adapter) for probe in probes}
    fields = Generation.model_validate(run.header.generation).probe_fields()
    known: dict[tuple[str, str, str], str | None] = {}  # a case has as many attempts as repeats
    for attempt in run.attempts:
        place = attempt.suite, attempt.section, attempt.case
        case = cases.get(place)
        if case is None or attempt.text is None or attempt.reasoning:
            continue
        if place not in known:
            messages = conversation(case, run.header.system_prompts.get(attempt.suite))
            known[place] = proven.get(prompt_digest(messages, fields))
        if begun := known[place]:
            yield _same_start(attempt, begun)


def _same_start(attempt: Attempt, begun: str) -> bool:
    said = _text(attempt.text or "")
    return said.startswith(begun) or begun.startswith(said)


def _text(pieces: Iterable[str]) -> str:
    """The pieces as one text without white space, which tokens on their own may lack."""
    return "".join("".join(pieces).partition(_BROKEN)[0].split())
