"""One exchange on one connection, byte by byte over a real socket."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client.failures import TransportFailed
from harness.client.transport.connection import Connection
from tests.client.raw import (
    Answer,
    Notes,
    RawServer,
    Step,
    chunk,
    chunked,
    plain,
    post,
    transport,
)
from tests.manual_clock import ManualClock

HEAD = b"HTTP/1.1 200 OK\r\n"
OPENED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"hel")


async def told(answer: Answer, sink: Notes | None = None, **limits: float) -> Notes:
    async with RawServer([answer]) as server, transport(server.url, **limits) as over:
        return await post(over, sink)


async def failure(answer: Answer, **limits: float) -> TransportFailed:
    sink = Notes()
    with pytest.raises(TransportFailed) as caught:
        await told(answer, sink, **limits)
    return caught.value


@pytest.mark.parametrize(
    "answer",
    [
        [plain(b"hello")],
        [chunked(b"he", b"llo")],
        [HEAD + b"\r\nhel", b"lo", Step.CLOSE],
        [b"HTTP/1.1 100 Continue\r\n\r\n", plain(b"hello")],
        [plain(b"hello"), b"garbage"],
        [plain(b"hello", "Connection: close"), Step.CLOSE],
        [bytes([byte]) for byte in chunked(b"hel", b"lo")],
    ],
)
async def test_an_answer(answer: Answer) -> None:
    notes = await told(answer)
    assert notes.status == 200
    assert notes.body == b"hello"
    assert all(before <= after for before, after in pairwise(notes.times))


async def test_the_request_is_sent_as_given() -> None:
    async with RawServer([[plain(b"")]]) as server, transport(server.url) as over:
        await post(over, body=b'{"a": 1}')
    head, _, body = server.requests[0][0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /v1/x HTTP/1.1"
    assert {line.partition(":")[0]: line.partition(": ")[2] for line in lines} == {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": "harness/0.1.0",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "Content-Length": "8",
    }
    assert body == b'{"a": 1}'


class Wire(asyncio.Transport):
    """The other end of a connection that a test holds in its hand."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = False

    def write(self, data: object) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


class Kept:
    def __init__(self) -> None:
        self.freed_ones: list[Connection] = []

    def freed(self, connection: Connection) -> None:
        self.freed_ones.append(connection)

    def lost(self, connection: Connection) -> None:
        raise AssertionError


@given(cuts=st.lists(st.integers(0, 400), max_size=30), enough=st.booleans())
def test_any_split_gives_the_same_answer_in_the_order_of_time(
    cuts: list[int], enough: bool
) -> None:
    data = b"HTTP/1.1 100 Continue\r\n\r\n" + chunked(b"he", b"l", b"lo!", trailer=b"X: y\r\n")
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})

    async def split() -> None:
        clock, kept, sink = ManualClock(), Kept(), Notes(until=b"lo!" if enough else None)
        connection = Connection(kept, clock, 20.0)
        connection.connection_made(Wire())
        task = asyncio.ensure_future(connection.exchange(b"", sink))
        await asyncio.sleep(0)
        for start, end in pairwise(places):
            clock.advance(1.0)
            connection.data_received(data[start:end])
        await task
        assert (sink.status, sink.body) == (200, b"hello!")
        assert sink.times == sorted(set(sink.times))
        assert len(sink.times) <= len(places) - 1
        assert kept.freed_ones == [connection]
        assert connection.stands

    asyncio.run(split())


class Ticking(ManualClock):
    """A clock on which every look is a second after the last."""

    def now(self) -> float:
        self.advance(1.0)
        return super().now()


async def test_one_look_at_the_clock_for_each_read() -> None:
    clock = Ticking()
    sink = Notes()
    async with (
        RawServer([[OPENED + chunk(b"l") + chunk(b"o") + b"0\r\n\r\n"]]) as server,
        transport(server.url, clock) as over,
    ):
        await post(over, sink)
    assert sink.body == b"hello"
    assert (sink.sent_at, sink.times) == (1.0, [2.0])
    assert clock.now() == 3.0


