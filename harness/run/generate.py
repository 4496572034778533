"""Generate: send a plan's requests to a server and write the answers to the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from harness.client.protocol import ChatClient, ChatRequest, Failed, Reply
from harness.client.refused_fields import check_taken
from harness.errors import HarnessError, ServerError
from harness.records.attempt import OUTAGE, Attempt, Failure
from harness.records.plan import PlannedRequest
from harness.records.target import Generation
from harness.run.few_shot import Examples
from harness.targets.chat_trial import NO_ROUTE_STATUS

REFUSED_STATUS = frozenset({401, 403})
_MOST = 20  # tokens at a place: what vLLM and OpenAI tell of at most


Trial = Callable[[], Awaitable[None]]


class Journal(Protocol):
    """Takes the line of each attempt as soon as it is complete."""

    def append(self, line: str) -> None:
        """Keep one line."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """How a plan's requests are sent: the model's name on the server and the sampling settings.

    `where` names the server in errors; `examples` stand before each conversation.
    """

    model: str
    generation: Generation
    answers_as: str | None = None
    where: str = ""
    examples: Examples | None = None

    def request(self, ask: PlannedRequest) -> ChatRequest:
        """The request that puts the ask to the server."""
        return ChatRequest(
            model=self.model,
            messages=ask.messages if self.examples is None else self.examples.conversation(ask),
            max_tokens=self.generation.max_tokens,
            temperature=self.generation.temperature,
            top_p=self.generation.top_p,
            seed=ask.seed,
            answers_as=self.answers_as,
            top_logprobs=_MOST if self._chooses else 0,
            extra=self.generation.request_fields(),
        )

    @property
    def _chooses(self) -> bool:
        """Whether the answer is one of a few, so that each has a probability worth keeping."""
        return "choice" in (self.generation.structured_outputs or {})


async def generate(
    requests: Iterable[PlannedRequest],
    question: Question,
    client: ChatClient,
    journal: Journal,
    on_attempt: Callable[[PlannedRequest, Attempt], None],
    trial: Trial | None = None,
) -> None:
    """Return when every ask has an attempt in the journal.

    At most `concurrency` requests are under way, and no task exists for a request that is not. The
    `trial` is made once, where nothing was answered and a request finds no route: it raises where
    none is there for any.

    Raises:
        ServerError: the server refuses the key, or is gone: as many requests in a row as may be
            under way at once could not reach it, or were not let in. What was journaled stays.
    """
    waiting = iter(requests)
    watch = Watch(question)
    tried = asyncio.Lock()

    async def work() -> None:
        for ask in waiting:
            reply = await client.ask(question.request(ask))
            if isinstance(reply, Failed) and reply.gone:
                raise _gone(reply.failure, question.where)
            attempt = _attempt(ask, reply)
            journal.append(attempt.model_dump_json(exclude_none=True))
            on_attempt(ask, attempt)
            watch.see(attempt)
            if trial is not None and watch.doubts_route(attempt):
                async with tried:  # who comes later waits for what the first one finds
                    if not watch.route_tried:
                        await trial()
                        watch.route_tried = True

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(question.generation.concurrency):
                group.create_task(work())
    except* HarnessError as errors:
        raise _first(errors) from None


def _first(group: BaseExceptionGroup[HarnessError]) -> HarnessError:
    """The first of the errors of several workers, which usually are the same."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, HarnessError)
    return error


class Watch:
    """Stops a run whose server is gone, instead of failing every case that is left."""

    def __init__(self, question: Question) -> None:
        self._limit = max(4, question.generation.concurrency)
        self._where = question.where
        self._unreachable = 0
        self._answered = False
        self.route_tried = False

    def doubts_route(self, attempt: Attempt) -> bool:
        """Whether the attempt found no route, where none has answered and none was tried."""
        failure = attempt.failure
        missing = failure is not None and failure.status in NO_ROUTE_STATUS
        return missing and not self._answered and not self.route_tried

    def see(self, attempt: Attempt) -> None:
        """Take note of a reply; raise if the server is gone, or refuses every request.

        Raises:
            ConfigError: it refuses a field.
            ServerError: it refuses the key, or is gone.
        """
        failure = attempt.failure
        if failure is None:
            self._unreachable = 0
            self._answered = True
            return
        check_taken(failure, self._where)
        if failure.status in REFUSED_STATUS:
            raise ServerError(
                f"the server refuses the key: {failure.detail}",
                where=self._where,
                hint="set the environment variable that holds it, then run again",
            )
        self._unreachable = self._unreachable + 1 if failure.code in OUTAGE else 0
        if self._unreachable >= self._limit:
            raise _gone(failure, self._where)


def _gone(failure: Failure, where: str) -> ServerError:
    closed = failure.status is not None and failure.code in OUTAGE
    words = "takes no requests" if closed else "is gone"
    return ServerError(
        f"the server {words}: {failure.detail}",
        where=where,
        hint="finished answers are kept; bring it back and run the same command again",
    )


def _attempt(ask: PlannedRequest, reply: Reply) -> Attempt:
    place = {
        "key": ask.key,
        "suite": ask.suite,
        "section": ask.section,
        "case": ask.case.id,
        "repeat": ask.repeat,
        "timing": reply.timing,
        "tries": reply.tries,
        "retried": reply.retried,
    }
    outcome: dict[str, Any]
    if isinstance(reply, Failed):
        outcome = {"status": "failed", "failure": reply.failure}
    else:
        outcome = {
            "status": "answered",
            "text": reply.text,
            "reasoning": reply.reasoning,
            "finish_reason": reply.finish_reason,
            "usage": reply.usage,
            "beginnings": reply.beginnings,
            "passages": reply.passages,
        }
    return Attempt.model_validate({**place, **outcome})
