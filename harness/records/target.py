"""What is under test: a server, a model or adapter on it, and how it is asked."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from harness.records.base import Record


class Generation(Record):
    """Sampling settings and the limits of one request; times in seconds."""

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

    def sampling(self) -> dict[str, Any]:
        """Only what changes an answer: the part that keys an attempt."""
        found: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
        }
        # Answers that were split otherwise are others; without the key they stay what they were.
        return found | ({"thinking_tags": self.thinking_tags} if self.thinking_tags else {})


class Target(Record):
    """A named thing to test: a server plus the adapter or model name asked for on it.

    Beside a `model` on a url, `adapter` names the files that the model there is made of.
    `answers_as` is the name that a gateway puts into answers where it is another than `model`: an
    answer under any other name is a failure.
    """

    server: str
    adapter: str | None = None
    model: str | None = None
    answers_as: str | None = None
    system_prompt: str | None = None
    generation: dict[str, Any] = Field(default_factory=dict)


class Identity(Record):
    """What an answer of a target depends on besides the conversation and the sampling.

    Weights behind a url have no digest: the server's address, the model's name and the `root` it
    lists stand in for it, and cannot tell when somebody puts another model behind them. A model or
    an adapter that was named on a hub has its `ORG/NAME@commit` beside the digest of its files.
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
