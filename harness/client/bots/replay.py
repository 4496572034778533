"""A conversation put to a bot that remembers: a request a turn, all in one session."""

from __future__ import annotations

import uuid
from dataclasses import replace

from harness.client.protocol import Answer, ChatClient, ChatRequest, Failed, Reply
from harness.client.stream import one_line
from harness.clock import Clock
from harness.records.attempt import Usage


class ReplayClient:
    """A client whose requests are the user turns of a conversation, one after the other.

    Stands around what sends one request, and inside what tries again: a conversation that failed
    begins anew, in another session.
    """

    def __init__(self, inner: ChatClient, *, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The answer to the last turn, or the first failure.

        The answer's times count from when the answer before it had come; its token counts are
        those of all turns.
        """
        session = str(uuid.uuid4())
        places = [
            place for place, message in enumerate(request.messages, 1) if message.role == "user"
        ]
        answers: list[Answer] = []
        for number, place in enumerate(places, 1):
            turn = replace(request, messages=request.messages[:place], session=session)
            reply = await self._inner.ask(turn, intended=intended)
            if isinstance(reply, Failed):
                return _in_turn(number, len(places), reply)
            answers.append(reply)
            intended = self._clock.now()
        return replace(answers[-1], usage=_sum([answer.usage for answer in answers]))


def _in_turn(number: int, count: int, reply: Failed) -> Failed:
    """The failure, saying in which turn of a conversation it happened."""
    if count == 1:
        return reply
    detail = one_line(f"turn {number} of {count}: {reply.failure.detail}")
    return replace(reply, failure=reply.failure.model_copy(update={"detail": detail}))


def _sum(usages: list[Usage | None]) -> Usage | None:
    """The tokens of all turns, where each turn's are known."""
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in known),
        completion_tokens=sum(usage.completion_tokens for usage in known),
    )
