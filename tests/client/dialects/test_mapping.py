from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.client.dialects.http import body, fill, fill_url, values
from harness.client.protocol import ChatRequest
from harness.records.http_server import HttpServer
from harness.records.suite import Message

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != "$"), inner)
    ),
)


def spoken(request: Any, **more: Any) -> HttpServer:
    return HttpServer.model_validate(
        {"engine": "http", "url": "http://h", "request": request, "answer": "a", **more}
    )


def asked(*roles: str) -> ChatRequest:
    messages = tuple(Message.model_validate({"role": role, "content": f"{role} {at}"})
                     for at, role in enumerate(roles))  # fmt: skip
    return ChatRequest("m", messages, max_tokens=9, temperature=0.5, top_p=0.9, seed=4)


def sent(request: Any, *roles: str, **more: Any) -> Any:
    server, chat = spoken(request, **more), asked(*roles)
    return json.loads(body(server, values(server, chat, "s-1")))


def test_every_placeholder_has_its_value() -> None:
    names = (
        "session", "last_message", "messages", "dialogue", "user_turns", "system_prompt", "model",
        "max_tokens", "temperature", "top_p", "seed", "stream", "language_code",
    )  # fmt: skip
    system, one, two, three = (
        {"role": role, "content": f"{role} {at}"}
        for at, role in enumerate(("system", "user", "assistant", "user"))
    )
    found = sent({name: {"$": name} for name in names}, "system", "user", "assistant", "user")
    assert found == {
        "session": "s-1",
        "last_message": "user 3",
        "messages": [system, one, two, three],
        "dialogue": [one, two, three],
        "user_turns": ["user 1", "user 3"],
        "system_prompt": "system 0",
        "model": "m",
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 4,
        "stream": False,
        "language_code": "en",
    }


def test_a_system_prompt_that_is_not_there_takes_its_key_along() -> None:
    request = {"s": {"$": "system_prompt"}, "l": [{"$": "system_prompt"}, {"$": "last_message"}]}
    assert sent(request, "user") == {"l": ["user 0"]}


def test_a_field_that_is_not_set_takes_its_key_along() -> None:
    server = spoken({"q": {"$": "last_message"}, "options": {"k": {"$": "top_k"}, "t": 1}})
    for extra, options in (({}, {"t": 1}), ({"top_k": 0}, {"k": 0, "t": 1})):
        chat = replace(asked("user"), extra=extra)
        found = json.loads(body(server, values(server, chat, "s")))
        assert found == {"q": "user 0", "options": options}


def test_the_whole_body_may_be_one_placeholder() -> None:
    assert sent({"$": "user_turns"}, "user") == ["user 0"]


@given(PLAIN)
def test_data_without_placeholders_is_sent_as_it_is(data: Any) -> None:
    assert fill(data, {}) == data


@given(st.dictionaries(st.sampled_from("$ab"), st.just("session"), min_size=1) | st.text())
def test_what_is_filled_in_is_not_filled_again(value: Any) -> None:
    assert fill({"q": {"$": "last_message"}}, {"last_message": value, "session": "s"}) == {
        "q": value
    }


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_value_in_a_path_is_one_step_of_it(text: str) -> None:
    path = fill_url("http://h/a/{session}/{model}:b", {"session": "s", "model": text})
    assert path.startswith("http://h/a/s/")
    assert path.count("/") == 5
    assert path.isascii()
    assert not {"?", "#", " ", "{", "\n"} & set(path.removeprefix("http://"))
