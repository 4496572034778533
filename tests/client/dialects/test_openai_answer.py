"""An answer put together from events: exact times, no network."""

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.client.dialect import BadAnswer
from harness.client.dialect_client import AnswerReader
from harness.client.failures import retriable
from harness.client.protocol import Answer, ChatRequest
from harness.records.attempt import Attempt, Failure
from harness.records.suite import Message
from tests.dialects import openai_dialect

ASK = ChatRequest("m", (Message(role="user", content="hi"),), max_tokens=8)
ASK_LOGPROBS = ChatRequest("m", ASK.messages, max_tokens=8, logprobs=True)


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    body = {"model": "m", "choices": [choice], **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def collect(*reads: tuple[float, bytes], request: ChatRequest = ASK) -> Answer:
    reader = AnswerReader(openai_dialect("http://h/v1", None), request, 0.0, 0.01)
    for at, data in reads:
        if reader.feed(data, at):
            break
    return reader.finish(9.0)


DONE = b"data: [DONE]\n\n"
STOP = event({}, "stop")


def test_only_chunks_with_content_are_timed() -> None:
    answer = collect(
        (0.1, event({"role": "assistant", "content": ""})),
        (0.2, event({"content": "he"})),
        (0.3, event({"content": None}) + event({"content": ""})),
        (0.4, event({"content": "llo"}) + event({"content": "!"})),
        (0.5, STOP),
        (0.6, event(choices=[], usage={"prompt_tokens": 3, "completion_tokens": 3}) + DONE),
    )
    assert answer.text == "hello!"
    assert answer.timing.chunks == (0.2, 0.4, 0.4)
    assert answer.timing.ttft == 0.2
    assert answer.timing.service_ttft == pytest.approx(0.19)
    assert answer.timing.done == 0.6, "the moment of [DONE]"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (3, 3)


@pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
def test_reasoning_counts_for_the_first_token_and_is_kept_apart(key: str) -> None:
    answer = collect(
        (0.1, event({key: "hm"})), (0.2, event({"content": "yes"})), (0.3, STOP + DONE)
    )
    assert (answer.text, answer.reasoning, answer.timing.ttft) == ("yes", "hm", 0.1)


def test_other_choices_are_not_ours() -> None:
    other = {"index": 1, "delta": {"content": "no"}, "finish_reason": "stop"}
    mine = {"index": 0, "delta": {"content": "yes"}, "finish_reason": None}
    answer = collect((0.1, event(choices=[other, mine])), (0.2, STOP + DONE))
    assert answer.text == "yes"
    assert answer.timing.chunks == (0.1,)


def test_logprobs_are_kept_when_asked_for() -> None:
    content = [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -1.5}]
    choice = {"index": 0, "delta": {"content": "ab"}, "logprobs": {"content": content}}
    reads = ((0.1, event(choices=[choice])), (0.2, STOP + DONE))
    assert collect(*reads, request=ASK_LOGPROBS).token_logprobs == (("a", -0.5), ("b", -1.5))
    assert collect(*reads).token_logprobs is None


def test_the_likeliest_first_tokens_are_kept_when_asked_for() -> None:
    def chunk(text: str, *told: tuple[str, float]) -> dict[str, Any]:
        top = [{"token": token, "logprob": value} for token, value in told]
        content = [{"token": text, "logprob": -0.1, "top_logprobs": top}]
        return {"index": 0, "delta": {"content": text}, "logprobs": {"content": content}}

    first, second = chunk("4", ("4", -0.1), ("5", -3.0)), chunk(".", (".", -0.2))
    reads = (
        (0.1, event(choices=[first])), (0.2, event(choices=[second])), (0.3, STOP + DONE),
    )  # fmt: skip
    asked = replace(ASK, top_logprobs=20)
    found = collect(*reads, request=asked)
    assert (found.beginnings, found.token_logprobs) == ((("4", -0.1), ("5", -3.0)), None)
    assert collect(*reads).beginnings == ()


def test_a_surrogate_pair_split_over_chunks_is_one_character() -> None:
    half = b'data: {"model": "m", "choices": [{"index": 0, "delta": {"content": "\\ud83d"}}]}\n\n'
    rest = half.replace(b"ud83d", b"ude00")
    assert collect((0.1, half), (0.2, rest + STOP)).text == "\N{GRINNING FACE}"
    assert collect((0.1, half), (0.2, STOP)).text == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("name", ["m-2026-01-31", "m-20260131", "m:latest"])
def test_a_snapshot_of_the_model_is_the_model(name: str) -> None:
    assert collect((0.1, event({"content": "x"}, model=name)), (0.2, STOP)).model == name


@pytest.mark.parametrize("usage", [{}, {"prompt_tokens": "x"}, [], 3, "lots"])
def test_counts_of_another_form_do_not_cost_the_answer(usage: Any) -> None:
    answer = collect((0.1, event({"content": "x"})), (0.2, STOP + event(choices=[], usage=usage)))
    assert (answer.text, answer.usage) == ("x", None)


