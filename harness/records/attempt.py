"""An attempt, what one request brought back, and its score, what a scorer made of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.records.base import Record
from harness.records.metric import Metric

FailureCause = Literal[
    "connect", "reset", "timeout", "stalled", "http", "protocol", "server_error", "wrong_model"
]
# The label of an answer that its scorer has read, and whose text does not tell.
UNDETERMINED = "undetermined"
# How a reason to ask again begins that an earlier run had, which ended with the case failed.
EARLIER = "earlier "
# The same, where that was not the first run to fail on the case, and no outage.
REPEATED = "repeated "
# What a server says of itself or of what stands behind it, and never of a single conversation.
GONE = frozenset({"connect", "reset"})
OUTAGE = GONE | {"429", "502", "503", "504"}
AttemptState = Literal["ok", "truncated", "filtered", "empty", "failed"]

# How servers say why an answer ended, in lower case. What is none of these is no answer.
FINISHED = frozenset({
    "stop", "stop_sequence", "end_turn", "eos", "eos_token", "complete", "completed",
    "tool_calls", "tool_use", "function_call",
})  # fmt: skip
CUT_OFF = frozenset({
    "length", "model_length", "max_tokens", "max_output_tokens", "repetition",
    "model_context_window_exceeded",
})  # fmt: skip
FILTERED = frozenset({
    "content_filter", "content_filtered", "guardrail_intervened", "refusal", "safety", "sensitive",
    "prohibited_content", "blocklist", "spii",
})  # fmt: skip


class Failure(Record):
    """Why a request brought no answer.

    `remedy` is what to write into the configuration where the server refused a field.
    """

    cause: FailureCause
    detail: str
    status: int | None = None
    remedy: str | None = Field(default=None, exclude_if=lambda remedy: remedy is None)

    @property
    def code(self) -> str:
        """The status as a word, or the cause where there is none."""
        return self.cause if self.status is None else str(self.status)


class Usage(Record):
    """Token counts as the server reports them."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class Timing(Record):
    """Moments of one request, in seconds since its intended send time.

    `chunks` are the arrivals of chunks with non-empty content (or reasoning); role-only and empty
    chunks do not count. `thinks` says that the first of them brought thinking and none of the
    answer; `answer` is then the arrival of the one that brought the first of it, None where none
    did.
    """

    sent: float
    chunks: tuple[float, ...] = ()
    done: float
    # Left out of the records of answers without thinking, which stay what they were.
    thinks: bool = Field(default=False, exclude_if=lambda thinks: not thinks)
    answer: float | None = Field(default=None, exclude_if=lambda moment: moment is None)

    @property
    def ttft(self) -> float | None:
        """Seconds from the intended send time to the first chunk with content."""
        return self.chunks[0] if self.chunks else None

    @property
    def tta(self) -> float | None:
        """Seconds from the intended send time to the first chunk with some of the answer."""
        return self.answer if self.thinks else self.ttft

    @property
    def service_ttft(self) -> float | None:
        """Seconds from the actual send to the first chunk with content."""
        return self.chunks[0] - self.sent if self.chunks else None

    @property
    def e2e(self) -> float:
        """Seconds from the intended send time to the end of the answer."""
        return self.done


class Passage(Record):
    """A part of a document that was put before a question, and how well it fits it, by BM25.

    The id is its file, the section after a `#`, and its number there after a `/`.
    """

    id: str
    score: float
    text: str


class _OfCase(Record):
    """A record of one repeat of a case; `key` is the digest of all that the answer depends on."""

    key: str
    suite: str
    section: str
    case: str
    repeat: int = Field(ge=0)

    @property
    def place(self) -> tuple[str, str]:
        """Suite and section."""
        return self.suite, self.section

    @property
    def path(self) -> str:
        """The case's full name `<suite>/<section>/<case>`."""
        return f"{self.suite}/{self.section}/{self.case}"


