"""What a server may cost, and what a run's answers took in tokens and money."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pydantic import Field, model_validator

from harness.records.attempt import Attempt, Usage
from harness.records.base import Record


class Price(Record):
    """What a server costs: per million tokens in and out, or per hour of its GPUs.

    One currency throughout; which one is the reader's business.
    """

    input: float | None = Field(default=None, ge=0.0)
    output: float | None = Field(default=None, ge=0.0)
    gpu_hour: float | None = Field(default=None, ge=0.0)

    @model_validator(mode="after")
    def _one_kind(self) -> Price:
        by_token = self.input is not None and self.output is not None
        if by_token == (self.gpu_hour is not None) or (self.input is None) != (self.output is None):
            raise ValueError("give `input` and `output` (per million tokens), or `gpu_hour`")
        return self

    def of_tokens(self, usage: Usage) -> float | None:
        """What these tokens cost; None where the price is by the hour."""
        if self.input is None or self.output is None:
            return None
        return (usage.prompt_tokens * self.input + usage.completion_tokens * self.output) / 1e6

    def of_seconds(self, seconds: float, replicas: int = 1) -> float | None:
        """What so many replicas cost for so long; None where the price is by the token."""
        return None if self.gpu_hour is None else self.gpu_hour * replicas * seconds / 3600


class Metered(Record):
    """What every server may be given: a price, and limits that are never exceeded."""

    price: Price | None = None
    max_requests_per_minute: int | None = Field(default=None, ge=1)
    max_tokens_per_minute: int | None = Field(default=None, ge=1)
    max_cost: float | None = Field(default=None, gt=0.0)

    @model_validator(mode="after")
    def _cost_has_a_price(self) -> Metered:
        if self.max_cost is not None and self.price is None:
            raise ValueError("max_cost needs a `price`")
        return self


class Asking(Record):
    """At what price a run was asked, and how fast it went.

    `seconds` are those in which requests were under way, all resumptions added up, and `answers`
    are those that they brought. An asking that was killed is in neither, so their ratio holds.
    """

    price: Price | None = None
    replicas: int = Field(default=1, ge=1)
    seconds: float = Field(default=0.0, ge=0.0)
    answers: int = Field(default=0, ge=0)

    def longer(self, seconds: float, answers: int) -> Asking:
        """This asking with another one added."""
        update = {"seconds": self.seconds + seconds, "answers": self.answers + answers}
        return self.model_copy(update=update)

    def cost_of(self, answers: int) -> float | None:
        """What so many answers cost at the measured throughput; None where tokens are paid for."""
        if self.price is None or self.answers == 0:
            return None
        cost = self.price.of_seconds(self.seconds, self.replicas)
        return None if cost is None else cost * answers / self.answers


class Spending(Record):
    """The tokens and the cost of a run's answers; None where nothing is known.

    `counted` of the `answers` came with their usage, and the tokens are theirs. `cost` is that of
    all answers by the hour, and of the counted ones by the token; `per_thousand` is what 1,000
    such answers cost.
    """

    answers: int = Field(ge=0)
    counted: int = Field(ge=0)
    tokens_in: int | None = Field(default=None, ge=0)
    tokens_out: int | None = Field(default=None, ge=0)
    cost: float | None = Field(default=None, ge=0.0)
    per_thousand: float | None = Field(default=None, ge=0.0)


class Tokens(Record):
    """The tokens of so many answers, of which `counted` came with their usage."""

    answers: int = Field(default=0, ge=0)
    counted: int = Field(default=0, ge=0)
    prompt: int = Field(default=0, ge=0)
    completion: int = Field(default=0, ge=0)


@dataclass(slots=True)
class TokenCounter:
    """Counts the tokens of attempts one by one.

    An answer taken over from another run counts as one that was asked for: the figure is about
    the target, not about this day. Failed tries bring no usage and are not in it.
    """

    answers: int = 0
    counted: int = 0
    prompt: int = 0
    completion: int = 0

    def add(self, attempt: Attempt) -> None:
        """Count an attempt, if it is an answer."""
        if attempt.status != "answered":
            return
        self.answers += 1
        if attempt.usage is not None:
            self.counted += 1
            self.prompt += attempt.usage.prompt_tokens
            self.completion += attempt.usage.completion_tokens

    def tokens(self) -> Tokens:
        """The counts."""
        return Tokens(**asdict(self))


def spending(tokens: Tokens, asking: Asking | None) -> Spending:
    """What it takes to have all of a run's answers."""
    answers, counted = tokens.answers, tokens.counted
    cost = None if asking is None or not answers else asking.cost_of(answers)
    paid = answers
    if asking is not None and asking.price is not None and cost is None and counted:
        usage = Usage(prompt_tokens=tokens.prompt, completion_tokens=tokens.completion)
        cost, paid = asking.price.of_tokens(usage), counted
    return Spending(
        answers=answers,
        counted=counted,
        tokens_in=tokens.prompt if counted else None,
        tokens_out=tokens.completion if counted else None,
        cost=cost,
        per_thousand=None if cost is None else 1000 * cost / paid,
    )
