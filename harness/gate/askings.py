"""Whether both sides were asked in the same way: prompt, sampling and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.records.comparison import ComparisonRecord
from harness.records.rule import Policy
from harness.records.run import RunHeader
from harness.records.verdict import EvidenceWarning

SYSTEM_PROMPT = "system_prompt"
# What changes an answer, and what only limits how long one is waited for.
SAMPLING = ("temperature", "top_p", "max_tokens", "seed", "thinking_tags")
WAITING = ("connect_timeout", "chunk_timeout", "case_timeout", "retries")
# Arguments of a managed server that change sampling or limits.
SERVER_ARGUMENTS = (
    "max-model-len", "generation-config", "override-generation-config", "chat-template",
    "default-chat-template-kwargs", "logits-processors",
)  # fmt: skip
LONGEST = 60


def asking_problems(comparison: ComparisonRecord, policy: Policy) -> Iterator[str]:
    """What makes the answers incomparable, where the policy does not compare across it."""
    for key, what in _differences(comparison):
        if key in (SYSTEM_PROMPT, *SAMPLING) and key not in policy.compare_across:
            meant = f"if that is what is compared, `compare_across: [{key}]`"
            yield f"the sides are asked differently: {what} ({meant})"


def asking_warnings(comparison: ComparisonRecord, policy: Policy) -> Iterator[EvidenceWarning]:
    """Every difference in how the sides are asked, whether the policy names it or not."""
    for key, what in _differences(comparison):
        meant = ", which the policy compares across" if key in policy.compare_across else ""
        yield EvidenceWarning(
            code="asked-differently",
            place=key,
            what=f"the sides are asked differently: {what}{meant}",
        )


def _differences(comparison: ComparisonRecord) -> Iterator[tuple[str, str]]:
    """The keys that differ, each in words."""
    ours, theirs = comparison.candidate.header, comparison.baseline.header
    suites = sorted(
        suite
        for suite in ours.system_prompts.keys() & theirs.system_prompts.keys()
        if ours.system_prompts[suite] != theirs.system_prompts[suite]
    )
    if suites:
        yield SYSTEM_PROMPT, f"another system prompt in {', '.join(f'`{one}`' for one in suites)}"
    for names, values in (
        ((*SAMPLING, *WAITING), (_settings(ours), _settings(theirs))),
        (SERVER_ARGUMENTS, (ours.identity.engine_args, theirs.identity.engine_args)),
    ):
        for name in names:
            one, other = (side.get(name) for side in values)
            if one != other:
                yield (
                    name,
                    f"{name} is {_shown(one)} for the candidate, {_shown(other)} for the baseline",
                )


def _settings(header: RunHeader) -> Mapping[str, Any]:
    """The generation settings; a run of an earlier version lacks those that were not yet known."""
    return {name: value for name, value in header.generation.items() if value not in ((), [])}


def _shown(value: object) -> str:
    text = "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
