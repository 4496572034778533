"""The client against a real socket: one fault at a time."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.client.dialect_client import DialectClient
from harness.client.protocol import Answer, ChatRequest, Failed, Reply
from harness.client.retry import RetryingClient
from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import UsageError
from harness.records.suite import Message
from harness.records.target import Generation
from tests.client.raw import RawServer, Step, chunked
from tests.dialects import openai_dialect
from tests.manual_clock import ManualClock
from tests.mock_server import MockReply, MockServer

SECRET = "sk-very-secret"


async def ask(
    reply: str | MockReply | Callable[[dict[str, Any]], str | MockReply],
    request: ChatRequest,
    generation: Generation,
    *,
    api_key: str | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Reply:
    answer = reply if callable(reply) else lambda _: reply
    async with (
        MockServer(answer, api_key=SECRET) as server,
        DialectClient(
            openai_dialect(server.url, api_key or SECRET), generation=generation, clock=clock
        ) as client,
    ):
        return await client.ask(request)


async def test_an_answer(request_hi: ChatRequest, generation: Generation) -> None:
    async with (
        MockServer(lambda body: f"You said {body['messages'][0]['content']}.") as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=SYSTEM_CLOCK
        ) as client,
    ):
        reply = await client.ask(request_hi)
    assert isinstance(reply, Answer)
    assert (reply.text, reply.finish_reason, reply.tries) == ("You said hi.", "stop", 1)
    assert len(reply.timing.chunks) == 3
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 3
    assert server.requests == [
        {
            "model": "mock",
            "messages": [{"role": "user", "content": "hi"}],
            "max_tokens": 16,
            "temperature": 0.0,
            "top_p": 1.0,
            "seed": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


async def test_many_at_once_keep_apart(generation: Generation) -> None:
    async with (
        MockServer(lambda body: MockReply(body["messages"][0]["content"], gap=0.001)) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=SYSTEM_CLOCK
        ) as client,
    ):
        texts = [f"number {n} é\N{GRINNING FACE}" for n in range(100)]
        asks = [ChatRequest("mock", (Message(role="user", content=t),), 8) for t in texts]
        replies = await asyncio.gather(*(client.ask(one) for one in asks))
    assert [reply.text for reply in replies if isinstance(reply, Answer)] == texts


class Lockstep(ManualClock):
    """A clock that moves only once the other side has looked at it."""

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


async def test_times_are_exact(request_hi: ChatRequest, generation: Generation) -> None:
    clock = Lockstep()
    said = MockReply("one two three", first_delay=0.25, gap=0.5, role_chunk=False)
    async with (
        MockServer(lambda _: said, clock=clock) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=clock
        ) as client,
    ):
        clock.advance(3.0)
        reply = await client.ask(request_hi, intended=2.0)
    assert isinstance(reply, Answer)
    assert reply.timing.sent == 1.0
    assert reply.timing.chunks == (1.25, 1.75, 2.25)
    assert reply.timing.done == 2.25


async def test_a_servers_own_fields_are_sent_as_they_are(
    request_hi: ChatRequest, generation: Generation
) -> None:
    extra = {
        "ignore_eos": True,
        "min_tokens": 16,
        "cache_salt": "é",
        "stream_options": {"continuous_usage_stats": True},
    }
    said = MockReply("a b c d e", reasoning="x y z", tokens_per_chunk=2)
    async with (
        MockServer(lambda _: said) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=SYSTEM_CLOCK
        ) as client,
    ):
        reply = await client.ask(replace(request_hi, extra=extra))
        plain = await client.ask(request_hi)
    (body, without) = server.requests
    assert body == {
        **without,
        **extra,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    assert isinstance(reply, Answer)
    assert isinstance(plain, Answer)
    assert (len(reply.timing.chunks), reply.first_tokens) == (5, 2)
    assert reply.usage == plain.usage
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 8
    assert plain.first_tokens is None


FAULTS = [
    (MockReply("a b c", fault="reset"), "reset", None),
    (MockReply("a b c", fault="reset_midstream"), "reset", None),
    (MockReply("a b c", fault="cut"), "reset", None),
    (MockReply("a b c", fault="no_finish"), "protocol", None),
    (MockReply("a b c", fault="empty_choices"), "protocol", None),
    (MockReply("a b c", fault="malformed"), "protocol", None),
    (MockReply("a b c", fault="not_streaming"), "protocol", None),
    (MockReply("a b c", fault="html"), "protocol", None),
    (MockReply("a b c", fault="error_event"), "server_error", 500),
    (MockReply("a b c", model="other"), "wrong_model", None),
    (MockReply("no", status=400), "http", 400),
    (MockReply("no", status=404), "http", 404),
    (MockReply("no", status=429, headers={"Retry-After": "7"}), "http", 429),
    (MockReply("no", status=500), "http", 500),
    (MockReply("no", status=503), "http", 503),
    (MockReply("", status=302, headers={"Location": "http://127.0.0.1:1/"}), "http", 302),
]


@pytest.mark.parametrize(
    ("said", "cause", "status"), FAULTS, ids=[f"{f.fault or f.status}-{c}" for f, c, _ in FAULTS]
)
async def test_a_fault_is_a_failure(
    said: MockReply,
    cause: str,
    status: int | None,
    request_hi: ChatRequest,
    generation: Generation,
) -> None:
    reply = await ask(said, request_hi, generation)
    assert isinstance(reply, Failed)
    assert (reply.failure.cause, reply.failure.status) == (cause, status)
    assert "\n" not in reply.failure.detail
    assert reply.timing is not None
    if said.status == 429:
        assert reply.retry_after == 7.0


@pytest.mark.parametrize("rest", [Step.CLOSE, Step.RESET, Step.HANG])
async def test_a_status_that_came_is_told_though_its_message_broke_off(
    rest: Step, request_hi: ChatRequest, generation: Generation
) -> None:
    head = b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 99\r\n\r\n"
    limits = generation.model_copy(update={"chunk_timeout": 0.2})
    async with (
        RawServer([[head, b"bu", b"sy", rest]]) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=limits, clock=SYSTEM_CLOCK
        ) as client,
    ):
        reply = await client.ask(request_hi)
    assert isinstance(reply, Failed)
    assert (reply.failure.cause, reply.failure.status, reply.retry_after) == ("http", 503, 7.0)
    assert reply.failure.detail.startswith("HTTP 503")


async def test_an_endless_error_is_read_no_further_than_needed(
    request_hi: ChatRequest, generation: Generation
) -> None:
    head = b"HTTP/1.1 500 X\r\nContent-Length: 999999999\r\n\r\n"
    async with (
        RawServer([[head, b"x" * 20_000, Step.HANG]]) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=SYSTEM_CLOCK
        ) as client,
    ):
        reply = await client.ask(request_hi)
    assert isinstance(reply, Failed)
    assert reply.failure.detail.startswith("HTTP 500: xxx")


async def test_a_reset_between_two_questions_is_asked_again_and_marked(
    request_hi: ChatRequest, generation: Generation
) -> None:
    events = b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'
    whole = [chunked(events, b"data: [DONE]\n\n")]
    clock = ManualClock()
    async with (
        RawServer([whole, [Step.RESET]], [whole]) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=clock
        ) as inner,
    ):
        client = RetryingClient(inner, generation=generation, clock=clock)
        replies = [await client.ask(request_hi) for _ in range(2)]
    assert [reply.tries for reply in replies] == [1, 2]
    assert all(isinstance(reply, Answer) for reply in replies)
    assert [len(asked) for asked in server.requests] == [2, 1]


async def test_what_came_before_the_fault_is_timed(
    request_hi: ChatRequest, generation: Generation
) -> None:
    reply = await ask(MockReply("a b c", fault="error_event"), request_hi, generation)
    assert reply.timing is not None
    assert len(reply.timing.chunks) == 1


@pytest.mark.parametrize(
    "said",
    [
        MockReply("a b", fault="no_done"),
        MockReply("a b", fault="linger"),
        MockReply("a b", usage=False),
        MockReply("a b", gap=0.01),
    ],
)
async def test_what_is_no_fault(
    said: MockReply,
    request_hi: ChatRequest,
    generation: Generation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.client.transport.connection._LINGER", 0.05)
    reply = await ask(said, request_hi, generation)
    assert isinstance(reply, Answer)
    assert reply.text == "a b"
    assert (reply.usage is None) == (not said.usage)


@pytest.mark.parametrize(
    ("said", "limits", "cause"),
    [
        (MockReply("a b", fault="hang"), {"chunk_timeout": 0.1}, "stalled"),
        (MockReply("a b", fault="hang_midstream"), {"chunk_timeout": 0.1}, "stalled"),
        (MockReply("a b", fault="hang"), {"case_timeout": 0.1}, "timeout"),
        (MockReply("a b", fault="hang_midstream"), {"case_timeout": 0.1}, "timeout"),
        (MockReply("a b", fault="drip", gap=0.02), {"case_timeout": 0.2}, "timeout"),
    ],
)
async def test_timeouts(
    said: MockReply,
    limits: dict[str, float],
    cause: str,
    request_hi: ChatRequest,
    generation: Generation,
) -> None:
    reply = await ask(said, request_hi, generation.model_copy(update=limits))
    assert isinstance(reply, Failed)
    assert reply.failure.cause == cause


async def test_a_connection_that_is_never_accepted(
    request_hi: ChatRequest, generation: Generation
) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(4):  # fill the queue of the kernel
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        limits = generation.model_copy(update={"connect_timeout": 0.2})
        async with DialectClient(
            openai_dialect(url, None), generation=limits, clock=SYSTEM_CLOCK
        ) as client:
            reply = await client.ask(request_hi)
        for one in waiting:
            one.close()
    assert isinstance(reply, Failed)
    assert reply.failure.cause == "connect"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/v1", "refused"),
        ("http://no-such-host.invalid/v1", "name is not known"),
    ],
)
async def test_no_connection(
    url: str, words: str, request_hi: ChatRequest, generation: Generation
) -> None:
    async with DialectClient(
        openai_dialect(url, None), generation=generation, clock=SYSTEM_CLOCK
    ) as client:
        reply = await client.ask(request_hi)
    assert isinstance(reply, Failed)
    assert reply.failure.cause == "connect"
    assert words in reply.failure.detail


async def test_tls_to_a_server_that_speaks_none(
    request_hi: ChatRequest, generation: Generation
) -> None:
    async with MockServer(lambda _: "x") as server:
        url = server.url.replace("http:", "https:")
        async with DialectClient(
            openai_dialect(url, None), generation=generation, clock=SYSTEM_CLOCK
        ) as client:
            reply = await client.ask(request_hi)
    assert isinstance(reply, Failed)
    assert reply.failure.cause == "connect"
    assert "TLS" in reply.failure.detail


async def test_tls_with_an_unknown_certificate(
    request_hi: ChatRequest, generation: Generation, tmp_path: Any
) -> None:
    async with (
        _tls_server(tmp_path) as url,
        DialectClient(
            openai_dialect(url, None), generation=generation, clock=SYSTEM_CLOCK
        ) as client,
    ):
        reply = await client.ask(request_hi)
    assert isinstance(reply, Failed)
    assert reply.failure.cause == "connect"
    assert "certificate" in reply.failure.detail


@asynccontextmanager
async def _tls_server(folder: Any) -> AsyncIterator[str]:
    x509 = pytest.importorskip("cryptography.x509")
    from datetime import timedelta

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def test_the_key_never_shows(request_hi: ChatRequest, generation: Generation) -> None:
    echo = MockReply(f"Incorrect API key: {SECRET}", status=401)
    reply = await ask(echo, request_hi, generation)
    assert isinstance(reply, Failed)
    assert reply.failure.status == 401
    assert SECRET not in repr(reply)
    assert "***" in reply.failure.detail
    client = DialectClient(
        openai_dialect("http://h/v1", SECRET), generation=generation, clock=SYSTEM_CLOCK
    )
    assert SECRET not in repr(client)
    refused = await ask("x", request_hi, generation, api_key="wrong")
    assert isinstance(refused, Failed)
    assert refused.failure.status == 401


async def test_a_lone_surrogate_is_not_sent(generation: Generation) -> None:
    bad = Message.model_construct(role="user", content="\ud800")
    async with (
        MockServer(lambda _: "x") as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=SYSTEM_CLOCK
        ) as client,
    ):
        reply = await client.ask(ChatRequest("mock", (bad,), 8))
    assert isinstance(reply, Failed)
    assert reply.failure.cause == "protocol"
    assert server.requests == []


async def test_retry_after_as_a_date(request_hi: ChatRequest, generation: Generation) -> None:
    clock = ManualClock(utc=datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC))
    for value, seconds in [
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ]:
        said = MockReply("wait", status=429, headers={"Retry-After": value})
        reply = await ask(said, request_hi, generation, clock=clock)
        assert isinstance(reply, Failed)
        assert reply.retry_after == seconds


async def test_logprobs(request_hi: ChatRequest, generation: Generation) -> None:
    said = MockReply("yes", logprobs=(("yes", -0.25),))
    reply = await ask(said, replace(request_hi, logprobs=True), generation)
    assert isinstance(reply, Answer)
    assert reply.token_logprobs == (("yes", -0.25),)


async def test_cancelling_is_not_a_failure(request_hi: ChatRequest, generation: Generation) -> None:
    arrived = asyncio.Event()

    def hang(_: dict[str, Any]) -> MockReply:
        arrived.set()
        return MockReply("a", fault="hang")

    async with (
        MockServer(hang) as server,
        DialectClient(
            openai_dialect(server.url, None), generation=generation, clock=SYSTEM_CLOCK
        ) as client,
    ):
        task = asyncio.ensure_future(client.ask(request_hi))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "url",
    ["http://user:pass@host/v1", "ftp://host/v1", "host", "", "http://", "http://h:99999999/v1"],
)
def test_an_address_that_cannot_be_used(url: str, generation: Generation) -> None:
    with pytest.raises(UsageError) as caught:
        DialectClient(openai_dialect(url, None), generation=generation, clock=SYSTEM_CLOCK)
    assert "pass" not in caught.value.line


def test_a_key_with_a_line_end_is_refused_without_showing_it(generation: Generation) -> None:
    with pytest.raises(UsageError) as caught:
        DialectClient(
            openai_dialect("http://h/v1", f"{SECRET}\n"), generation=generation, clock=SYSTEM_CLOCK
        )
    assert SECRET not in caught.value.line


async def test_the_environments_proxy_is_used_but_not_on_loopback(
    request_hi: ChatRequest, generation: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    assert isinstance(await ask("x", request_hi, generation), Answer)
    async with DialectClient(
        openai_dialect("http://elsewhere.invalid/v1", None),
        generation=generation,
        clock=SYSTEM_CLOCK,
    ) as client:
        reply = await client.ask(request_hi)
    assert isinstance(reply, Failed)
    assert "proxy" in reply.failure.detail


def test_bodies_are_plain_json() -> None:
    # Case content is data: it reaches the server as it is.
    text = '{{ x }} \\ " \n é'
    body = json.loads(
        openai_dialect("http://h/v1", None).build(
            ChatRequest("m", (Message(role="user", content=text),), 8)
        )[1]
    )
    assert body["messages"][0]["content"] == text
