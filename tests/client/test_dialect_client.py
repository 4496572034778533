"""The times of a stream, read by read, from a server that sends a piece a second."""

import asyncio
from typing import Any

import pytest

from harness.client.credentials import from_environment
from harness.client.dialect import Access
from harness.client.dialect_client import DialectClient
from harness.client.dialects.http import HttpDialect
from harness.client.protocol import Answer, Failed, Reply
from harness.records.attempt import Timing
from harness.records.http_server import HttpServer
from harness.records.target import Generation
from tests.client.conftest import ask_for
from tests.client.dialects.test_openai_answer import DONE, STOP, event
from tests.client.raw import RawServer, Step
from tests.dialects import openai_dialect
from tests.manual_clock import ManualClock

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
ROLE = event({"role": "assistant", "content": ""}, model="mock")
END = STOP.replace(b'"m"', b'"mock"') + DONE


def said(text: str, key: str = "content", **more: Any) -> bytes:
    return event({key: text}, model="mock", **more)


def counts(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 5, "completion_tokens": tokens}


class Lockstep(ManualClock):
    """A clock that moves only once the client has looked at it."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = asyncio.Event()

    def now(self) -> float:
        self._looked.set()
        return super().now()

    async def sleep(self, seconds: float) -> None:
        await self._looked.wait()
        self._looked.clear()
        self.advance(seconds)


class Paced(RawServer):
    """Sends each piece a second after the last, once the client has read that one."""

    def __init__(self, clock: Lockstep, *connections: Any) -> None:
        super().__init__(*connections)
        self._clock = clock

    async def _do(self, step: bytes | Step, writer: asyncio.StreamWriter) -> None:
        await self._clock.sleep(1.0)
        await super()._do(step, writer)


async def told(*pieces: bytes | Step, **more: Any) -> Reply:
    clock = Lockstep()
    generation = Generation(chunk_timeout=20.0)
    async with (
        Paced(clock, [pieces]) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=clock
        ) as client,
    ):
        return await client.ask(ask_for(**more))


E_ACUTE = said("\N{LATIN SMALL LETTER E WITH ACUTE}").replace(b"\\u00e9", b"\xc3\xa9")
CUT = E_ACUTE.index(b"\xa9")


@pytest.mark.parametrize(
    ("pieces", "text", "chunks", "done"),
    [
        pytest.param([HEAD + ROLE, said("a"), said("b"), END], "ab", (2, 3), 4, id="early role"),
        pytest.param([HEAD, said("a") + END], "a", (2,), 2, id="head alone"),
        pytest.param(
            [HEAD + ROLE, said("hm", "reasoning"), said("a"), END], "a", (2, 3), 4, id="reasoning"
        ),
        pytest.param(
            [HEAD + b": ping\n\n", b": ping\n\n:\n", said("a") + b": x\n", END],
            "a",
            (3,),
            4,
            id="comments",
        ),
        pytest.param(
            [HEAD + ROLE + said("a") + said("b"), said("c") + END],
            "abc",
            (1, 1, 2),
            2,
            id="several in a segment",
        ),
        pytest.param(
            [HEAD + said("a")[:9], said("a")[9:-1], b"\n" + said("b")[:-2], b"\n\n", END],
            "ab",
            (3, 4),
            5,
            id="cut events",
        ),
        pytest.param(
            [HEAD, E_ACUTE[:CUT], E_ACUTE[CUT:], END],
            "\N{LATIN SMALL LETTER E WITH ACUTE}",
            (3,),
            4,
            id="cut character",
        ),
        pytest.param(
            [HEAD + said("a"), END[: -len(DONE)], DONE], "a", (1,), 3, id="end in its own time"
        ),
    ],
)
async def test_a_chunk_comes_when_its_last_byte_is_read(
    pieces: list[bytes], text: str, chunks: tuple[float, ...], done: float
) -> None:
    reply = await told(*pieces)
    assert isinstance(reply, Answer)
    assert (reply.text, reply.timing.chunks, reply.timing.done) == (text, chunks, done)


async def test_tokens_are_the_servers_counts_not_the_chunks() -> None:
    role = event({"role": "assistant", "content": ""}, model="mock", usage=counts(0))
    first, second = said("a b c d", usage=counts(4)), said(" e f", usage=counts(6))
    reply = await told(HEAD + role, first, second, END)
    assert isinstance(reply, Answer)
    assert len(reply.timing.chunks) == 2
    assert reply.first_tokens == 4
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 6


async def test_usage_after_the_end_of_the_text() -> None:
    usage = event(choices=[], usage=counts(7), model="mock")
    reply = await told(HEAD + said("a"), END[: -len(DONE)], usage + DONE)
    assert isinstance(reply, Answer)
    assert reply.usage is not None
    assert (reply.usage.completion_tokens, reply.first_tokens) == (7, None)
    assert (reply.timing.chunks, reply.timing.done) == ((1,), 3)


@pytest.mark.parametrize(
    ("rest", "cause"),
    [
        (b'data: {"error": "died"}\n\n', "server_error"),
        (Step.CLOSE, "reset"),
        (Step.RESET, "reset"),
    ],
)
async def test_what_came_before_a_failure_keeps_its_times(rest: bytes | Step, cause: str) -> None:
    reply = await told(HEAD + ROLE, said("a"), said("b"), rest)
    assert isinstance(reply, Failed)
    assert reply.failure.cause == cause
    assert reply.timing is not None
    assert (reply.timing.sent, reply.timing.chunks, reply.timing.done) == (0, (2, 3), 4)


async def test_a_wait_for_a_connection_is_no_service_time() -> None:
    clock = Lockstep()
    whole = [HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n") % len(said("a") + END)]
    whole += [said("a"), END]
    async with (
        Paced(clock, [whole, whole]) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=Generation(concurrency=1), clock=clock
        ) as client,
    ):
        first, second = await asyncio.gather(client.ask(ask_for()), client.ask(ask_for()))
    assert first.timing is not None
    assert second.timing is not None
    assert (first.timing.sent, first.timing.chunks, first.timing.done) == (0, (2,), 3)
    assert (second.timing.sent, second.timing.ttft, second.timing.service_ttft) == (3, 5, 2)


async def test_a_bot_is_sent_to_when_there_is_a_connection() -> None:
    clock = Lockstep()
    said = b'{"reply": "a"}'
    whole = [b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n", said]
    async with Paced(clock, [whole, whole]) as server:
        bot = HttpServer.model_validate(
            {
                "engine": "http",
                "url": server.url,
                "request": {"q": {"$": "last_message"}},
                "answer": "reply",
            }
        )
        dialect = HttpDialect(bot.url, Access(from_environment(bot, {}, "servers.bot"), bot))
        async with DialectClient(
            dialect, generation=Generation(concurrency=1), clock=clock
        ) as client:
            replies = await asyncio.gather(client.ask(ask_for()), client.ask(ask_for()))
    times = [reply.timing for reply in replies if reply.timing is not None]
    assert [(one.sent, one.done) for one in times] == [(0, 2), (2, 4)]


async def test_what_was_never_sent_counts_from_when_it_was_taken_up() -> None:
    clock = ManualClock(5.0)
    async with DialectClient(
        openai_dialect("http://127.0.0.1:1/v1", None), generation=Generation(), clock=clock
    ) as client:
        reply = await client.ask(ask_for(), intended=3.0)
    assert reply.timing is not None
    assert (reply.timing.sent, reply.timing.done) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("pieces", "first", "answer"),
    [
        pytest.param([said("hm", "reasoning"), said("\n\n"), said("a")], 2, 4, id="a field"),
        pytest.param([said("<think>"), said("hm</th"), said("ink>\na")], 2, 4, id="tags"),
        pytest.param([said("hm"), said("</think>"), said("a")], 2, 4, id="no opening tag"),
        pytest.param([said("[hm]"), said("a"), said("b")], 2, 2, id="none"),
        pytest.param([said("a"), said("hm", "reasoning"), said("b")], 2, 2, id="answer first"),
        pytest.param([said("<think>hm</think>a"), said("b")], 2, 2, id="in one chunk"),
        pytest.param([said("hm", "reasoning"), said("hm")], 2, 3, id="no end"),
        pytest.param([said("<think>hm"), said("hm")], 2, None, id="no answer"),
        pytest.param([said("hm", "reasoning"), said(" ")], 2, None, id="a blank answer"),
        pytest.param(
            [
                said("<|channel|>analysis<|message|>hm<|end|>"),
                said("<|channel|>final<|message|>"),
                said("a"),
            ],
            2,
            4,
            id="channels",
        ),
    ],
)
async def test_the_answer_begins_after_its_thinking(
    pieces: list[bytes], first: float, answer: float | None
) -> None:
    reply = await told(HEAD + ROLE, *pieces, END)
    assert isinstance(reply, Answer)
    assert (reply.timing.ttft, reply.timing.tta) == (first, answer)
    assert reply.timing.thinks == (answer != first)
    written = reply.timing.model_dump(mode="json")
    assert ("thinks" in written) == reply.timing.thinks
    assert Timing.model_validate(written) == reply.timing


async def test_a_stream_that_broke_off_in_its_thinking_has_no_answer() -> None:
    reply = await told(HEAD + ROLE, said("hm", "reasoning"), Step.CLOSE)
    assert isinstance(reply, Failed)
    assert reply.timing is not None
    assert (reply.timing.ttft, reply.timing.tta) == (2, None)