@pytest.mark.parametrize(
    ("usage", "first"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 5}, 5),
        ({"prompt_tokens": 3, "completion_tokens": 0}, None),
        ({"completion_tokens": "5"}, None),
        ({}, None),
        ("lots", None),
        (None, None),
    ],
)
def test_the_first_chunks_tokens_are_known_where_it_counts_them(
    usage: Any, first: int | None
) -> None:
    counted = {"prompt_tokens": 3, "completion_tokens": 9}
    answer = collect(
        (0.1, event({"role": "assistant"}, usage={"prompt_tokens": 3, "completion_tokens": 0})),
        (0.2, event({"content": "x"}, usage=usage)),
        (0.3, event({"content": "y"}, usage=counted)),
        (0.4, event({}, "stop", usage=counted)),
    )
    assert answer.first_tokens == first
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 9


X = event({"content": "x"})
NAN = b'{"index": 0, "delta": {}, "logprobs": {"content": [{"token": "a", "logprob": NaN}]}}'


@pytest.mark.parametrize(
    ("data", "cause", "status"),
    [
        (X, "reset", None),
        (X + STOP[:-20], "reset", None),
        (X + DONE, "protocol", None),
        (b"", "reset", None),
        (DONE, "protocol", None),
        (X + b"data: {oops\n\n" + STOP, "protocol", None),
        (X + b"data: [1]\n\n" + STOP, "protocol", None),
        (b"data: " + b"[" * 100_000 + b"\n\n", "protocol", None),
        (X + b"data: \xff\xfe\n\n", "protocol", None),
        (b'data: {"choices": [{"delta": {"content": 3}}]}\n\n', "protocol", None),
        (b'data: {"choices": "text"}\n\n', "protocol", None),
        (b'data: {"choices": 3}\n\n', "protocol", None),
        (b'data: {"choices": [' + NAN + b"]}\n\n", "protocol", None),
        (X + b'data: {"error": {"message": "died", "code": 503}}\n\n', "server_error", 503),
        (X + b'data: {"error": "died"}\n\n' + DONE, "server_error", None),
        (X + event({}, "abort") + DONE, "server_error", None),
        (event({"content": "x"}, model="n") + STOP, "wrong_model", None),
        (event({"content": "x"}, model="m-v2") + STOP, "wrong_model", None),
    ],
)
def test_what_is_no_answer(data: bytes, cause: str, status: int | None) -> None:
    with pytest.raises(BadAnswer) as caught:
        collect((0.1, data), request=ASK_LOGPROBS)
    assert (caught.value.failure.cause, caught.value.failure.status) == (cause, status)


def test_an_answer_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.client.dialect_client.MAX_STREAM_BYTES", 1000)
    with pytest.raises(BadAnswer, match="longer than"):
        collect(*[(0.1, X)] * 100)


@pytest.mark.parametrize(
    "reason", ["insufficient_system_resource", "network_error", "abort", "error", "load"]
)
def test_an_answer_that_ended_for_another_reason_is_a_failure(reason: str) -> None:
    with pytest.raises(BadAnswer, match=reason) as failed:
        collect((0.1, event({"content": "It is"})), (0.2, event({}, reason) + DONE))
    assert failed.value.failure.cause == "server_error"


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("stop", "ok"), ("STOP", "ok"), ("stop_sequence", "ok"), ("tool_calls", "ok"),
        ("length", "truncated"), ("model_length", "truncated"), ("MAX_TOKENS", "truncated"),
        ("content_filter", "filtered"), ("SAFETY", "filtered"),
    ],
)  # fmt: skip
def test_why_an_answer_ended_says_what_it_is(reason: str, state: str) -> None:
    answer = collect((0.1, event({"content": "It is"})), (0.2, event({}, reason) + DONE))
    assert attempt_of(answer).state == state


def test_the_text_null_is_no_reason_to_end() -> None:
    answer = collect((0.1, event({"content": "It is"}, "null")), (0.2, STOP + DONE))
    assert answer.finish_reason == "stop"
    with pytest.raises(BadAnswer, match="without a finish_reason"):
        collect((0.1, event({"content": "It is"}, "null")), (0.2, DONE))


def test_a_refusal_has_its_words_and_is_filtered_whatever_follows() -> None:
    answer = collect(
        (0.1, event({"refusal": "I can't "})), (0.2, event({"refusal": "say."})), (0.3, STOP + DONE)
    )
    assert (answer.text, answer.finish_reason) == ("I can't say.", "refusal")
    assert attempt_of(answer).state == "filtered"
    assert answer.timing.chunks == (0.1, 0.2)


def test_a_request_that_a_filter_refused_is_an_answer_without_text() -> None:
    reader = AnswerReader(openai_dialect("http://h/v1", None), ASK, 0.0, 0.01)
    reader.head(400, {"content-type": "application/json"})
    reader.feed(b'{"error": {"code": "content_filter", "message": "no"}}', 0.2)
    answer = reader.finish(0.2)
    assert (answer.text, attempt_of(answer).state) == ("", "filtered")
    reader = AnswerReader(openai_dialect("http://h/v1", None), ASK, 0.0, 0.01)
    reader.head(400, {"content-type": "application/json"})
    reader.feed(b'{"error": {"code": "context_length_exceeded", "message": "no"}}', 0.2)
    with pytest.raises(BadAnswer, match="HTTP 400"):
        reader.finish(0.2)


