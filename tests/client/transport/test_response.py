"""Responses from bytes in any pieces, without a socket."""

import itertools

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client.failures import TransportFailed
from harness.client.transport.response import LONGEST_HEAD, ResponseReader
from tests.client.raw import chunk, chunked, plain

HEAD = b"HTTP/1.1 200 OK\r\n"
WHOLE = {
    "length": plain(b"hello world", "X-One: 1", "X-One: 2"),
    "chunked": chunked(b"hello", b" ", b"world"),
    "extensions": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + chunk(b"hello", b";a=b")
    + chunk(b" world", b';name="value"')
    + b"0;last\r\n\r\n",
    "trailers": chunked(b"hello world", trailer=b"X-Sum: 1\r\nStatus: 500\r\n"),
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n" + plain(b"hello world"),
    "hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + plain(b"hello world"),
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 11\n\nhello world",
    "spaces after a size": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\nb  \r\nhello world\r\n0\r\n\r\n",
}


def read(reader: ResponseReader, data: bytes, cuts: list[int]) -> bytes:
    body = b""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(places):
        if end > start:
            body += reader.feed(data[start:end])
    return body


@pytest.mark.parametrize("name", WHOLE)
@given(cuts=st.lists(st.integers(0, 400), max_size=30))
def test_any_split_is_the_same_response(name: str, cuts: list[int]) -> None:
    reader = ResponseReader()
    assert read(reader, WHOLE[name], cuts) == b"hello world"
    assert (reader.status, reader.whole, reader.fault) == (200, True, None)
    assert reader.reusable
    assert "link" not in reader.headers
    assert "x-sum" not in reader.headers
    if name == "length":
        assert reader.headers["x-one"] == "1, 2"


@pytest.mark.parametrize("name", WHOLE)
def test_one_byte_at_a_time_and_twice(name: str) -> None:
    reader = ResponseReader()
    for _ in range(2):
        reader.begin()
        assert read(reader, WHOLE[name], list(range(len(WHOLE[name])))) == b"hello world"
        assert reader.whole


@given(cuts=st.lists(st.integers(0, 400), max_size=30))
def test_a_body_without_a_length_ends_with_the_connection(cuts: list[int]) -> None:
    reader = ResponseReader()
    assert read(reader, HEAD + b"\r\nhello world", cuts) == b"hello world"
    assert not reader.whole
    assert reader.end()
    assert not reader.reusable


@pytest.mark.parametrize(
    "data",
    [b"", HEAD, HEAD + b"Content-Length: 5\r\n\r\nhell", chunked(b"hello")[:-3], b"HTTP/1.1 100 C"],
)
def test_what_ends_too_early_is_not_whole(data: bytes) -> None:
    reader = ResponseReader()
    if data:
        reader.feed(data)
    assert not reader.end()
    assert reader.began == bool(data)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_is_whole_at_once(status: int) -> None:
    reader = ResponseReader()
    reader.feed(f"HTTP/1.1 {status} X\r\n\r\n".encode())
    assert (reader.whole, reader.reusable, reader.status) == (True, True, status)


@pytest.mark.parametrize(
    ("data", "reusable"),
    [
        (plain(b"x"), True),
        (plain(b"x", "Connection: close"), False),
        (plain(b"x").replace(b"1.1", b"1.0"), False),
        (plain(b"x", "Connection: keep-alive").replace(b"1.1", b"1.0"), True),
        (plain(b"x") + b"garbage", False),
        (plain(b"x") + plain(b"another"), False),
        (plain(b"x", "Connection: close") + b"garbage", False),
    ],
)
def test_whether_the_connection_can_serve_again(data: bytes, reusable: bool) -> None:
    reader = ResponseReader()
    assert reader.feed(data) == b"x"
    assert (reader.whole, reader.reusable, reader.fault) == (True, reusable, None)
    assert reader.headers["content-length"] == "1"


BAD = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "length and chunks": HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "no size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a size that overflows": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_response(name: str) -> None:
    reader = ResponseReader()
    body = reader.feed(BAD[name])
    assert body == b""
    assert isinstance(reader.fault, httptools.HttpParserError | httptools.HttpParserUpgrade)
    assert not reader.whole


def test_what_came_before_the_fault_is_given() -> None:
    reader = ResponseReader()
    assert reader.feed(chunked(b"hello")[:-5] + b"zzz\r\n") == b"hello"
    assert reader.fault is not None


@pytest.mark.parametrize(
    "endless",
    [
        [b"HTTP/1.1 200 OK\r\n", b"X-Name: value\r\n"],
        [b"HTTP/1.1 200 OK\r\nX: ", b"y" * 100],
        [b"", b"HTTP/1.1 100 Continue\r\n\r\n"],
        [chunked(b"x")[:-2], b"X-Trailer: y\r\n"],
        [chunked(b"x")[:-5] + b"1;", b"extension"],
    ],
    ids=["headers", "one header", "announcements", "trailers", "a chunk's extension"],
)
def test_what_surrounds_a_body_has_a_limit(endless: list[bytes]) -> None:
    reader = ResponseReader()
    if endless[0]:
        reader.feed(endless[0])
    fed = 0
    while reader.fault is None:
        reader.feed(endless[1])
        fed += len(endless[1])
        assert fed < 2 * LONGEST_HEAD
    assert isinstance(reader.fault, TransportFailed)
    assert "longer than" in reader.fault.detail


def test_a_long_body_in_small_chunks_is_within_the_limit() -> None:
    reader = ResponseReader()
    reader.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(LONGEST_HEAD):
        assert reader.feed(b"1\r\n") + reader.feed(b"x\r\n") == b"x"
    assert reader.fault is None


def test_a_compressed_answer_is_refused_and_a_compressed_error_has_no_words() -> None:
    reader = ResponseReader()
    assert reader.feed(plain(b"\x1f\x8b", "Content-Encoding: gzip")) == b""
    assert isinstance(reader.fault, TransportFailed)
    assert "compresses" in reader.fault.detail
    reader = ResponseReader()
    assert reader.feed(plain(b"\x1f\x8b", "Content-Encoding: gzip").replace(b"200", b"503")) == b""
    assert (reader.fault, reader.status, reader.whole) == (None, 503, True)
