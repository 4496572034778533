"""One link of a chain: what its files say, and what its answers show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.targets.probes import Logprobs


@dataclass(frozen=True, slots=True)
class LinkFiles:
    """What the model's files on this machine say; None or empty where they do not.

    `rendered` are the test conversations as the chat template writes them, by name; `template` and
    `tokenizer` are digests, `special` the special tokens by their role. `adapter` is the digest of
    the adapter on the link, `merged` that of the adapter which `harness merge` put into it.
    """

    template: str | None = None
    rendered: Mapping[str, str] = field(default_factory=dict)
    tokenizer: str | None = None
    special: Mapping[str, str] = field(default_factory=dict)
    adapter: str | None = None
    merged: str | None = None
    context: int | None = None


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """A greedy answer to one probe; without log-probabilities its text stands as one token."""

    tokens: Logprobs
    text: str
    finish: str


Answers = tuple[ProbeAnswer, ...]  # one a probe


@dataclass(frozen=True, slots=True)
class Seen:
    """What a link's answers show.

    `first` and `again` are two rounds of answers to the probes, `neutral` a round with every
    penalty switched off in the request, None where that is refused, and `base` those of the base
    beside an adapter. `counts` are the tokens of the test conversations as the server counts them,
    None for one that it refuses; `ids` the tokens themselves where it tells them. `long` is
    the count of the long prompt, None where it is refused. Where the probes are `refused`, for the
    reason that stands there, there is no round of answers.
    """

    first: Answers
    again: Answers
    has_logprobs: bool
    neutral: Answers | None = None
    base: Answers | None = None
    counts: Mapping[str, int | None] = field(default_factory=dict)
    ids: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    long: int | None = None
    context: int | None = None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A target of the chain as it was found; `precision` is None where it cannot be known."""

    target: str
    files: LinkFiles
    seen: Seen
    is_adapter: bool = False
    precision: str | None = None
