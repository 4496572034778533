"""An attempt: what one request brought back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.records.base import Record

FailureCause = Literal[
    "connect", "reset", "timeout", "stalled", "http", "protocol", "server_error", "wrong_model"
]
AttemptState = Literal["ok", "truncated", "empty", "failed"]


class Failure(Record):
    """Why a request brought no answer."""

    cause: FailureCause
    detail: str
    status: int | None = None


class Usage(Record):
    """Token counts as the server reports them."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class Timing(Record):
    """Moments of one request, in seconds since its intended send time.

    `chunks` are the arrivals of chunks with non-empty content (or reasoning); role-only and empty
    chunks do not count.
    """

    sent: float
    chunks: tuple[float, ...] = ()
    done: float

    @property
    def ttft(self) -> float | None:
        """Seconds from the intended send time to the first chunk with content."""
        return self.chunks[0] if self.chunks else None

    @property
    def service_ttft(self) -> float | None:
        """Seconds from the actual send to the first chunk with content."""
        return self.chunks[0] - self.sent if self.chunks else None

    @property
    def e2e(self) -> float:
        """Seconds from the intended send time to the end of the answer."""
        return self.done


class Attempt(Record):
    """One request's outcome: an answer, or a failure with its cause, never a mixture."""

    key: str
    suite: str
    section: str
    case: str
    repeat: int = Field(ge=0)
    status: Literal["answered", "failed"]
    text: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    timing: Timing | None = None
    tries: int = Field(default=1, ge=1)
    failure: Failure | None = None
    reused_from: str | None = None

    @model_validator(mode="after")
    def _answer_or_failure(self) -> Attempt:
        if self.status == "answered" and (self.text is None or self.failure is not None):
            raise ValueError("an answered attempt has a text and no failure")
        if self.status == "failed" and (self.failure is None or self.text is not None):
            raise ValueError("a failed attempt has a failure and no text")
        return self

    @property
    def state(self) -> AttemptState:
        """What the attempt amounts to; `truncated` and `empty` are states of their own."""
        if self.status == "failed":
            return "failed"
        if not (self.text or "").strip():
            return "empty"
        return "truncated" if self.finish_reason == "length" else "ok"
