"""What dialects share: words of errors, whole texts, and what a server says of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client.credentials import Credentials
from harness.client.dialect import (
    Access,
    BadAnswer,
    Dialect,
    Ending,
    Event,
    ModelEntry,
    ServerDescription,
    encodable,
    error_text,
    one_line,
)
from harness.client.protocol import ChatRequest
from harness.client.transport.exchange import Fetch, WholeBody
from harness.client.transport.route import Route
from harness.errors import ServerError


class Plain(Dialect):
    """A dialect that adds nothing of its own."""

    name = "plain"

    def build(self, request: ChatRequest) -> tuple[str, bytes]:
        return "/", b""

    def parse(self, data: bytes, request: ChatRequest) -> Event:
        return Event(text=data.decode())

    def check_ending(self, ending: Ending) -> None:
        return


def plain(url: str = "http://h", credentials: Credentials | None = None) -> Plain:
    return Plain(Route(url), Access(credentials or Credentials({}, ())))


def refused(status: int, content: bytes) -> WholeBody:
    body = WholeBody(16 * 1024)
    body.head(status, {})
    body.feed(content, 0.0)
    return body


@given(st.text(st.characters(), max_size=2_000))
def test_a_detail_is_one_short_line_that_can_be_written(text: str) -> None:
    line = one_line(text)
    line.encode()
    assert len(line) <= 300
    assert line.splitlines() in ([], [line])
    assert one_line(line) == line


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_characters_that_two_chunks_split_are_joined(text: str, data: st.DataObject) -> None:
    units = text.encode("utf-16-le")
    cut = 2 * data.draw(st.integers(0, len(units) // 2))
    parts = (part.decode("utf-16-le", "surrogatepass") for part in (units[:cut], units[cut:]))
    assert encodable("".join(parts)) == text


@given(st.text(st.characters()))
def test_whatever_comes_can_be_written(text: str) -> None:
    encodable(text).encode()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("too long", "too long"),
        ({"message": "too long", "code": 1}, "too long"),
        ({"detail": {"message": "deep"}}, "deep"),
        ({"error": {"error": "deeper"}}, "deeper"),
        ({"code": 7}, '{"code": 7}'),
        ({"message": ""}, '{"message": ""}'),
        ([1, 2], "[1, 2]"),
        (None, "null"),
        ([{"error": {"code": 400, "message": "no seed"}}], "no seed"),
        ([{"message": "a"}, {"message": "b"}], '[{"message": "a"}, {"message": "b"}]'),
    ],
)
def test_the_words_of_an_error(error: Any, words: str) -> None:
    assert error_text(error) == words


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b'{"error": {"message": "no\\nsuch model"}}', "HTTP 404: no such model"),
        (b"<html>gone</html>", "HTTP 404: <html>gone</html>"),
        (b"", "HTTP 404"),
        (b"[" * 10_000, "HTTP 404: " + "[" * 299 + "…"),
        (b"\xff\xfe", "HTTP 404: \ufffd\ufffd"),
    ],
)
def test_a_refusal_says_what_the_server_said(content: bytes, detail: str) -> None:
    failure = plain().refusal(refused(404, content))
    assert (failure.cause, failure.status, failure.detail) == ("http", 404, detail)


def test_a_secret_that_is_said_back_is_no_part_of_a_refusal() -> None:
    secret = "s3cret-key-of-somebody"
    words = json.dumps({"error": "x" * 290 + secret}).encode()
    credentials = Credentials({"Authorization": f"Bearer {secret}"}, (secret,))
    failure = plain(credentials=credentials).refusal(refused(401, words))
    assert "s3cret" not in failure.detail


def test_bad_answers_carry_the_failure_to_report() -> None:
    error = BadAnswer("protocol", "two\nlines", 200)
    assert (error.failure.cause, error.failure.status) == ("protocol", 200)
    assert str(error) == error.failure.detail == "two lines"


def test_models_are_found_by_name() -> None:
    found = ServerDescription((ModelEntry("a"), ModelEntry("b", parent="a")))
    assert found.model("b") == ModelEntry("b", parent="a")
    assert found.model("c") is None


class Looking(Plain):
    """A dialect that looks at the server's root."""

    async def read_description(self, fetch: Fetch, api_key_env: str | None) -> ServerDescription:
        await fetch("/")
        return ServerDescription()


async def test_a_server_that_cannot_be_reached_is_named() -> None:
    looking = Looking(Route("http://127.0.0.1:9"), Access(Credentials({}, ())))
    with pytest.raises(ServerError) as caught:
        await looking.describe()
    assert caught.value.where == "http://127.0.0.1:9"
    assert caught.value.hint == "check the address, and that it runs"


def test_without_a_place_to_ask_nothing_is_known() -> None:
    assert ServerDescription(lists_models=False).model("any") is None
    assert [plain().accepts(refused(status, b"")) for status in (199, 200, 299, 300)] == [
        False, True, True, False,
    ]  # fmt: skip


class Talkative(Plain):
    """A dialect whose server says a secret back in all that it says of itself."""

    said = "s3cret-key-of-somebody"

    async def read_description(self, fetch: Fetch, api_key_env: str | None) -> ServerDescription:
        entry = ModelEntry("m", parent=f"p {self.said}", root=f"/models/{self.said}")
        if api_key_env == "REFUSED":
            raise ServerError(f"no: {self.said}", where="here")
        return ServerDescription((entry,), version=f"vllm {self.said}", root=f"sha256:{self.said}")


async def test_a_secret_is_no_part_of_what_a_server_says_of_itself() -> None:
    access = Access(Credentials({}, (Talkative.said,)))
    found = await Talkative(Route("http://127.0.0.1:9"), access).describe()
    assert found == ServerDescription(
        (ModelEntry("m", parent="p ***", root="/models/***"),),
        version="vllm ***",
        root="sha256:***",
    )
    with pytest.raises(ServerError, match=r"no: \*\*\*"):
        await Talkative(Route("http://127.0.0.1:9"), access).describe(api_key_env="REFUSED")
