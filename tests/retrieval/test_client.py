"""A client that retrieves: what is sent, what is kept, and from when times count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.records.attempt import Failure, Passage, Timing
from harness.records.suite import Message
from harness.retrieval.client import RetrievingClient
from harness.retrieval.index import Index
from tests.manual_clock import ManualClock

FOUND = (Passage(id="a.md", score=2.0, text="A\nOne."), Passage(id="b.md", score=1.0, text="Two."))


class Slow(Index):
    """Finds these after so many seconds."""

    def __init__(self, clock: ManualClock, found: tuple[Passage, ...]) -> None:
        super().__init__((), None)
        object.__setattr__(self, "_clock", clock)
        object.__setattr__(self, "_found", found)

    __slots__ = ("_clock", "_found")

    def search(self, question: str, k: int) -> tuple[Passage, ...]:
        assert question == "Why?"
        self._clock.advance(0.25)
        return self._found[:k]


class Inner:
    """Answers at once, with times that count from when the request was due."""

    def __init__(self, clock: ManualClock, reply: Callable[[float], Reply]) -> None:
        self._clock, self._reply = clock, reply
        self.asked: list[ChatRequest] = []

    async def ask(self, request: ChatRequest, *, intended: float | None = None) -> Reply:
        self.asked.append(request)
        assert intended is not None
        return self._reply(self._clock.now() - intended)


def answer(sent: float) -> Answer:
    return Answer("Yes.", None, "stop", None, Timing(sent=sent, chunks=(sent,), done=sent), 1, "m")


def request() -> ChatRequest:
    turns = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Why?")]
    messages = tuple(Message(role=role, content=text) for role, text in turns)  # type: ignore[arg-type]  # a role each
    return ChatRequest("m", messages, 8)


def ask(
    found: tuple[Passage, ...], reply: Callable[[float], Reply] = answer, k: int = 2
) -> tuple[ChatRequest, Reply]:
    clock = ManualClock()
    inner = Inner(clock, reply)
    client = RetrievingClient(inner, Slow(clock, found), k, clock)
    return (got := asyncio.run(client.ask(request()))) and inner.asked[0], got


def test_passages_stand_in_the_last_turn_before_the_question() -> None:
    sent, reply = ask(FOUND)
    assert [turn.content for turn in sent.messages[:-1]] == ["Be brief.", "Hi", "Hello"]
    assert sent.messages[-1].content == (
        "Passages that may hold the answer:\n\n[1] A\nOne.\n\n[2] Two.\n\nQuestion: Why?"
    )
    assert isinstance(reply, Answer)
    assert reply.passages == FOUND


def test_without_a_passage_the_question_is_sent_as_it_is() -> None:
    sent, reply = ask(())
    assert sent == request()
    assert isinstance(reply, Answer)
    assert reply.passages == ()


def test_every_time_counts_from_before_the_search() -> None:
    _, reply = ask(FOUND)
    assert reply.timing is not None
    assert (reply.timing.ttft, reply.timing.sent) == (pytest.approx(0.25), pytest.approx(0.25))


def test_a_failure_stays_one() -> None:
    failed = Failed(Failure(cause="http", detail="no", status=400), None, 1)
    assert ask(FOUND, lambda sent: failed)[1] is failed