def test_thinking_in_the_text_or_in_parts_is_kept_apart() -> None:
    answer = collect(
        (0.1, event({"content": "<thi"})), (0.2, event({"content": "nk>7?</think>8"})),
        (0.3, STOP + DONE),
    )  # fmt: skip
    assert (answer.text, answer.reasoning) == ("8", "7?")
    thinking = [{"type": "thinking", "thinking": [{"type": "text", "text": "7?"}]}]
    answer = collect(
        (0.1, event({"content": thinking})),
        (0.2, event({"content": [{"type": "text", "text": "8"}]})),
        (0.3, STOP + DONE),
    )
    assert (answer.text, answer.reasoning) == ("8", "7?")
    answer = collect((0.1, event({"content": "<think>7? or"})), (0.2, event({}, "length") + DONE))
    assert (answer.text, answer.reasoning) == ("", "7? or")
    assert attempt_of(answer).state == "empty"


def attempt_of(answer: Answer) -> Attempt:
    place = {"key": "k", "suite": "s", "section": "t", "case": "c", "repeat": 0}
    found = {"text": answer.text, "finish_reason": answer.finish_reason}
    return Attempt.model_validate({**place, **found, "status": "answered"})


SECRET = "sk-live-0123456789"
HALVES = SECRET[:9], SECRET[9:]


def leaking(*events: bytes, request: ChatRequest = ASK) -> None:
    reader = AnswerReader(openai_dialect("http://h/v1", SECRET), request, 0.0, 0.01)
    for data in events:
        reader.feed(data, 0.1)
    reader.finish(9.0)


@pytest.mark.parametrize(
    "events",
    [
        [event({"content": f"It is {SECRET}."}), STOP],
        [*(event({"content": half}) for half in HALVES), STOP],
        [*(event({"content": letter}) for letter in SECRET), STOP],
        [event({"reasoning": HALVES[0]}), event({"reasoning_content": HALVES[1]}), STOP],
        [event({"reasoning": HALVES[0]}), event({"content": HALVES[1]}), STOP],
        [event({"content": [{"type": "text", "text": half} for half in HALVES]}), STOP],
        [event({"refusal": SECRET}), STOP],
        [event({"content": json.dumps(json.dumps({"k": SECRET}))}), STOP],
    ],
)
def test_an_answer_that_holds_the_key_is_not_kept(events: list[bytes]) -> None:
    with pytest.raises(BadAnswer, match="holds the secret of a header: not kept"):
        leaking(*events, DONE)


def test_nor_is_one_whose_tokens_hold_it() -> None:
    tokens = [{"token": letter, "logprob": -1.0} for letter in SECRET]
    choice = {"index": 0, "delta": {"content": "x"}, "logprobs": {"content": tokens}}
    with pytest.raises(BadAnswer, match="holds the secret"):
        leaking(event(choices=[choice]), STOP, DONE, request=ASK_LOGPROBS)


@pytest.mark.parametrize(
    ("status", "body", "remedy"),
    [
        (400, b'{"error": {"message": "Unknown parameter: \'seed\'."}}', "{omit: [seed]}"),
        (422, b'{"detail": [{"type": "extra_forbidden", "loc": ["body", "top_p"]}]}',
         "{omit: [top_p]}"),
        (500, b'{"error": {"message": "it does not support parameters: {\'seed\': 1}"}}',
         "{omit: [seed]}"),
        (404, b'{"error": {"message": "Unknown parameter: \'seed\'."}}', None),
        (400, b'{"error": {"message": "too long"}}', None),
    ],
)  # fmt: skip
def test_a_refused_field_comes_with_its_remedy(
    status: int, body: bytes, remedy: str | None
) -> None:
    reader = AnswerReader(openai_dialect("http://h/v1", None), ASK, 0.0, 0.01)
    reader.head(status, {"content-type": "application/json"})
    reader.feed(body, 0.1)
    with pytest.raises(BadAnswer) as raised:
        reader.finish(0.2)
    failure = raised.value.failure
    assert (failure.status, retriable(failure)) == (status, status == 500 and remedy is None)
    assert (failure.remedy or "").endswith(f"write `request: {remedy}`" if remedy else "")
    assert (failure.remedy is None) is (remedy is None)


def test_so_does_one_that_is_refused_inside_a_stream() -> None:
    error = {"error": {"message": "property 'seed' is unsupported", "code": "400"}}
    with pytest.raises(BadAnswer) as raised:
        collect((0.1, b"data: " + json.dumps(error).encode() + b"\n\n"))
    assert (raised.value.failure.remedy or "").endswith("write `request: {omit: [seed]}`")
    assert not retriable(raised.value.failure)
    line = raised.value.failure.model_dump_json(exclude_none=True)
    assert json.loads(line)["remedy"] == raised.value.failure.remedy
    plain = Failure(cause="http", detail="no", status=400)
    assert "remedy" not in plain.model_dump()
