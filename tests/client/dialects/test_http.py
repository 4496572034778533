"""The client of bots against real sockets: each preset, and what a bot may do wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.client.credentials import from_environment
from harness.client.dialect import Access
from harness.client.dialect_client import DialectClient
from harness.client.dialects.http import HttpDialect
from harness.client.protocol import Answer, ChatRequest, Failed, Layer, Reply, RequestContext
from harness.client.retry import RetryingClient, send_turns
from harness.clock import SYSTEM_CLOCK, Clock
from harness.records.http_server import HttpServer
from harness.records.suite import Message
from harness.records.target import Generation
from tests.bots import AGENT, Bot, Dialogflow, Ollama, Own, Rasa
from tests.client.conftest import ask_for
from tests.manual_clock import ManualClock

SECRET = "hush-hush-very-secret"
QUICK = Generation(connect_timeout=5.0, chunk_timeout=20.0, case_timeout=60.0, concurrency=8)
HI = ask_for()
TALK = ChatRequest(
    model="llama3.2",
    messages=(
        Message(role="system", content="Be kind."),
        Message(role="user", content="one"),
        Message(role="assistant", content="(as the case has it)"),
        Message(role="user", content="two"),
    ),
    max_tokens=16,
    temperature=0.5,
    seed=3,
)


def server(url: str, **settings: Any) -> HttpServer:
    return HttpServer.model_validate({"engine": "http", "url": url, **settings})


def own(url: str, **settings: Any) -> HttpServer:
    given = {"request": {"q": {"$": "last_message"}}, "answer": "reply", **settings}
    return server(url, **given)


@asynccontextmanager
async def client(
    spoken: HttpServer, generation: Generation = QUICK, clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[Layer]:
    access = Access(from_environment(spoken, {"KEY": SECRET}, "servers.bot"), spoken)
    dialect = HttpDialect(spoken.url, access)
    async with DialectClient(dialect, generation=generation, clock=clock) as direct:
        yield Once(direct, dialect, clock) if spoken.replays else direct


class Once(Layer):
    """All turns of a conversation, tried once."""

    def __init__(self, inner: Layer, dialect: HttpDialect, clock: Clock) -> None:
        super().__init__(clock)
        self._inner = inner
        self._dialect = dialect

    async def send(self, request: ChatRequest, context: RequestContext) -> Reply:
        return await send_turns(self._inner, self._dialect.turns(request), context, self._clock)


async def ask(spoken: HttpServer, request: ChatRequest, **more: Any) -> Reply:
    async with client(spoken, **more) as asking:
        return await asking.ask(request)


async def said(spoken: HttpServer, request: ChatRequest = TALK) -> Answer:
    reply = await ask(spoken, request)
    assert isinstance(reply, Answer), reply
    return reply


async def failed(spoken: HttpServer, request: ChatRequest, **more: Any) -> tuple[str, str]:
    reply = await ask(spoken, request, **more)
    assert isinstance(reply, Failed), reply
    return reply.failure.cause, reply.failure.detail


async def test_rasa_is_asked_a_turn_at_a_time_in_one_session() -> None:
    async with Rasa(lambda turns: [f"{len(turns)}", turns[-1]]) as bot:
        answer = await said(server(bot.url, preset="rasa"))
    assert (answer.text, answer.finish_reason) == ("2\ntwo", "stop")
    assert answer.timing.chunks == ()
    assert answer.usage is None
    (session,) = bot.sessions
    assert bot.requests == [
        {"sender": session, "message": "one"},
        {"sender": session, "message": "two"},
    ]


@pytest.mark.parametrize("messages", [[], [{"recipient_id": "s", "image": "http://x/y.png"}]])
async def test_rasa_that_says_nothing_answers_nothing(messages: list[Any]) -> None:
    async with Rasa() as bot:
        bot.intercept = lambda number: web.json_response(messages)
        assert (await said(server(bot.url, preset="rasa"))).text == ""


async def test_dialogflow_is_asked_a_turn_at_a_time_in_one_session() -> None:
    async with Dialogflow(lambda turns: [f"{len(turns)}", turns[-1]]) as bot:
        bot.key = f"Bearer {SECRET}"
        spoken = server(
            bot.url + AGENT,
            preset="dialogflow-cx",
            headers={"Authorization": {"env": "KEY", "prefix": "Bearer "}},
            language_code="de",
        )
        answer = await said(spoken)
    assert (answer.text, answer.finish_reason) == ("2\ntwo", "stop")
    assert answer.timing.chunks == ()
    assert list(bot.sessions.values()) == [["one", "two"]]
    assert bot.requests[0] == {"queryInput": {"text": {"text": "one"}, "languageCode": "de"}}


async def test_dialogflow_that_says_nothing_answers_nothing() -> None:
    async with Dialogflow(lambda turns: []) as bot:
        assert (await said(server(bot.url + AGENT, preset="dialogflow-cx"))).text == ""


async def test_dialogflow_says_why_it_refuses() -> None:
    async with Dialogflow() as bot:
        bot.key = "Bearer another"
        cause = await failed(server(bot.url + AGENT, preset="dialogflow-cx"), ask_for())
    assert cause == ("http", "HTTP 401: Invalid credentials")


async def test_ollama_streams_with_the_whole_history() -> None:
    async with Ollama(lambda turns: ["Hi", " there"]) as bot:
        bot.thinking = "hm"
        answer = await said(server(bot.url, preset="ollama"))
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Hi there", "hm", "stop")
    assert len(answer.timing.chunks) == 3
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 2)
    assert answer.model == "llama3.2"
    assert bot.requests == [
        {
            "model": "llama3.2",
            "messages": [message.model_dump() for message in TALK.messages],
            "stream": True,
            "options": {"num_predict": 16, "temperature": 0.5, "top_p": 1.0, "seed": 3},
        }
    ]


async def test_ollama_that_does_not_stream_has_no_time_to_first_token() -> None:
    async with Ollama(lambda turns: "Hi") as bot:
        bot.name = "llama3.2:latest"
        answer = await said(server(bot.url, preset="ollama", stream="none"))
    assert (answer.text, answer.timing.ttft, answer.model) == ("Hi", None, "llama3.2:latest")
    assert bot.requests[0]["stream"] is False


async def test_ollama_says_when_it_was_cut() -> None:
    async with Ollama() as bot:
        bot.reason = "length"
        assert (await said(server(bot.url, preset="ollama"))).finish_reason == "length"


async def test_ollama_with_another_model() -> None:
    async with Ollama() as bot:
        bot.name = "llama3.2:70b"
        cause = await failed(server(bot.url, preset="ollama"), TALK)
    assert cause == ("wrong_model", "asked `llama3.2`, answered by `llama3.2:70b`")


HALF = b'{"model":"mock","message":{"role":"assistant","content":"half"},"done":false}\n'


@pytest.mark.parametrize(
    ("body", "cause", "detail"),
    [
        (HALF, "reset", "the stream broke off before the answer ended"),
        (HALF + HALF[:20], "reset", "the stream broke off in the middle of a line"),
        (HALF + b'{"error":"out of memory"}\n', "server_error", "out of memory"),
        (HALF + b"<html>\n", "protocol", "malformed JSON in the answer: '<html>'"),
        (HALF + b'{"done":true}\n', "protocol", "the answer has nothing at `done_reason`"),
        (b'{"done":true,"done_reason":"stop"}', "protocol",
         "the answer has nothing at `message.content`"),
        (HALF.replace(b'"half"', b"5"), "protocol",
         "`message.content` is neither text nor a list of texts in the answer"),
    ],
)  # fmt: skip
async def test_a_line_of_ollama_that_is_no_answer(body: bytes, cause: str, detail: str) -> None:
    async with Ollama() as bot:
        bot.intercept = lambda number: web.Response(body=body)
        assert await failed(server(bot.url, preset="ollama"), ask_for()) == (cause, detail)


async def test_a_failed_turn_fails_the_conversation_and_names_itself() -> None:
    async with Rasa() as bot:
        bot.intercept = lambda number: web.Response(status=500, text="oh") if number == 2 else None
        cause = await failed(server(bot.url, preset="rasa"), TALK)
    assert cause == ("http", "turn 2 of 2: HTTP 500: oh")


async def test_a_conversation_that_failed_begins_again_in_a_new_session() -> None:
    async with Rasa(lambda turns: str(turns)) as bot:
        bot.intercept = lambda number: web.Response(status=503) if number == 2 else None
        clock = ManualClock()
        async with client(server(bot.url, preset="rasa"), clock=clock) as direct:
            reply = await RetryingClient(direct, generation=QUICK, clock=clock).ask(TALK)
    assert isinstance(reply, Answer)
    assert (reply.text, reply.tries) == ("['one', 'two']", 2)
    assert sorted(map(len, bot.sessions.values())) == [1, 2]


async def test_no_two_attempts_share_a_session() -> None:
    async with Rasa() as bot, client(server(bot.url, preset="rasa")) as asking:
        await asyncio.gather(*(asking.ask(TALK) for _ in range(40)))
    assert list(bot.sessions.values()) == [["one", "two"]] * 40


async def test_a_request_that_carries_one_turn_is_not_sent_for_two() -> None:
    async with Own() as bot:
        cause, detail = await failed(own(bot.url), TALK)
    assert cause == "protocol"
    assert detail.startswith("the case has 2 user turns")
    assert bot.requests == []


@pytest.mark.parametrize("answer", ["null", '{"reply": null}', "{}", "[]", "5"])
async def test_nothing_at_the_path_is_no_answer(answer: str) -> None:
    async with Own() as bot:
        bot.reply = answer.encode()
        cause = await failed(own(bot.url), ask_for())
    assert cause == ("protocol", "the answer has nothing at `reply`")


@pytest.mark.parametrize("answer", [b'{"reply": ""}', b'{"reply": []}'])
async def test_an_empty_text_is_an_empty_answer(answer: bytes) -> None:
    async with Own() as bot:
        bot.reply = answer
        assert (await said(own(bot.url), ask_for())).text == ""


@pytest.mark.parametrize("answer", [b'{"reply": 5}', b'{"reply": ["a", 5]}', b'{"reply": {}}'])
async def test_what_is_no_text_is_no_answer(answer: bytes) -> None:
    async with Own() as bot:
        bot.reply = answer
        cause, detail = await failed(own(bot.url), ask_for())
    assert (cause, detail[:15]) == ("protocol", "`reply` is neit")


async def test_an_expression_that_cannot_work_on_the_answer() -> None:
    async with Own() as bot:
        bot.reply = b'{"reply": 5}'
        cause = await failed(own(bot.url, answer="length(reply)"), ask_for())
    assert cause == ("protocol", "`length(reply)` cannot be applied to the answer")


async def test_finish_reason_usage_and_error_are_found() -> None:
    more = {
        "finish_reason": "cut && 'length' || 'stop'",
        "usage": {"prompt_tokens": "n.i", "completion_tokens": "n.o"},
        "error": "fault",
    }
    async with Own() as bot:
        bot.reply = b'{"reply": "a", "cut": true, "n": {"i": 4, "o": 2}}'
        answer = await said(own(bot.url, **more), ask_for())
        bot.reply = b'{"reply": "a", "fault": {"message": "no luck"}}'
        cause = await failed(own(bot.url, **more), ask_for())
    assert answer.finish_reason == "length"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 2)
    assert cause == ("server_error", "no luck")


EVENTS = b'data: {"reply": "a"}\n\nevent: x\ndata: {"other": 1}\n\ndata: {"reply": ["b", "c"]}\n\n'


async def test_the_pieces_of_a_stream_of_events_are_joined() -> None:
    async with Own() as bot:
        bot.kind, bot.reply = "text/event-stream", EVENTS + b"data: [DONE]\n\n"
        answer = await said(own(bot.url, stream="sse"), ask_for())
    assert answer.text == "ab\nc"
    assert len(answer.timing.chunks) == 2


async def test_a_stream_that_should_say_that_it_ends_and_does_not() -> None:
    async with Own() as bot:
        bot.kind, bot.reply = "text/event-stream", EVENTS
        assert (await said(own(bot.url, stream="sse"), ask_for())).text == "ab\nc"
        cause = await failed(own(bot.url, stream="sse", end="last"), ask_for())
    assert cause == ("reset", "the stream broke off before the answer ended")


async def test_the_session_stands_percent_encoded_in_the_path() -> None:
    async with Own() as bot:
        spoken = own(bot.url + "/{model}/talk/{session}", request={"m": {"$": "messages"}})
        await said(spoken, ask_for(model="a b/../ü?#"))
    (path,) = bot.sessions
    assert path.startswith("/a%20b%2F..%2F%C3%BC%3F%23/talk/")


async def test_headers_from_the_environment_and_none_of_them_in_a_failure() -> None:
    echo = f'{{"error": "your key is {SECRET} or {json.dumps(SECRET)[1:-1]}"}}'
    async with Own() as bot:
        bot.intercept = lambda number: web.Response(status=403, text=echo)
        spoken = own(bot.url, headers={"X-Key": {"env": "KEY", "prefix": "K "}, "X-Team": "blue"})
        cause = await failed(spoken, ask_for())
    assert (bot.headers[0]["X-Key"], bot.headers[0]["X-Team"]) == (f"K {SECRET}", "blue")
    assert cause == ("http", "HTTP 403: your key is *** or ***")


@pytest.mark.parametrize("room", range(260, 310))
async def test_no_part_of_a_secret_survives_the_cut_of_a_long_message(room: int) -> None:
    async with Own() as bot:
        bot.intercept = lambda number: web.Response(status=400, text="x" * room + SECRET)
        spoken = own(bot.url, headers={"X-Key": {"env": "KEY"}})
        _, detail = await failed(spoken, ask_for())
    assert SECRET[:3] not in detail


async def test_an_answer_that_holds_a_secret_is_not_kept() -> None:
    async with Own() as bot:
        bot.reply = json.dumps({"reply": f"It is {SECRET}."}).encode()
        spoken = own(bot.url, headers={"X-Key": {"env": "KEY"}})
        cause = await failed(spoken, ask_for())
    assert cause == ("protocol", "the answer holds the secret of a header: not kept")


async def test_a_server_that_asks_to_wait_is_waited_for() -> None:
    async with Own() as bot:
        bot.intercept = lambda number: web.Response(status=429, headers={"Retry-After": "7"})
        reply = await ask(own(bot.url), ask_for())
    assert isinstance(reply, Failed)
    assert (reply.failure.status, reply.retry_after) == (429, 7.0)


async def test_a_status_is_told_though_its_message_broke_off() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 99\r\n\r\nwait")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(half, "127.0.0.1", 0)
    async with listening:
        reply = await ask(own(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"), HI)
    assert isinstance(reply, Failed)
    assert (reply.failure.detail, reply.retry_after) == ("HTTP 503: wait", 2.0)


async def test_a_server_that_is_not_there() -> None:
    async with Own() as bot:
        pass
    cause, _ = await failed(own(bot.url), ask_for())
    assert cause == "connect"


async def test_an_answer_that_never_comes() -> None:
    class Silent(Own):
        async def _talk(self, request: web.Request) -> web.Response:
            await asyncio.sleep(3600)
            raise AssertionError

    async with Silent() as bot:
        hasty = QUICK.model_copy(update={"case_timeout": 0.2})
        slow = QUICK.model_copy(update={"chunk_timeout": 0.2})
        causes = [
            (await failed(own(bot.url), ask_for(), generation=one))[0] for one in (hasty, slow)
        ]
    assert causes == ["timeout", "stalled"]


async def test_half_a_surrogate_pair_is_not_sent() -> None:
    request = replace(ask_for(), messages=(Message.model_construct(role="user", content="\ud83d"),))
    async with Own() as bot:
        cause, _ = await failed(own(bot.url), request)
    assert (cause, bot.requests) == ("protocol", [])


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(
    [
        '{"$": "session"}', "${session}", "{{ session }}", "{session}", '"},"x":{"$":"model"}',
        "\0", "\r\n\r\nGET / HTTP/1.1", "'; --", "%s%n", "\u2028", "🧵", "\\u0000", "[DONE]",
    ]
)  # fmt: skip


@pytest.mark.parametrize("kind", [Rasa, Dialogflow, Ollama])
async def test_any_text_arrives_as_it_was_and_comes_back_as_it_is(kind: type[Bot]) -> None:
    preset = {Rasa: "rasa", Dialogflow: "dialogflow-cx", Ollama: "ollama"}[kind]
    async with kind(lambda turns: turns[-1]) as bot:
        url = bot.url + (AGENT if kind is Dialogflow else "")
        async with client(server(url, preset=preset)) as asking:
            loop = asyncio.get_running_loop()

            @settings(max_examples=60, suppress_health_check=list(HealthCheck))
            @given(TEXTS, TEXTS)
            def everything_arrives(first: str, last: str) -> None:
                messages = (
                    Message(role="user", content=first),
                    Message(role="assistant", content="ok"),
                    Message(role="user", content=last),
                )
                request = ChatRequest(model="llama3.2", messages=messages, max_tokens=9)
                bot.sessions.clear()
                bot.requests.clear()
                reply = asyncio.run_coroutine_threadsafe(asking.ask(request), loop).result(30)
                assert isinstance(reply, Answer), reply
                assert reply.text == last
                if kind is Ollama:
                    assert bot.requests[0]["messages"] == [one.model_dump() for one in messages]
                else:
                    assert list(bot.sessions.values()) == [[first, last]]

            await asyncio.to_thread(everything_arrives)
