"""Reads are timed at once and parsed in turn."""

import asyncio
from functools import partial

from harness.client.transport.connection import _MOST_UNREAD, AT_ONCE, Backlog, Connection
from tests.client.raw import Notes, chunk, chunked
from tests.client.transport.test_connection import OPENED, Kept, Wire
from tests.manual_clock import ManualClock


async def test_a_few_in_each_turn_of_the_loop_and_all_in_order() -> None:
    backlog, parsed = Backlog(), list[int]()
    for number in range(2 * AT_ONCE + 1):
        backlog.add(partial(parsed.append, number))
    seen = []
    for _ in range(4):
        seen.append(len(parsed))
        await asyncio.sleep(0)
    assert seen == [0, AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1]
    assert parsed == list(range(2 * AT_ONCE + 1))
    backlog.add(partial(parsed.append, 99))
    await asyncio.sleep(0)
    assert parsed[-1] == 99


async def asking(clock: ManualClock, sink: Notes) -> tuple[Connection, asyncio.Task[None]]:
    class Lost(Kept):
        def lost(self, connection: Connection) -> None:
            pass

    connection = Connection(Lost(), clock, 20.0)
    connection.connection_made(Wire())
    task = asyncio.ensure_future(connection.exchange(b"", sink))
    await asyncio.sleep(0)
    return connection, task


async def test_a_read_is_timed_before_it_is_understood() -> None:
    clock, sink = ManualClock(), Notes()
    connection, task = await asking(clock, sink)
    for piece in (OPENED, chunk(b"lo"), b"0\r\n\r\n"):
        clock.advance(1.0)
        connection.data_received(piece)
    clock.advance(60.0)
    assert sink.times == []
    assert not connection.usable
    await task
    assert (sink.body, sink.times) == (b"hello", [1.0, 2.0])
    assert connection.usable


async def test_what_was_read_before_the_end_of_a_connection_counts() -> None:
    sink = Notes()
    connection, task = await asking(ManualClock(), sink)
    connection.data_received(chunked(b"hello"))
    connection.connection_lost(None)
    await task
    assert sink.body == b"hello"


async def test_not_all_of_an_endless_answer_waits_in_memory() -> None:
    sink = Notes()
    connection, task = await asking(ManualClock(), sink)
    connection.data_received(OPENED)
    for _ in range(_MOST_UNREAD):
        connection.data_received(chunk(b"x"))
    assert sink.body.endswith(b"x")
    connection.data_received(b"0\r\n\r\n")
    await task
    assert sink.body == b"hel" + _MOST_UNREAD * b"x"
