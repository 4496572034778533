from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client import dialect_client
from harness.client.credentials import Credentials
from harness.client.dialect import Access, BadAnswer
from harness.client.dialect_client import AnswerReader
from harness.client.dialects.http import HttpDialect
from harness.client.protocol import Answer
from harness.records.http_server import HttpServer
from tests.bots import Ollama
from tests.client.conftest import ask_for

WHOLE = st.text(st.characters(exclude_categories=["Cs"]))


def server(**more: Any) -> HttpServer:
    return HttpServer.model_validate(
        {"engine": "http", "url": "http://h", "preset": "ollama", **more}
    )


def dialect(**more: Any) -> HttpDialect:
    spoken = server(**more)
    return HttpDialect(spoken.url, Access(Credentials({}, ()), spoken))


def reading(stream: str, **more: Any) -> AnswerReader:
    answer = AnswerReader(dialect(stream=stream, **more), ask_for(), 0.0, 0.0)
    answer.head(200, {})
    return answer


def all_of(answer: AnswerReader, data: bytes) -> Answer:
    answer.feed(data, 0.0)
    return answer.finish(0.0)


@given(st.lists(WHOLE, min_size=1), st.data())
def test_a_stream_cut_anywhere_is_the_same_answer(pieces: list[str], data: st.DataObject) -> None:
    events = Ollama().events("mock", pieces)
    whole = b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    answer = reading("ndjson")
    for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        answer.feed(whole[begin:end], float(end))
    said = answer.finish(0.0)
    assert said.text == "".join(pieces)
    assert len(answer.arrivals) == sum(bool(piece) for piece in pieces)
    assert answer.arrivals == sorted(answer.arrivals)


@given(st.lists(WHOLE, min_size=1), st.data())
def test_a_stream_that_broke_off_is_never_an_answer(pieces: list[str], data: st.DataObject) -> None:
    events = Ollama().events("mock", pieces)
    whole = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    # The last line is whole without its line end.
    end = data.draw(st.integers(0, len(whole) - 2))
    answer = reading("ndjson")
    answer.feed(whole[:end], 0.0)
    with pytest.raises(BadAnswer) as raised:
        answer.finish(0.0)
    assert raised.value.failure.cause == "reset"


@given(st.binary())
def test_any_bytes_are_an_answer_or_a_failure(data: bytes) -> None:
    for stream in ("none", "ndjson", "sse"):
        with pytest.raises(BadAnswer):
            all_of(reading(stream), data)


def test_nothing_is_read_after_the_end() -> None:
    events = Ollama().events("mock", ["a"])
    whole = b"".join(json.dumps(event).encode() + b"\n" for event in [*events, *events])
    answer = reading("ndjson")
    assert answer.feed(whole, 0.0)
    assert answer.finish(0.0).text == "a"


def test_surrogates_split_over_two_pieces_are_joined() -> None:
    answer = reading("sse", finish_reason="stop")
    for piece in (r"\ud83e", r"\uddf5"):
        answer.feed(b'data: {"message": {"content": "%s"}}\n\n' % piece.encode(), 0.0)
    answer.feed(b'data: {"done": true, "stop": "stop"}\n\n', 0.0)
    assert answer.finish(0.0).text == "🧵"


def test_an_empty_event_only_keeps_the_connection() -> None:
    answer = reading("sse")
    said = all_of(
        answer,
        b'data: {"message": {"content": "a"}}\n\ndata:\n\n'
        b'data: {"done": true, "done_reason": "stop"}\n\n',
    )
    assert said.text == "a"


def test_an_error_nested_without_end_is_still_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error: dict[str, Any] = {}
    for _ in range(100_000):
        error = {"message": error}
    monkeypatch.setattr(HttpDialect, "_json", lambda *_: {"error": {"message": error}})
    with pytest.raises(BadAnswer) as raised:
        dialect().parse(b"{}", ask_for())
    assert raised.value.failure.cause == "server_error"


def test_an_answer_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialect_client, "MAX_STREAM_BYTES", 10)
    answer = reading("none")
    with pytest.raises(BadAnswer) as raised:
        answer.feed(b"x" * 11, 0.0)
    assert raised.value.failure.detail == "the answer is longer than 10 bytes"


def test_the_body_of_an_error_is_read_only_so_far() -> None:
    answer = reading("none")
    answer.head(500, {})
    assert not answer.feed(b"x" * 100, 0.0)
    assert answer.feed(b"x" * 16384, 0.0)
    with pytest.raises(BadAnswer) as raised:
        answer.finish(0.0)
    assert len(raised.value.failure.detail) < 330
