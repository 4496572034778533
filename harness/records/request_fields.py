"""The fields of a chat request: which a configuration may set, and how a server takes them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from harness.records.base import Record
from harness.validation import KeyProblem, nearest

# Sent with every request unless a server's `request` says otherwise.
ALWAYS_SENT = ("temperature", "top_p", "max_tokens", "seed", "stream_options")
# Sent where they are set: what OpenAI's reference and vLLM's document besides.
OPTIONAL = (
    "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty", "min_tokens",
    "stop", "stop_token_ids", "bad_words", "logit_bias", "thinking_token_budget",
    "reasoning_effort", "response_format", "structured_outputs", "chat_template_kwargs",
)  # fmt: skip
# What servers call the limit of an answer's length.
_LIMIT_NAMES = (
    "max_completion_tokens", "max_output_tokens", "max_new_tokens", "max_tokens_to_sample",
    "maxOutputTokens", "maxTokens", "max_gen_len", "max_length", "n_predict", "num_predict",
)  # fmt: skip
_DEEPEST = 50
# What a configuration cannot set, and why.
NOT_FIELDS = {
    "model": "is the target's `model`",
    "messages": "are those of the case",
    "stream": "is set by the harness, which reads streams",
    "n": "asks for several answers, and one is read: use `repeats`",
    "best_of": "asks for several answers, and one is read: use `repeats`",
    "echo": "would put the prompt into the answer",
    "prompt_logprobs": "breaks vLLM where it serves adapters",
    "logprobs": "are asked for where the harness needs them",
    "top_logprobs": "are asked for where the harness needs them",
    "max_completion_tokens": (
        "is `max_tokens`; at the server, `request: {max_tokens_as: max_completion_tokens}` "
        "renames it"
    ),
}
_FORMATS = ("text", "json_object", "json_schema", "structural_tag")


def _check_json(value: Any, depth: int = 0) -> None:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"the key {key!r} must be text")
            try:
                _check_json(item, depth + 1)
            except KeyProblem as problem:
                raise KeyProblem(problem.what, key, *problem.keys) from None
            except ValueError as error:
                raise KeyProblem(str(error), key) from None
    elif isinstance(value, list | tuple):
        for item in value:
            _check_json(item, depth + 1)
    elif not (value is None or isinstance(value, str | int) or _is_finite(value)):
        raise ValueError(f"JSON cannot hold {value!r}; write it in quotes")


def _is_finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _json(value: dict[str, Any]) -> dict[str, Any]:
    _check_json(value)
    return value


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _token_ids(biases: dict[str, float]) -> dict[str, float]:
    for token, bias in biases.items():
        if not re.fullmatch("[0-9]+", token):
            raise KeyProblem("the key must be a token's number, in quotes", token)
        if not -100.0 <= bias <= 100.0:
            raise KeyProblem("must be between -100 and 100", token)
    return biases


def _format(value: dict[str, Any]) -> dict[str, Any]:
    kind = value.get("type")
    if kind not in _FORMATS:
        raise KeyProblem("must be " + " or ".join(f"`{one}`" for one in _FORMATS), "type")
    if kind == "json_schema":
        schema = value.get("json_schema")
        if not isinstance(schema, dict) or not {"name", "schema"} <= schema.keys():
            raise KeyProblem("must be a mapping with `name` and `schema`", "json_schema")
    return value


def _no_field_of_its_own(body: dict[str, Any]) -> dict[str, Any]:
    for name in body:
        if name in NOT_FIELDS:
            raise KeyProblem(NOT_FIELDS[name], name)
        if name in (*ALWAYS_SENT[:-1], *OPTIONAL):
            raise KeyProblem("has a key of its own: write it directly under `generation`", name)
        if name == "stream_options" and not isinstance(body[name], dict):
            raise KeyProblem("must be a mapping, which is added to the harness's own", name)
    return body


JsonMapping = Annotated[dict[str, Any], AfterValidator(_json)]
Texts = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
]
LogitBias = Annotated[dict[str, float], AfterValidator(_token_ids)]
ResponseFormat = Annotated[JsonMapping, AfterValidator(_format)]
ExtraBody = Annotated[JsonMapping, AfterValidator(_no_field_of_its_own)]


class RequestForm(Record):
    """How a server wants its requests where that is not OpenAI's usual form; false if it is not.

    `omit` are fields that it must not be sent, in alphabetical order. Under `system_as: user` the
    system prompt is put before the first user message, under `developer` its role has that name.
    """

    omit: tuple[str, ...] = Field(default=(), exclude_if=lambda names: not names)
    max_tokens_as: str | None = Field(
        default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", exclude_if=lambda name: name is None
    )
    system_as: Literal["user", "developer"] | None = Field(
        default=None, exclude_if=lambda role: role is None
    )

    def __bool__(self) -> bool:
        return bool(self.omit or self.max_tokens_as or self.system_as)

    @field_validator("omit")
    @classmethod
    def _can_be_omitted(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = (*ALWAYS_SENT, *OPTIONAL)
        for name in names:
            if name in ("model", "messages", "stream"):
                raise ValueError(f"no request goes without `{name}`")
            if name in NOT_FIELDS:
                raise ValueError(f"`{name}` {NOT_FIELDS[name]}")
            if name not in known:
                raise ValueError(f"no field `{name}` is sent{nearest(name, known)}")
        if len(set(names)) < len(names):
            raise ValueError("names a field twice")
        return tuple(sorted(names))

    @model_validator(mode="after")
    def _names_are_free(self) -> RequestForm:
        if self.max_tokens_as is not None:
            if "max_tokens" in self.omit:
                raise KeyProblem("`omit` leaves max_tokens out already", "max_tokens_as")
            if self.max_tokens_as in ("model", "messages", "stream", *ALWAYS_SENT, *OPTIONAL):
                raise KeyProblem(f"`{self.max_tokens_as}` is another field", "max_tokens_as")
        return self

    def written(self, *, omit: Sequence[str] = (), **other: str) -> str:
        """The line of YAML for this form with more to omit, or with other settings."""
        names = sorted({*self.omit, *omit})
        parts = [f"omit: [{', '.join(names)}]"] if names else []
        for key in ("max_tokens_as", "system_as"):
            value = other.get(key) or getattr(self, key)
            parts += [f"{key}: {value}"] if value else []
        return f"request: {{{', '.join(parts)}}}"


def _of_a_server(form: RequestForm) -> RequestForm:
    # A name that no server knows sets no limit, and few servers say so. Records may hold any.
    name = form.max_tokens_as
    close = get_close_matches(name or "", _LIMIT_NAMES, n=1, cutoff=0.85)
    if name not in _LIMIT_NAMES and close:
        what = f"no server is known to take `{name}`; did you mean `{close[0]}`?"
        raise KeyProblem(what, "max_tokens_as")
    return form


ServerForm = Annotated[RequestForm, AfterValidator(_of_a_server)]
USUAL = RequestForm()
