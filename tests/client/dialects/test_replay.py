from __future__ import annotations

from dataclasses import dataclass, field, replace

from harness.client.credentials import Credentials
from harness.client.dialect import Access
from harness.client.dialects.http import HttpDialect
from harness.client.protocol import Answer, ChatRequest, Failed, Reply, RequestContext
from harness.client.retry import send_turns
from harness.records.attempt import Failure, Timing, Usage
from harness.records.http_server import HttpServer
from harness.records.suite import Message
from tests.manual_clock import ManualClock

ANSWER = Answer("hi", None, "stop", Usage(prompt_tokens=3, completion_tokens=2),
                Timing(sent=0.0, done=1.0), 1, "m")  # fmt: skip
ROLES = ("system", "user", "assistant", "user", "user")
TALK = ChatRequest(
    "m",
    tuple(Message.model_validate({"role": role, "content": str(at)})
          for at, role in enumerate(ROLES)),
    max_tokens=9,
)  # fmt: skip


@dataclass
class Inner:
    """Answers as told, each turn a second after it was asked."""

    replies: list[Reply]
    clock: ManualClock = field(default_factory=ManualClock)
    asked: list[tuple[str, str | None, float | None]] = field(default_factory=list)

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        said = "".join(message.content for message in request.messages)
        self.asked.append((said, request.session, context.intended))
        self.clock.advance(1.0)
        return self.replies[len(self.asked) - 1]


async def ask(inner: Inner) -> Reply:
    server = HttpServer.model_validate({"engine": "http", "url": "http://h", "preset": "rasa"})
    dialect = HttpDialect(server.url, Access(Credentials({}, ()), server))
    context = RequestContext(-5.0)
    return await send_turns(inner, dialect.turns(TALK), context, inner.clock)  # type: ignore[arg-type]


async def test_each_turn_is_asked_in_one_session_and_due_when_the_last_was_answered() -> None:
    inner = Inner([replace(ANSWER, text=text) for text in "abc"])
    reply = await ask(inner)
    assert isinstance(reply, Answer)
    assert reply.text == "c"
    assert reply.usage == Usage(prompt_tokens=9, completion_tokens=6)
    assert [(said, due) for said, _, due in inner.asked] == [
        ("01", -5.0), ("0123", 1.0), ("01234", 2.0),
    ]  # fmt: skip
    assert len({session for _, session, _ in inner.asked}) == 1


async def test_another_conversation_has_another_session() -> None:
    inner = Inner([ANSWER] * 6)
    await ask(inner)
    await ask(inner)
    assert len({session for _, session, _ in inner.asked}) == 2


async def test_tokens_are_counted_only_where_every_turn_counts_them() -> None:
    reply = await ask(Inner([ANSWER, replace(ANSWER, usage=None), ANSWER]))
    assert isinstance(reply, Answer)
    assert reply.usage is None


async def test_nothing_is_asked_after_a_turn_that_failed() -> None:
    failure = Failure(cause="http", detail="HTTP 503", status=503)
    inner = Inner([ANSWER, Failed(failure, None, 1, retry_after=4.0)])
    reply = await ask(inner)
    assert isinstance(reply, Failed)
    assert (reply.failure.status, reply.retry_after) == (503, 4.0)
    assert reply.failure.detail == "turn 2 of 3: HTTP 503"
    assert len(inner.asked) == 2