class Attempt(_OfCase):
    """One request's outcome: an answer, or a failure with its cause, never a mixture.

    `retried` is why each try before it brought no answer, in this run or where it went on.
    `beginnings` are the likeliest first tokens with their log-probabilities in nats, of an answer
    that a server chose among a few. `passages` were put before the question, the best first.
    """

    status: Literal["answered", "failed"]
    text: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    timing: Timing | None = None
    tries: int = Field(default=1, ge=1)
    failure: Failure | None = None
    reused_from: str | None = None
    retried: tuple[str, ...] = Field(default=(), exclude_if=lambda causes: not causes)
    beginnings: tuple[tuple[str, float], ...] = Field(
        default=(), exclude_if=lambda tokens: not tokens
    )
    passages: tuple[Passage, ...] = Field(default=(), exclude_if=lambda found: not found)

    @model_validator(mode="after")
    def _answer_or_failure(self) -> Attempt:
        if self.status == "answered" and (self.text is None or self.failure is not None):
            raise ValueError("an answered attempt has a text and no failure")
        if self.status == "failed" and (self.failure is None or self.text is not None):
            raise ValueError("a failed attempt has a failure and no text")
        return self

    @property
    def tta(self) -> float | None:
        """Seconds until the answer began; None where it never did, or where that was not noted."""
        timing = self.timing
        if timing is None or self.status == "failed" or not (self.text or "").strip():
            return None
        # Earlier versions kept no more than the first chunk's moment, whatever was in it.
        return timing.tta if timing.thinks or not self.reasoning else None

    @property
    def emptiness(self) -> str:
        """What kind of an empty answer it is, in words; only for an attempt that is one."""
        if not self.reasoning:
            return "empty answer"
        if (self.finish_reason or "").lower() in CUT_OFF:
            return (
                "empty answer: cut off at the token limit while thinking (raise max_tokens, or "
                "limit the thinking)"
            )
        return "empty answer: all of it is thinking"

    @property
    def state(self) -> AttemptState:
        """What the attempt amounts to: an answer, or something that is none or not a whole one."""
        if self.status == "failed":
            return "failed"
        ended = (self.finish_reason or "").lower()
        if ended in FILTERED:
            return "filtered"
        if not (self.text or "").strip():
            return "empty"
        return "truncated" if ended in CUT_OFF else "ok"


class Term(Record):
    """A case's part in a metric, which is the sum of `num` over the sum of `den`.

    Each case's `num` over its `den` is within the bounds of the metric, so that the sums are too.

    A mean has `den` 1 in every case; F1 has `num` 2·tp and `den` 2·tp + fp + fn; a case that says
    nothing about a metric (recall of refusing, where an answer is due) has no term in it.
    """

    num: float
    den: float = Field(ge=0.0)

    def check(self, metric: Metric) -> None:
        """Return if a case can give the term to the metric.

        Raises:
            ValueError: it is out of the metric's bounds.
        """
        if metric.high is not None and self.num > metric.high * self.den:
            scale = "" if metric.high == 1.0 else f"{metric.high:g} times "
            raise ValueError(f"num {self.num:g} is more than {scale}den {self.den:g}")
        if metric.low is not None and self.num < metric.low * self.den:
            scale = f"{metric.low:g}" if metric.low == 0.0 else f"{metric.low:g} times den"
            raise ValueError(f"num {self.num:g} is less than {scale}")
        if self.den == 0.0 and self.num != 0.0:
            raise ValueError(f"num {self.num:g} stands over a den of 0")


class Score(_OfCase):
    """`scored` with a value, `unscored` with a reason, or `failed` with a cause.

    The value is within the bounds of its section's metrics. A score without `passed` is a grade:
    nothing says which values are good enough.
    """

    group: str
    critical: bool
    tags: tuple[str, ...] = ()
    status: Literal["scored", "unscored", "failed"]
    state: AttemptState
    value: float | None = None
    passed: bool | None = None
    terms: dict[str, Term] = Field(default_factory=dict)
    label: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _value_only_when_scored(self) -> Score:
        if (self.status == "scored") != (self.value is not None) or (
            self.status != "scored" and self.passed is not None
        ):
            raise ValueError("a value and an outcome belong to `scored`, and only to it")
        if self.status != "scored" and (not self.reason or self.terms):
            raise ValueError("what is not scored has a reason and no terms")
        return self
