"""The body of a request, in OpenAI's form and in others."""

from __future__ import annotations

from dataclasses import replace

from harness.client.protocol import ChatRequest
from harness.client.request_body import chat_body
from harness.records.request_fields import USUAL, RequestForm
from harness.records.suite import Message


def turns(*said: str) -> tuple[Message, ...]:
    """Messages written as `s: text`, by the first letter of the role."""
    roles = {"s": "system", "u": "user", "a": "assistant"}
    pairs = [one.split(": ", 1) for one in said]
    return tuple(
        Message.model_validate({"role": roles[who], "content": text}) for who, text in pairs
    )


def request(*said: str, **more: object) -> ChatRequest:
    return ChatRequest(model="m", messages=turns(*said), max_tokens=5, seed=3, extra=more)


def sent(form: RequestForm, *said: str) -> list[str]:
    messages = chat_body(request(*said), form)["messages"]
    assert isinstance(messages, list)
    return [f"{one['role'][0]}: {one['content']}" for one in messages]


def test_the_usual_form() -> None:
    assert chat_body(request("u: hi", top_k=4), USUAL) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 5,
        "temperature": 0.0,
        "top_p": 1.0,
        "seed": 3,
        "stream": True,
        "stream_options": {"include_usage": True},
        "top_k": 4,
    }


def test_fields_are_omitted_and_renamed() -> None:
    form = RequestForm(
        omit=("seed", "stream_options", "temperature", "top_k", "top_p"),
        max_tokens_as="max_completion_tokens",
    )
    assert chat_body(request("u: hi", top_k=4), form) == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "max_completion_tokens": 5,
        "stream": True,
    }


def test_stream_options_are_added_to_ours() -> None:
    body = chat_body(request("u: hi", stream_options={"include_obfuscation": False}), USUAL)
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_a_system_prompt_is_put_before_the_first_user_message() -> None:
    form = RequestForm(system_as="user")
    assert sent(form, "s: be kind", "u: hi", "a: yes", "u: so?") == [
        "u: be kind\n\nhi", "a: yes", "u: so?",
    ]  # fmt: skip
    assert sent(form, "s: be kind", "a: hello", "u: hi") == ["a: hello", "u: be kind\n\nhi"]
    assert sent(form, "u: hi", "s: one", "s: two") == ["u: hi", "u: one\n\ntwo"]
    assert sent(form, "u: hi") == ["u: hi"]


def test_a_system_prompt_may_be_a_developers() -> None:
    assert sent(RequestForm(system_as="developer"), "s: be kind", "u: hi") == [
        "d: be kind", "u: hi",
    ]  # fmt: skip


def test_likeliest_tokens_are_asked_for_with_the_log_probabilities() -> None:
    body = chat_body(replace(request("u: hi"), top_logprobs=20), USUAL)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)
    assert "logprobs" not in chat_body(request("u: hi"), USUAL)
