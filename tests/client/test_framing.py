"""Events come out the same, however their bytes were cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client import framing
from harness.client.framing import EventTooLong, LineParser, SseParser, begins_stream

STREAM = (
    b": a comment\n\n"
    b'data: {"a": "\xc3\xa9\xf0\x9f\x98\x80"}\n\n'
    b"data:no space\r\n\r\n"
    b"event: x\nid: 7\nretry: 5\ndata: two\ndata: lines\n\n"
    b"data\r\rdata: [DONE]\n\ndata: never closed\n"
)
EVENTS = [
    b'{"a": "\xc3\xa9\xf0\x9f\x98\x80"}',
    b"no space",
    b"two\nlines",
    b"",
    b"[DONE]",
]


def parse(pieces: list[bytes]) -> list[bytes]:
    parser = SseParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def test_the_whole_at_once() -> None:
    assert parse([STREAM]) == EVENTS


def test_byte_by_byte() -> None:
    assert parse([STREAM[i : i + 1] for i in range(len(STREAM))]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_any_split(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in pairwise(edges)]
    assert parse(pieces) == EVENTS


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 7),
)
def test_any_text_any_line_end_any_size_of_read(texts: list[str], end: str, size: int) -> None:
    data = "".join(f"data: {json.dumps(t, ensure_ascii=False)}{end}{end}" for t in texts).encode()
    events = parse([data[i : i + size] for i in range(0, len(data), size)])
    assert [json.loads(event) for event in events] == texts


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_no_bytes_make_it_raise(pieces: list[bytes]) -> None:
    assert parse(pieces) == parse([b"".join(pieces)])


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse([b"\xef\xbb\xbfdata: x\n\n"]) == [b"x"]


@pytest.mark.parametrize("piece", [b"x" * 10, b"data: x\n"])
def test_an_event_without_end_is_refused(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MAX_EVENT_BYTES", 100)
    with pytest.raises(EventTooLong):
        parse([piece] * 200)


def test_many_events_have_no_limit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MAX_EVENT_BYTES", 100)
    assert parse([b"data: x\n\n"] * 200) == [b"x"] * 200


LINES = st.lists(st.binary(min_size=1).filter(lambda one: b"\n" not in one and one.strip()))


@given(LINES, st.binary().filter(lambda one: b"\n" not in one), st.data())
def test_lines_do_not_depend_on_how_they_are_cut(
    lines: list[bytes], rest: bytes, data: st.DataObject
) -> None:
    whole = b"".join(line + b"\n" for line in lines) + rest
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    parser = LineParser()
    found = []
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += parser.feed(whole[begin:end])
    assert found == lines
    assert parser.rest() == rest.strip()


def test_blank_lines_are_no_events() -> None:
    assert LineParser().feed(b"\r\n\n{}\r\n \n") == [b"{}\r"]


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "MAX_EVENT_BYTES", 10)
    parser = LineParser()
    parser.feed(b"12345\n12345678")
    with pytest.raises(EventTooLong):
        parser.feed(b"9012")


@pytest.mark.parametrize(
    ("begun", "found"),
    [
        (b"data: x", True), (b"data", True), (b": ping", True), (b"id: 1", True),
        (b"\xef\xbb\xbf\r\n event: x", True), (b"retry: 1", True), (b"{", False),
        (b"<!DOCTYPE", False), (b"da_", False), (b"error", False), (b"da", None), (b"", None),
        (b" \n", None), (b"e", None),
    ],
)  # fmt: skip
def test_how_a_stream_begins(begun: bytes, found: bool | None) -> None:
    assert begins_stream(begun) is found
