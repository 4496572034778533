"""A client that plays a script: for tests, with no server and no waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.client.protocol import Answer, ChatRequest, Failed, Layer, Reply, RequestContext
from harness.clock import Clock
from harness.records.attempt import Failure, Timing, Usage


@dataclass(frozen=True, slots=True)
class Line:
    """What to say, and after how many seconds the first and each further word comes."""

    text: str
    first: float = 0.0
    gap: float = 0.0
    finish_reason: str = "stop"
    reasoning: str | None = None
    token_logprobs: tuple[tuple[str, float], ...] | None = None


Scripted = str | Line | Failure | Reply
Script = Callable[[ChatRequest], Scripted] | Iterable[Scripted]


class ScriptedClient(Layer):
    """A client that answers from a function of the request, or line by line from a list.

    A word is a chunk and a token. `requests` holds what was asked, in order.
    """

    def __init__(self, script: Script, *, clock: Clock) -> None:
        self._next = script if callable(script) else _reader(script)
        super().__init__(clock)
        self.requests: list[ChatRequest] = []

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        """What the script says next.

        Raises:
            LookupError: the script is at its end.
        """
        self.requests.append(request)
        now, start = self._clock.now(), context.intended
        said = self._next(request)
        if isinstance(said, Answer | Failed):
            await asyncio.sleep(0)
            return said
        if isinstance(said, Failure):
            await asyncio.sleep(0)
            return Failed(said, Timing(sent=now - start, done=self._clock.now() - start), 1)
        return await self._say(Line(said) if isinstance(said, str) else said, request, start)

    async def _say(self, line: Line, request: ChatRequest, start: float) -> Answer:
        sent = self._clock.now() - start
        words = line.text.split()
        arrivals: list[float] = []
        for number in range(len(words)):
            await self._clock.sleep(line.gap if number else line.first)
            arrivals.append(self._clock.now() - start)
        logprobs = line.token_logprobs or tuple((word, -0.1) for word in words)
        prompt = sum(len(message.content.split()) for message in request.messages)
        return Answer(
            text=line.text,
            reasoning=line.reasoning,
            finish_reason=line.finish_reason,
            usage=Usage(prompt_tokens=prompt, completion_tokens=len(words)),
            timing=Timing(sent=sent, chunks=tuple(arrivals), done=self._clock.now() - start),
            tries=1,
            model=request.model,
            token_logprobs=logprobs if request.logprobs else None,
            first_tokens=1 if words else None,
        )


def _reader(script: Iterable[Scripted]) -> Callable[[ChatRequest], Scripted]:
    lines = iter(script)

    def read(request: ChatRequest) -> Scripted:
        for line in lines:
            return line
        raise LookupError(f"the script is at its end: {request.messages[-1].content!r}")

    return read
