"""What can make one link another model than the link before, each found from its own evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from harness.chain.link import Answers, Link
from harness.targets.probes import TOLERANCES, gap_between

Cause = Literal[
    "adapter not applied",
    "context cut",
    "tokenizer",
    "template",
    "sampling default",
    "wrong merge",
    "precision",
    "other weights",
]
_CUT = 0.9  # of the long prompt's tokens: template and tokenizer change fewer


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that the evidence speaks for, and the evidence in words."""

    cause: Cause
    evidence: str


def gaps(one: Answers, two: Answers) -> list[float]:
    """How far the answers to each probe are apart, in nats."""
    return [gap_between(a.tokens, b.tokens) for a, b in zip(one, two, strict=True)]


def share_beyond(found: list[float], allowed: float) -> float:
    """The share of gaps that are larger than allowed."""
    return sum(gap > allowed for gap in found) / len(found)


def unstable(link: Link) -> float:
    """The share of probes to which the link's own two answers contradict each other."""
    if not link.seen.has_logprobs:
        pairs = zip(link.seen.first, link.seen.again, strict=True)
        return sum(a.text != b.text for a, b in pairs) / len(link.seen.first)
    return share_beyond(gaps(link.seen.first, link.seen.again), TOLERANCES.contradiction)


def not_applied(before: Link, after: Link, base: Answers | None) -> Iterator[Finding]:
    """The link answers as the base does, and the link before did not."""
    if base is None or not after.seen.has_logprobs or not before.seen.has_logprobs:
        return
    near = share_beyond(gaps(base, after.seen.first), TOLERANCES.contradiction)
    changed = share_beyond(gaps(base, before.seen.first), TOLERANCES.repeated)
    closer = [
        to_base < 0.5 * to_before
        for to_base, to_before in zip(
            gaps(base, after.seen.first), gaps(before.seen.first, after.seen.first), strict=True
        )
    ]
    if near == 0.0 and changed > 0.5 and sum(closer) > 0.75 * len(closer):
        yield Finding(
            "adapter not applied",
            f"`{after.target}` answers as the base does: {sum(closer)} of {len(closer)} probes are "
            f"nearer to the base's answers than to those of `{before.target}`",
        )


def context_cut(before: Link, after: Link) -> Iterator[Finding]:
    """A long prompt that the link before took is refused, or its tokens are fewer."""
    had, has = before.seen.long, after.seen.long
    if had is None or before.seen.counts.get("short") is None:
        return
    told = f" (it says that it takes {after.seen.context})" if after.seen.context else ""
    if has is None and after.seen.counts.get("short") is not None:
        yield Finding(
            "context cut", f"a prompt of {had} tokens is refused by `{after.target}`{told}"
        )
    elif has is not None and has < _CUT * had and not _cut_elsewhere(before, after):
        yield Finding(
            "context cut",
            f"of a prompt of {had} tokens `{after.target}` reads {has}{told}",
        )


def _cut_elsewhere(before: Link, after: Link) -> bool:
    """Whether a short text has fewer tokens too, so that the tokenizer is another."""
    had, has = before.seen.counts.get("words"), after.seen.counts.get("words")
    return had is not None and has is not None and has < _CUT * had


def refusal(before: Link, after: Link) -> Iterator[Finding]:
    """The link refuses conversations of the suites that the link before took."""
    if after.seen.refused and not before.seen.refused:
        yield Finding("template", f"`{after.target}` refuses the probes: {after.seen.refused}")


def tokens(before: Link, after: Link) -> Iterator[Finding]:
    """The same conversations become other tokens: by another tokenizer or another template."""
    yield from _counts(before, after)
    ours, theirs = before.seen.ids, after.seen.ids
    moved = _differing(ours, theirs)
    same_counts = all(len(ours[name]) == len(theirs[name]) for name in moved)
    if moved and same_counts and _known_same(before.files.template, after.files.template):
        yield Finding("tokenizer", f"other tokens for the same text in {', '.join(moved)}")
    elif moved:
        yield Finding("template", f"other prompt tokens in {', '.join(moved)}")
    written = _differing(before.files.rendered, after.files.rendered)
    if written:
        name = written[0]
        here, there = before.files.rendered[name], after.files.rendered[name]
        yield Finding("template", f"`{name}` is rendered {_first_difference(here, there)}")
    lost = sorted(before.files.rendered.keys() - after.files.rendered.keys())
    if lost and after.files.rendered:
        yield Finding("template", f"the template refuses {', '.join(lost)}")
    if _changed(before.files.tokenizer, after.files.tokenizer):
        yield Finding("tokenizer", "the tokenizer's vocabulary or its way of cutting is another")


