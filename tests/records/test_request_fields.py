"""The fields that a configuration may set, and the form in which a server wants its requests."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from harness.records.base import explain
from harness.records.request_fields import OPTIONAL, RequestForm
from harness.records.rule import AskedBy
from harness.records.target import SAMPLING, Generation

SET: dict[str, Any] = {
    "top_k": 20,
    "min_p": 0.0,
    "presence_penalty": -1.5,
    "frequency_penalty": 0.5,
    "repetition_penalty": 1.05,
    "min_tokens": 4,
    "stop": "END",
    "stop_token_ids": [2, 32000],
    "bad_words": ["damn"],
    "logit_bias": {"50256": -100},
    "thinking_token_budget": 100,
    "reasoning_effort": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
    "structured_outputs": {"choice": ["yes", "no"]},
    "chat_template_kwargs": {"enable_thinking": False},
    "extra_body": {"guardrails": {"on": True}, "priority": 1},
}


def test_every_field_can_be_set_and_none_is_kept_that_is_not() -> None:
    assert set(SET) == {*OPTIONAL, "extra_body"}
    assert not set(Generation().model_dump()) & set(SET)
    whole = Generation(**SET)
    assert set(SET) < set(whole.model_dump())
    assert Generation(**whole.model_dump()) == whole
    assert Generation(**{**whole.model_dump(), **dict.fromkeys(SET)}) == Generation()


def test_what_is_set_is_sent_and_the_extra_body_beside_it() -> None:
    found = Generation(**SET).request_fields()
    assert set(found) == {*OPTIONAL, "guardrails", "priority"}
    assert found["stop"] == ("END",)
    assert found["min_p"] == 0.0
    assert Generation().request_fields() == {}
    assert "min_tokens" not in Generation(**SET).probe_fields()


@pytest.mark.parametrize("name", SET)
def test_each_changes_what_an_answer_is_known_by(name: str) -> None:
    changed = Generation(**{name: SET[name]}).sampling()
    assert set(changed) - set(Generation().sampling()) == {name}


def test_a_policy_may_compare_across_each_of_them() -> None:
    named = {"system_prompt", "few_shot", "retrieval", "request", "seed"}
    assert set(get_args(AskedBy)) == {*named, *SAMPLING}
    assert set(SAMPLING) == set(Generation(**SET, thinking_tags=[("a", "b")]).sampling())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"top_k": -2}, "top_k: must be at least -1"),
        ({"top_k": 1.5}, "top_k: must be a whole number"),
        ({"min_p": 1.1}, "min_p: must be at most 1"),
        ({"presence_penalty": 3}, "presence_penalty: must be at most 2"),
        ({"repetition_penalty": 0}, "repetition_penalty: must be more than 0"),
        ({"stop": ""}, "stop.0: must not be empty"),
        ({"stop": [1]}, "stop.0: must be text"),
        ({"min_tokens": 200}, "min_tokens: is more than max_tokens, 128"),
        ({"thinking_token_budget": -1}, "thinking_token_budget: must be at least 0"),
        ({"thinking_token_budget": 128},
         "thinking_token_budget: leaves nothing for the answer of max_tokens, 128, which count"),
        ({"logit_bias": {"no": 1}}, "logit_bias.no: the key must be a token's number"),
        ({"logit_bias": {"1": 101}}, "logit_bias.1: must be between -100 and 100"),
        ({"reasoning_effort": False}, "reasoning_effort: must be text"),
        ({"response_format": {"type": "xml"}}, "response_format.type: must be `text` or"),
        ({"response_format": {"type": "json_schema"}},
         "response_format.json_schema: must be a mapping with `name` and `schema`"),
        ({"chat_template_kwargs": {"a": {"b": float("nan")}}},
         "chat_template_kwargs.a.b: JSON cannot hold nan"),
        ({"chat_template_kwargs": [1]}, "chat_template_kwargs: must be a mapping"),
        ({"extra_body": {"n": 2}}, "extra_body.n: asks for several answers, and one is read"),
        ({"extra_body": {"stream": False}}, "extra_body.stream: is set by the harness"),
        ({"extra_body": {"model": "x"}}, "extra_body.model: is the target's `model`"),
        ({"extra_body": {"messages": []}}, "extra_body.messages: are those of the case"),
        ({"extra_body": {"top_k": 2}}, "extra_body.top_k: has a key of its own"),
        ({"extra_body": {"seed": 2}}, "extra_body.seed: has a key of its own"),
        ({"extra_body": {"max_completion_tokens": 2}}, "extra_body.max_completion_tokens: is `max"),
        ({"extra_body": {"stream_options": True}}, "extra_body.stream_options: must be a mapping"),
        ({"max_completion_tokens": 2}, "max_completion_tokens: is `max_tokens`; at the server"),
        ({"n": 2}, "n: asks for several answers, and one is read"),
        ({"topk": 2}, "topk: unknown key; did you mean `top_k`?"),
    ],
)  # fmt: skip
def test_a_value_that_no_server_takes_is_named_by_its_key(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        Generation(**settings)
    assert explain(raised.value, Generation).startswith(message)


def test_a_usual_form_is_kept_nowhere() -> None:
    assert not RequestForm()
    assert RequestForm().model_dump() == {}
    assert RequestForm(omit=("seed", "top_p")) == RequestForm(omit=("top_p", "seed"))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"omit": ["sed"]}, "omit: no field `sed` is sent; did you mean `seed`?"),
        ({"omit": ["max_completion_tokens"]}, "omit: `max_completion_tokens` is `max_tokens`; at"),
        ({"omit": ["messages"]}, "omit: no request goes without `messages`"),
        ({"omit": ["seed", "seed"]}, "omit: names a field twice"),
        ({"omit": ["max_tokens"], "max_tokens_as": "max_new_tokens"},
         "max_tokens_as: `omit` leaves max_tokens out already"),
        ({"max_tokens_as": "temperature"}, "max_tokens_as: `temperature` is another field"),
        ({"max_tokens_as": "max tokens"}, "max_tokens_as: must match the pattern"),
        ({"system_as": "assistant"}, "system_as: must be `user` or `developer`"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_is_refused(form: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        RequestForm.model_validate(form)
    assert explain(raised.value, RequestForm).startswith(message)


def test_a_form_is_written_as_the_line_of_yaml_that_says_so() -> None:
    form = RequestForm(omit=("seed",), system_as="user")
    assert form.written() == "request: {omit: [seed], system_as: user}"
    assert form.written(omit=["top_p", "seed"], max_tokens_as="max_completion_tokens") == (
        "request: {omit: [seed, top_p], max_tokens_as: max_completion_tokens, system_as: user}"
    )
