"""Tokens and cost of a run's answers, and what is not known of them."""

from __future__ import annotations

import pytest

from harness.records.attempt import Attempt, Failure, Usage
from harness.records.cost import Asking, Price, Spending, TokenCounter, spending

BY_TOKEN = Asking(price=Price(input=2.0, output=10.0))
BY_HOUR = Asking(price=Price(gpu_hour=3.0), replicas=2, seconds=1800.0, answers=600)


def answered(usage: tuple[int, int] | None = (100, 20), reused: str | None = None) -> Attempt:
    known = None
    if usage is not None:
        known = Usage(prompt_tokens=usage[0], completion_tokens=usage[1])
    return Attempt(
        key="k", suite="s", section="s", case="c", repeat=0, status="answered", text="yes",
        usage=known, reused_from=reused,
    )  # fmt: skip


FAILED = Attempt(
    key="k", suite="s", section="s", case="c", repeat=0, status="failed",
    failure=Failure(cause="reset", detail=""),
)  # fmt: skip


def told(spent: Spending) -> tuple[object, ...]:
    return (spent.answers, spent.counted, spent.tokens_in, spent.tokens_out, spent.cost,
            spent.per_thousand)  # fmt: skip


@pytest.mark.parametrize(
    ("attempts", "asking", "expected"),
    [
        ([], BY_TOKEN, (0, 0, None, None, None, None)),
        ([], BY_HOUR, (0, 0, None, None, None, None)),
        ([FAILED], BY_TOKEN, (0, 0, None, None, None, None)),
        ([answered()], None, (1, 1, 100, 20, None, None)),
        ([answered()], Asking(), (1, 1, 100, 20, None, None)),
        ([answered(), FAILED, answered()], BY_TOKEN, (2, 2, 200, 40, 0.0008, 0.4)),
        ([answered(reused="other")], BY_TOKEN, (1, 1, 100, 20, 0.0004, 0.4)),
        ([answered((0, 0))], BY_TOKEN, (1, 1, 0, 0, 0.0, 0.0)),
        ([answered(), answered(None)], BY_TOKEN, (2, 1, 100, 20, 0.0004, 0.4)),
        ([answered(None)], BY_TOKEN, (1, 0, None, None, None, None)),
        ([answered(None), answered()], BY_HOUR, (2, 1, 100, 20, 0.01, 5.0)),
        ([answered()], Asking(price=BY_HOUR.price), (1, 1, 100, 20, None, None)),
    ],
)
def test_what_is_known(
    attempts: list[Attempt], asking: Asking | None, expected: tuple[object, ...]
) -> None:
    counter = TokenCounter()
    for attempt in attempts:
        counter.add(attempt)
    assert told(spending(counter.tokens(), asking)) == pytest.approx(expected)


def test_the_rate_of_a_resumed_run_is_that_of_all_its_askings() -> None:
    asking = Asking(price=Price(gpu_hour=3.6)).longer(10.0, 90).longer(30.0, 10)
    assert (asking.seconds, asking.answers) == (40.0, 100)
    assert asking.cost_of(1000) == pytest.approx(0.4)


def test_by_the_token_the_rate_says_nothing() -> None:
    assert BY_TOKEN.longer(10.0, 10).cost_of(10) is None
