"""What every client takes and gives back: a request, and an answer or a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.records.attempt import Failure, Timing, Usage
from harness.records.suite import Message


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One conversation to put to one model, with its sampling.

    `answers_as` is another name by which the model may call itself in its answers; `session` is
    the conversation on the server that the request goes on with, for servers that know of any.
    `extra` are fields of the server's own, sent as they are; `stream_options` among them are added
    to ours.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    logprobs: bool = False
    answers_as: str | None = None
    session: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; `token_logprobs` are natural logarithms, one a generated token.

    `model` is the name the server gave, or the one asked for where it gave none. `first_tokens` is
    how many tokens the first chunk with content brought, where the server counts in every chunk.
    """

    text: str
    reasoning: str | None
    finish_reason: str
    usage: Usage | None
    timing: Timing
    tries: int
    model: str
    token_logprobs: tuple[tuple[str, float], ...] | None = None
    first_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A request that brought no answer; `timing` is that of its last try, if it was sent.

    `retry_after` is how many seconds the server asked to be left alone. `gone` says that no
    request has been answered for longer than anybody waits: there is no use in asking on.
    """

    failure: Failure
    timing: Timing | None
    tries: int
    retry_after: float | None = None
    gone: bool = False


Reply = Answer | Failed


class ChatClient(Protocol):
    """Anything that can be asked."""

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The answer, or a failure with its cause; never an exception for what a server does.

        `intended` is the moment on the client's clock at which the request was due (default:
        now); every time in the reply counts from it.
        """
        ...
