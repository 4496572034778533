"""Links made by hand: each says what a test is about, and the rest is usual."""

from __future__ import annotations

from typing import Any

from harness.chain.link import Answers, Link, LinkFiles, ProbeAnswer, Seen

COUNTS = {"short": 10, "words": 50, "system": 20, "turns": 25, "filler": 60}


def answers(logprob: float = -0.1, text: str = "yes", finish: str = "stop") -> Answers:
    """The same answer to each of eight probes."""
    return (ProbeAnswer(((text, logprob),), text, finish),) * 8


def link(
    name: str,
    first: Answers | None = None,
    *,
    files: LinkFiles | None = None,
    is_adapter: bool = False,
    precision: str | None = None,
    **seen: Any,
) -> Link:
    """A link whose second round is as its first."""
    own = answers() if first is None else first
    usual = {"again": own, "has_logprobs": True, "counts": COUNTS, "long": 400, **seen}
    return Link(name, files or LinkFiles(), Seen(first=own, **usual), is_adapter, precision)
