"""A client that looks passages up and puts them before the question."""

from __future__ import annotations

from dataclasses import replace

from harness.client.protocol import Answer, ChatClient, ChatRequest, Reply
from harness.clock import Clock
from harness.records.attempt import Passage
from harness.records.suite import Message
from harness.retrieval.index import Index


class RetrievingClient:
    """Asks with the best `k` passages before the question, which is the last message.

    Every time in the reply counts from before the search.
    """

    def __init__(self, inner: ChatClient, index: Index, k: int, clock: Clock) -> None:
        self._inner = inner
        self._index = index
        self._k = k
        self._clock = clock

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        """The reply, an answer with the passages that it was given."""
        due = self._clock.now() if intended is None else intended
        passages = self._index.search(request.messages[-1].content, self._k)
        messages = with_passages(request.messages, passages)
        reply = await self._inner.ask(replace(request, messages=messages), intended=due)
        return replace(reply, passages=passages) if isinstance(reply, Answer) else reply


def with_passages(
    messages: tuple[Message, ...], passages: tuple[Passage, ...]
) -> tuple[Message, ...]:
    """The conversation as it is sent: numbered passages, then the question, in its last turn."""
    if not passages:
        return messages
    *before, last = messages
    numbered = "\n\n".join(f"[{n}] {one.text}" for n, one in enumerate(passages, start=1))
    text = f"Passages that may hold the answer:\n\n{numbered}\n\nQuestion: {last.content}"
    return (*before, last.model_copy(update={"content": text}))
