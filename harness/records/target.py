"""What is under test: a server, a model or adapter on it, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from harness.records.base import MODEL_FORM, Record
from harness.records.request_fields import (
    NOT_FIELDS,
    OPTIONAL,
    USUAL,
    ExtraBody,
    JsonMapping,
    LogitBias,
    RequestForm,
    ResponseFormat,
    Texts,
)
from harness.validation import KeyProblem

# What changes an answer, each a setting of `Generation`; so does `seed`, which differs by repeat.
SAMPLING = ("temperature", "top_p", "max_tokens", "thinking_tags", *OPTIONAL, "extra_body")


def _unset(value: object) -> bool:
    return value is None


def _is_set(value: object) -> bool:
    return value not in (None, (), {})  # zero and false are sent


class Generation(Record):
    """Sampling settings and the limits of one request; times in seconds.

    What a server documents besides is sent where it is set; `extra_body` holds any other field.
    """

    refused: ClassVar[Mapping[str, str]] = NOT_FIELDS

    temperature: float = Field(default=0.0, ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    max_tokens: int = Field(default=128, ge=1)
    seed: int = Field(default=0, ge=0)
    repeats: int = Field(default=1, ge=1)
    concurrency: int = Field(default=64, ge=1)
    retries: int = Field(default=4, ge=0)
    connect_timeout: float = Field(default=10.0, gt=0.0)
    chunk_timeout: float = Field(default=60.0, gt=0.0)
    case_timeout: float = Field(default=300.0, gt=0.0)
    # Pairs of marks that thinking stands between, besides the usual ones.
    thinking_tags: tuple[tuple[str, str], ...] = Field(default=(), exclude_if=lambda tags: not tags)
    # Left out of every record where they are not set, so that digests stay what they were.
    top_k: int | None = Field(default=None, ge=-1, exclude_if=_unset)
    min_p: float | None = Field(default=None, ge=0.0, le=1.0, exclude_if=_unset)
    presence_penalty: float | None = Field(default=None, ge=-2.0, le=2.0, exclude_if=_unset)
    frequency_penalty: float | None = Field(default=None, ge=-2.0, le=2.0, exclude_if=_unset)
    repetition_penalty: float | None = Field(default=None, gt=0.0, exclude_if=_unset)
    min_tokens: int | None = Field(default=None, ge=0, exclude_if=_unset)
    stop: Texts | None = Field(default=None, exclude_if=lambda texts: not texts)
    stop_token_ids: tuple[int, ...] | None = Field(default=None, exclude_if=lambda ids: not ids)
    bad_words: Texts | None = Field(default=None, exclude_if=lambda texts: not texts)
    logit_bias: LogitBias | None = Field(default=None, exclude_if=lambda biases: not biases)
    thinking_token_budget: int | None = Field(default=None, ge=0, exclude_if=_unset)
    reasoning_effort: str | None = Field(default=None, min_length=1, exclude_if=_unset)
    response_format: ResponseFormat | None = Field(default=None, exclude_if=_unset)
    structured_outputs: JsonMapping | None = Field(default=None, exclude_if=lambda form: not form)
    chat_template_kwargs: JsonMapping | None = Field(
        default=None, exclude_if=lambda arguments: not arguments
    )
    extra_body: ExtraBody | None = Field(default=None, exclude_if=lambda fields: not fields)

    @model_validator(mode="after")
    def _has_room(self) -> Generation:
        if self.min_tokens is not None and self.min_tokens > self.max_tokens:
            raise KeyProblem(f"is more than max_tokens, {self.max_tokens}", "min_tokens")
        budget = self.thinking_token_budget
        if budget is not None and budget >= self.max_tokens:
            raise KeyProblem(
                f"leaves nothing for the answer of max_tokens, {self.max_tokens}, which count "
                f"both: raise max_tokens above {budget}",
                "thinking_token_budget",
            )
        return self

    def sampling(self) -> dict[str, Any]:
        """Only what changes an answer: the part that keys an attempt."""
        found: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
        }
        # Answers that were split otherwise are others; without the key they stay what they were.
        return found | {
            name: value for name in SAMPLING[3:] if _is_set(value := getattr(self, name))
        }

    def request_fields(self) -> dict[str, Any]:
        """The fields of a request that are set besides those which are always sent."""
        found = {name: value for name in OPTIONAL if _is_set(value := getattr(self, name))}
        return found | (self.extra_body or {})

    def probe_fields(self) -> dict[str, Any]:
        """The same for a short request about the prompt, which may be shorter than any answer."""
        found = self.request_fields()
        return {name: value for name, value in found.items() if name != "min_tokens"}


class FewShot(Record):
    """Examples that stand before every conversation: `k` of a file's, drawn with the seed."""

    file: str = Field(min_length=1)
    k: int = Field(default=4, ge=1)
    seed: int = Field(default=0, ge=0)


class Retrieval(Record):
    """Passages that are put before every question: the best `k` by BM25 of some documents.

    `documents` is a folder of text files, or one of them. A passage is part of one section, of at
    most `words` words.
    """

    documents: str = Field(min_length=1)
    k: int = Field(default=4, ge=1)
    words: int = Field(default=60, ge=1)


class Target(Record):
    """A named thing to test: a server plus the adapter or model name asked for on it.

    Beside a `model` on a url, `adapter` names the files that the model there is made of.
    `answers_as` is the name that a gateway puts into answers where it is another than `model`: an
    answer under any other name is a failure. `data` names the files that it was trained on, where
    it was not trained here: its answers do not depend on them, and what they prove does.
    """

    server: str
    adapter: str | None = Field(default=None, description=MODEL_FORM)
    model: str | None = None
    answers_as: str | None = None
    system_prompt: str | None = None
    generation: dict[str, Any] = Field(default_factory=dict)
    data: tuple[str, ...] = Field(default=(), exclude_if=lambda files: not files)
    few_shot: FewShot | None = Field(default=None, exclude_if=_unset)
    retrieval: Retrieval | None = Field(default=None, exclude_if=_unset)

    @field_validator("few_shot", mode="before")
    @classmethod
    def _file_alone(cls, given: Any) -> Any:
        """Take a text for the file, with everything else as usual."""
        return {"file": given} if isinstance(given, str) else given


class Identity(Record):
    """What an answer of a target depends on besides the conversation and the sampling.

    Weights behind a url have no digest: the server's address, the model's name and the `root` it
    lists stand in for it, and cannot tell when somebody puts another model behind them. A model or
    an adapter that was named on a hub has its `ORG/NAME@commit` beside the digest of its files.
    `request` is what the server is not sent, or is sent in another form than OpenAI's. `few_shot`
    and `retrieval` say what is put before a question, with the digest of where it comes from.
    """

    server: str
    server_version: str
    model: str
    root: str | None = None
    weights: str | None = None
    adapter: str | None = None
    chat_template: str | None = None
    # Without them the digests of models in folders stay what they were.
    weights_source: str | None = Field(default=None, exclude_if=lambda source: source is None)
    adapter_source: str | None = Field(default=None, exclude_if=lambda source: source is None)
    engine_args: dict[str, str | int | float | bool] = Field(default_factory=dict)
    request: RequestForm = Field(default=USUAL, exclude_if=lambda form: not form)
    few_shot: str | None = Field(default=None, exclude_if=_unset)
    retrieval: str | None = Field(default=None, exclude_if=_unset)