@pytest.mark.parametrize(
    ("answer", "cause", "words"),
    [
        ([Step.CLOSE], "reset", "the server closed the connection"),
        ([Step.RESET], "reset", "the connection broke: Connection reset by peer"),
        ([OPENED, Step.CLOSE], "reset", "in mid-answer"),
        ([OPENED, Step.RESET], "reset", ""),
        ([plain(b"hello")[:-1], Step.CLOSE], "reset", "in mid-answer"),
        ([HEAD, Step.CLOSE], "reset", "in mid-answer"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", Step.CLOSE], "reset", "in mid-answer"),
        ([b"SSH-2.0-x\r\n"], "protocol", "the answer is not HTTP"),
        ([b"<html>"], "protocol", "the answer is not HTTP"),
        ([OPENED, b"zz\r\n"], "protocol", "the answer is not HTTP"),
        (
            [b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"],
            "protocol",
            "switches",
        ),
        ([HEAD, b"X-Long: " + b"y" * 70_000], "protocol", "head is longer"),
        ([plain(b"x", "Content-Encoding: gzip")], "protocol", "compresses"),
    ],
)
async def test_what_is_no_answer(answer: Answer, cause: str, words: str) -> None:
    failed = await failure(answer)
    assert failed.cause == cause
    assert words in failed.detail


@pytest.mark.parametrize("answer", [[Step.HANG], [HEAD, Step.HANG], [OPENED, Step.HANG]])
async def test_silence_is_a_stall(answer: Answer) -> None:
    failed = await failure(answer, chunk_timeout=0.05)
    assert (failed.cause, failed.detail) == ("stalled", "nothing came for too long")


async def test_what_keeps_coming_is_no_stall() -> None:
    class Slow(RawServer):
        async def _do(self, step: bytes | Step, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.05)
            await super()._do(step, writer)

    pieces = [OPENED, *[chunk(b"x")] * 8, b"0\r\n\r\n"]
    async with Slow([pieces]) as server, transport(server.url, chunk_timeout=0.4) as over:
        assert (await post(over)).body == b"hel" + 8 * b"x"


async def test_what_came_before_the_break_was_told() -> None:
    sink = Notes()
    with pytest.raises(TransportFailed):
        await told([OPENED, chunk(b"lo"), Step.CLOSE], sink)
    assert sink.body == b"hello"


class Refuses(Notes):
    def __init__(self, at_head: bool) -> None:
        super().__init__()
        self._at_head = at_head

    def head(self, status: int, headers: object) -> None:
        self.status = status
        if self._at_head:
            raise LookupError("head")

    def feed(self, data: bytes, at: float) -> bool:
        raise LookupError("feed")


@pytest.mark.parametrize("at_head", [True, False])
async def test_what_the_sink_raises_comes_out_and_the_connection_goes(at_head: bool) -> None:
    async with (
        RawServer([[OPENED, Step.HANG]], [[plain(b"ok")]]) as server,
        transport(server.url, concurrency=1) as over,
    ):
        with pytest.raises(LookupError, match="head" if at_head else "feed"):
            await post(over, Refuses(at_head))
        assert (await post(over)).body == b"ok"
    assert len(server.requests) == 2


async def test_a_sink_that_refuses_an_answer_that_ends_with_the_connection() -> None:
    with pytest.raises(LookupError, match="head"):
        await told([HEAD + b"\r\n", Step.CLOSE], Refuses(at_head=True))


async def test_enough_is_enough_and_the_rest_is_read_for_the_connections_sake() -> None:
    first = [OPENED, Step.HANG]
    async with RawServer([first]) as server, transport(server.url) as over:
        assert (await post(over, Notes(until=b"hel"))).body == b"hel"
    second = [OPENED, chunk(b"lo"), b"0\r\n\r\n"]
    async with (
        RawServer([second, [plain(b"ok")]]) as server,
        transport(server.url, concurrency=1) as over,
    ):
        assert (await post(over, Notes(until=b"hel"))).body in (b"hel", b"hello")
        assert (await post(over)).body == b"ok"
    assert [len(asked) for asked in server.requests] == [2]


@pytest.mark.parametrize("rest", [Step.HANG, Step.CLOSE, b"zz\r\n"])
async def test_what_goes_wrong_after_enough_concerns_the_connection_only(
    rest: bytes | Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.client.transport.connection._LINGER", 0.02)
    async with (
        RawServer([[OPENED, rest, Step.HANG]], [[plain(b"ok")]]) as server,
        transport(server.url, concurrency=1) as over,
    ):
        assert (await post(over, Notes(until=b"hel"))).body == b"hel"
        assert (await post(over)).body == b"ok"
    assert len(server.requests) == 2


async def test_cancelling_closes_the_connection_and_frees_its_place() -> None:
    async with RawServer([[OPENED, Step.HANG]], [[plain(b"ok")]]) as server:
        async with transport(server.url, concurrency=1) as over:
            task = asyncio.ensure_future(post(over))
            await server.arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await post(over)).body == b"ok"
        await server.all_ended.wait()
    assert len(server.requests) == 2


async def test_an_answer_before_the_request_was_read_ends_the_connection() -> None:
    class Early(RawServer):
        async def talk(
            self, requests: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.readexactly(1)
            writer.write(plain(b"too large").replace(b"200", b"413"))
            while await reader.read(65536):
                pass

    async with Early() as server, transport(server.url) as over:
        for _ in range(2):
            notes = await post(over, body=b"x" * 20_000_000)
            assert (notes.status, notes.body) == (413, b"too large")
    assert len(server.requests) == 2
