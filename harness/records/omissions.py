"""What follows from the fields that a server is not sent, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.records.request_fields import OPTIONAL, RequestForm


def omissions(form: RequestForm, generation: Mapping[str, Any]) -> Iterator[str]:
    """What a run with these settings is not sent, and what that means; no sentence has a stop."""
    left = [name for name in form.omit if name not in OPTIONAL or name in generation]
    if not left:
        return
    yield f"its requests leave out {', '.join(f'`{name}`' for name in left)}, as `request` says"
    if "temperature" in left:
        yield "without `temperature` the server samples at one of its own, which is not known"
    if "seed" in left and (int(generation.get("repeats", 1)) > 1 or _samples(form, generation)):
        yield (
            "without `seed` chance is the server's: repeats and measured noise draw from it, and "
            "the same answers cannot be produced again"
        )
    if "max_tokens" in left:
        yield "without `max_tokens` the server alone limits how long an answer is"
    if "stream_options" in left:
        yield "without `stream_options` a server may count no tokens"


def _samples(form: RequestForm, generation: Mapping[str, Any]) -> bool:
    return "temperature" in form.omit or bool(generation.get("temperature"))