def _counts(before: Link, after: Link) -> Iterator[Finding]:
    had, has = before.seen.counts, after.seen.counts
    more = {
        name: has[name] - had[name]  # type: ignore[operator]  # both are known
        for name in had
        if had[name] is not None and has.get(name) is not None
    }
    longest = max((had[name] or 0 for name in more), default=0)
    # What is refused for its length says nothing of the template.
    refused = [name for name in had if 0 < (had[name] or 0) <= longest and has.get(name) is None]
    if refused:
        yield Finding("template", f"`{after.target}` refuses the conversation {', '.join(refused)}")
    if not any(more.values()):
        return
    told = ", ".join(f"{name} {had[name]} → {has[name]}" for name, change in more.items() if change)
    # What all conversations have more or less is the template's; what grows with the words is not.
    if "short" in more and more.get("words", more["short"]) != more["short"]:
        yield Finding("tokenizer", f"other numbers of prompt tokens: {told}")
    else:
        yield Finding("template", f"other numbers of prompt tokens: {told}")


def _differing(ours: Mapping[str, object], theirs: Mapping[str, object]) -> list[str]:
    return [name for name in ours if name in theirs and ours[name] != theirs[name]]


def _changed(one: str | None, two: str | None) -> bool:
    return one is not None and two is not None and one != two


def _known_same(one: str | None, two: str | None) -> bool:
    return one is not None and one == two


def _first_difference(here: str, there: str) -> str:
    place = next(
        (at for at, (a, b) in enumerate(zip(here, there, strict=False)) if a != b),
        min(len(here), len(there)),
    )
    start = max(0, place - 10)
    return f"{here[start : place + 20]!r} before and {there[start : place + 20]!r} now"


def stops(before: Link, after: Link) -> Iterator[Finding]:
    """Answers that ended before go on to the limit."""
    pairs = list(zip(before.seen.first, after.seen.first, strict=True))
    ended = [(a, b) for a, b in pairs if a.finish == "stop"]
    runaway = sum(b.finish == "length" and b.text.startswith(a.text) for a, b in ended)
    if ended and runaway > 0.5 * len(ended):
        was, now = (one.files.special.get("eos_token") for one in (before, after))
        more = f"; the end of a turn was {was!r} and is {now!r}" if _changed(was, now) else ""
        yield Finding(
            "template",
            f"{runaway} of {len(ended)} answers that ended by themselves now go on to the limit"
            f"{more}",
        )


def sampling(before: Link, after: Link, allowed: float) -> Iterator[Finding]:
    """The link does not answer greedily, or penalties of its own change what it says."""
    wild = unstable(after)
    if wild > 0.25 and unstable(before) <= 0.25:
        yield Finding(
            "sampling default",
            f"`{after.target}` contradicts itself on {wild:.0%} of the probes: temperature 0 is "
            "not in force there",
        )
        return
    neutral = after.seen.neutral
    if neutral is None:
        return
    plain = share_beyond(gaps(before.seen.first, after.seen.first), allowed)
    cured = share_beyond(gaps(before.seen.first, neutral), allowed)
    own = share_beyond(gaps(after.seen.first, neutral), allowed)
    if own > 0.0 and cured < plain and cured <= 0.25:
        yield Finding(
            "sampling default",
            f"with penalties switched off in the request `{after.target}` answers {cured:.0%} of "
            f"the probes otherwise than `{before.target}`, without that {plain:.0%}",
        )


def merge_record(before: Link, after: Link) -> Iterator[Finding]:
    """The merged folder was made from another adapter than that of the link before."""
    if _changed(before.files.adapter, after.files.merged):
        evidence = f"`{after.target}` was merged from another adapter than `{before.target}`"
        yield Finding("wrong merge", evidence)


def weights(before: Link, after: Link) -> Finding:
    """The likeliest cause where prompts and sampling are the same and the answers are not."""
    one, two = before.precision, after.precision
    if before.is_adapter and not after.is_adapter and (one == two or None in (one, two)):
        return Finding(
            "wrong merge",
            f"the same prompts, another answer, and no other precision ({one or 'unknown'}) than "
            f"the adapter's",
        )
    if one != two or one is None:
        return Finding("precision", f"{one or 'unknown'} before, {two or 'unknown'} now")
    return Finding("other weights", "the same prompts, sampling and precision, and another answer")
