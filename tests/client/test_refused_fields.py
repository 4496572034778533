"""What servers say when they refuse a field, and what the configuration then needs.

The texts are written in the manner of the servers that they are listed under.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.client.refused_fields import check_taken, remedy
from harness.errors import ConfigError
from harness.records.attempt import Failure
from harness.records.request_fields import USUAL, RequestForm
from tests.client.test_request_body import request

SEED = "under servers.s write `request: {omit: [seed]}`"
USAGE = "under servers.s write `request: {omit: [stream_options]}`"
WARMTH = "under servers.s write `request: {omit: [temperature]}`"
TOP_P = "under servers.s write `request: {omit: [top_p]}`"
TOKENS = "under servers.s write `request: {max_tokens_as: max_completion_tokens}`"
SYSTEM = "under servers.s write `request: {system_as: user}`"


def error(message: str, **more: Any) -> str:
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", **more}})


def invalid(*names: str) -> dict[str, Any]:
    """A refusal by pydantic, of fields of the body."""
    return {
        "detail": [
            {"type": "extra_forbidden", "loc": ["body", name],
             "msg": "Extra inputs are not permitted", "input": 0}
            for name in names
        ]
    }  # fmt: skip


REFUSALS = {
    "openai max_tokens": (
        error("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
              "'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter"),
        TOKENS,
    ),
    "openai temperature": (
        error("Unsupported value: 'temperature' does not support 0 with this model. Only the "
              "default (1) value is supported.", param="temperature", code="unsupported_value"),
        WARMTH,
    ),
    "openai top_p": (error("Unsupported parameter: 'top_p' is not supported with this model."),
                     TOP_P),
    "openai system": (
        error("Unsupported value: 'messages[0].role' does not support 'system' with this model."),
        SYSTEM,
    ),
    "azure unknown": (error("Unknown parameter: 'stream_options'.", code="unknown"), USAGE),
    "azure unrecognized": (
        error("Unrecognized request argument supplied: stream_options. Please write to support."),
        USAGE,
    ),
    "azure several": (
        error("Unrecognized request arguments supplied: seed, topP"),
        "under servers.s write `request: {omit: [seed, top_p]}`",
    ),
    "azure ai": (error("Validation error at #/stream_options: Extra inputs are not permitted"),
                 USAGE),
    "mistral": (json.dumps({"object": "error", "message": invalid("seed"), "code": None}), SEED),
    "mistral two": (
        json.dumps({"object": "Error", **invalid("stream_options", "seed"), "code": 3001}),
        "under servers.s write `request: {omit: [seed, stream_options]}`",
    ),
    "old vllm": (
        json.dumps({"object": "error", "type": "BadRequestError", "code": 400, "message": str(
            [{"type": "extra_forbidden", "loc": ("body", "seed"),
              "msg": "Extra inputs are not permitted", "input": 0}])}),
        SEED,
    ),
    "vllm gemma": (
        json.dumps({"object": "error", "message": "System role not supported", "code": 400}),
        SYSTEM,
    ),
    "vllm alternation": (
        error("Conversation roles must alternate user/assistant/user/assistant/..."), SYSTEM,
    ),
    "gemini": (
        json.dumps([{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message":
                    'Invalid JSON payload received. Unknown name "seed": Cannot find field.'}}]),
        SEED,
    ),
    "gemini two": (
        json.dumps([{"error": {"message": 'Unknown name "seed": Cannot find field.\n'
                               'Unknown name "stream_options": Cannot find field.'}}]),
        "under servers.s write `request: {omit: [seed, stream_options]}`",
    ),
    "gemini gemma": (error("Developer instruction is not enabled for models/gemma-3"), SYSTEM),
    "groq": (error("property 'seed' is unsupported, did you mean 'stop'?"), SEED),
    "litellm list": (
        error("litellm.UnsupportedParamsError: anthropic does not support parameters: ['seed'], "
              "for model=x. To drop these, set `litellm.drop_params=True`", code="400"),
        SEED,
    ),
    "litellm mapping": (
        error("ollama does not support parameters: {'seed': 1}, for model=llama3", code=500), SEED,
    ),
    "litellm reasoning": (
        error("litellm.UnsupportedParamsError: gpt-5 doesn't support temperature=0.0 while it "
              "reasons. Only temperature=1 is supported."),
        WARMTH,
    ),
    "litellm within": (
        error("litellm.BadRequestError: MistralException - " + json.dumps(invalid("seed"))), SEED,
    ),
    "deepseek": (error("deepseek-reasoner does not support the parameter `temperature`"), WARMTH),
    "anthropic pair": (
        error("`temperature` and `top_p` cannot both be specified for this model."), TOP_P,
    ),
    "anthropic deprecated": (error("`temperature` is deprecated for this model."), WARMTH),
    "bedrock": (
        error("Malformed input request: #: extraneous key [seed] is not permitted, reformat it"),
        SEED,
    ),
    "bedrock pydantic": (
        error('BedrockException - {"message":"The model returned errors: seed: Extra inputs are '
              'not permitted"}'),
        SEED,
    ),
    "fireworks": (error("Extra inputs are not permitted, field: 'seed', value: 0"), SEED),
    "xai": (
        json.dumps({"error": "Argument not supported on this model: topP"}), TOP_P,
    ),
    "tgi top_p": (
        json.dumps({"error": "Input validation error: `top_p` must be > 0.0 and < 1.0"}), TOP_P,
    ),
    "tgi temperature": (
        json.dumps({"error": "Input validation error: `temperature` must be strictly positive"}),
        WARMTH,
    ),
    "moonshot": (error("invalid temperature: only 1 is allowed for this model"), WARMTH),
    "lm studio": (error("Unrecognized key(s) in object: 'seed'"), SEED),
    "go": (error('json: unknown field "seed"'), SEED),
    "serde": (
        json.dumps({"error": "Failed to deserialize the JSON body: unknown field `seed`, expected "
                             "one of `model`, `messages`, `stop` at line 1 column 90"}),
        SEED,
    ),
    "python": (error("create() got an unexpected keyword argument 'seed'"), SEED),
    "no names": (error("temperature parameter is not supported here"), WARMTH),
}  # fmt: skip


@pytest.mark.parametrize("who", REFUSALS)
def test_a_refusal_names_the_line_to_write(who: str) -> None:
    said, line = REFUSALS[who]
    assert remedy(said, request("s: be kind", "u: hi"), USUAL, "servers.s") == line


def test_a_budget_of_thinking_without_a_parser_is_a_matter_of_the_servers_start() -> None:
    said = error(
        "thinking_token_budget is set but reasoning_config is not configured. Please set "
        "--reasoning-parser and/or --reasoning-config to use thinking_token_budget."
    )
    asked = replace(request("u: hi"), extra={"thinking_token_budget": 9})
    line = "start it with `--reasoning-parser`, or take `thinking_token_budget` out"
    assert remedy(said, asked, USUAL, "servers.s") == line
    assert remedy(said, request("u: hi"), USUAL, "servers.s") is None


@pytest.mark.parametrize(
    "said",
    [
        error("This model's maximum context length is 2048 tokens. However, you requested 2100 "
              "tokens (2000 in the messages, 100 in the completion).", param="messages"),
        error("max_tokens is too large: 5000. This model supports at most 4096 completion tokens."),
        error("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"),
        error("`inputs` tokens + `max_new_tokens` must be <= 2048"),
        error("The model `seed` does not exist."),
        error("Unknown parameter: 'sugar'."),
        error("'messages.0' : for 'role:user' property 'timestamp' is unsupported"),
        error("Unsupported parameter: 'messages'"),
        json.dumps(invalid("tools")),
        error("The response was filtered", code="content_filter"),
        "no", "", "<html><body>Bad request</body></html>",
    ],
)  # fmt: skip
def test_another_refusal_is_none(said: str) -> None:
    assert remedy(said, request("s: be kind", "u: hi"), USUAL, "servers.s") is None


def test_turns_that_do_not_alternate_are_the_cases_own_fault() -> None:
    said = error("Conversation roles must alternate user/assistant/user/assistant/...")
    assert remedy(said, request("s: be kind", "u: hi", "u: you"), USUAL, "servers.s") is None
    assert remedy(said, request("u: hi"), USUAL, "servers.s") is None


def test_a_line_keeps_what_the_server_had_before() -> None:
    form = RequestForm(omit=("seed",), max_tokens_as="max_completion_tokens")
    said = error("Unknown parameter: 'stream_options'.")
    assert remedy(said, request("u: hi"), form, "servers.s") == (
        "under servers.s write "
        "`request: {omit: [seed, stream_options], max_tokens_as: max_completion_tokens}`"
    )
    again = error("Unrecognized request argument supplied: max_completion_tokens")
    assert remedy(again, request("u: hi"), form, "servers.s") == (
        "take `max_tokens_as` out of servers.s.request"
    )


def test_no_word_of_the_server_is_repeated_that_is_no_field() -> None:
    for said in ("Unsupported parameter: 'max_tokens'. Use 'max_s3cret_tokens' instead.",
                 "Unsupported parameters: 'max_tokens', 's3cret'."):  # fmt: skip
        found = remedy(error(said), request("u: hi"), USUAL, "servers.s")
        assert found == "under servers.s write `request: {omit: [max_tokens]}`"


def test_fields_of_the_configuration_are_found_too() -> None:
    one = request("u: hi", top_k=4, reasoning_effort="low", sugar=1)
    for said, line in (
        ("property 'top_k' is unsupported", "under servers.s write `request: {omit: [top_k]}`"),
        ('"m" does not support thinking',
         "under servers.s write `request: {omit: [reasoning_effort]}`"),
        ("Unknown parameter: 'sugar'.", "take `sugar` out of `extra_body`"),
    ):  # fmt: skip
        assert remedy(error(said), one, USUAL, "servers.s") == line


@pytest.mark.parametrize("text", ["(" * 8000, "a" * 8000, "a, " * 3000, "unknown field " * 600])
def test_a_text_that_is_made_to_be_slow_to_read_is_not(text: str) -> None:
    assert remedy(text, request("u: hi"), USUAL, "servers.s") is None


def test_a_failure_with_a_remedy_stops_what_asks() -> None:
    check_taken(Failure(cause="http", detail="HTTP 400", status=400), "https://h")
    failure = Failure(cause="http", detail="HTTP 400: no seed", status=400, remedy=SEED)
    with pytest.raises(ConfigError) as raised:
        check_taken(failure, "https://h")
    assert raised.value.line == (
        f"https://h: the server refuses what every request holds: HTTP 400: no seed - {SEED}"
    )
