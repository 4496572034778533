"""What the requests of a block say about each kind of time."""

import math

import numpy as np
import pytest

from harness.latency.quantities import failed, good, rates, split, think, values
from harness.records.attempt import Timing
from harness.records.latency import Sample, Slo
from tests.latency.builders import block, lost, sample


def test_a_metric_is_a_kind_and_a_share() -> None:
    assert split("service_ttft_p95") == ("service_ttft", 0.95)
    assert split("e2e_p50") == ("e2e", 0.5)


def test_times_count_from_when_a_request_was_due_except_the_servers_own() -> None:
    late = sample(timing=Timing(sent=0.03, chunks=(0.1, 0.15), done=0.2))
    assert values(block([late]), "ttft").tolist() == [0.1]
    assert values(block([late]), "service_ttft") == pytest.approx([0.07])
    assert values(block([late]), "e2e").tolist() == [0.2]
    assert values(block([late]), "itl") == pytest.approx([0.05])


@pytest.mark.parametrize("kind", ["ttft", "tta", "service_ttft", "e2e", "itl", "tpot"])
def test_a_failure_and_an_empty_answer_take_for_ever(kind: str) -> None:
    empty = Sample(prompt=0, due=0.0, timing=Timing(sent=0.0, done=0.1), tokens=0)
    found = values(block([sample(), lost(), empty]), kind)
    assert np.isinf(found).sum() == 2


def test_an_opening_request_does_not_count() -> None:
    opening = sample(ttft=5.0, uncounted=True)
    assert values(block([opening, sample(ttft=0.1)]), "ttft").tolist() == [0.1]
    assert failed(block([lost().model_copy(update={"uncounted": True}), sample()])).tolist() == [
        0.0
    ]


def test_the_time_per_token_knows_chunks_of_several_tokens() -> None:
    chunks = Timing(sent=0.0, chunks=(0.1, 0.2, 0.3), done=0.3)
    by_chunk = sample(timing=chunks, tokens=9, first_tokens=1)
    assert values(block([by_chunk]), "tpot") == pytest.approx([0.2 / 8])
    unknown = sample(timing=chunks, tokens=9)
    assert values(block([unknown]), "tpot") == pytest.approx([0.2 / 6])
    one_each = sample(timing=chunks, tokens=3)
    assert values(block([one_each]), "tpot") == pytest.approx([0.1])


def test_an_answer_of_one_chunk_has_no_time_per_token() -> None:
    assert values(block([sample(gaps=())]), "tpot").size == 0
    assert values(block([sample(gaps=())]), "itl").size == 0


def test_uncounted_tokens_are_no_zero() -> None:
    with pytest.raises(ValueError, match="counts no tokens"):
        values(block([sample(tokens=None)]), "tpot")
    assert rates([block([sample(tokens=None)])])[1] is None


@pytest.mark.parametrize(
    ("slo", "kept"),
    [
        (Slo(ttft=0.1), [1.0, 0.0, 0.0]),
        (Slo(e2e=0.2), [1.0, 0.0, 0.0]),
        (Slo(ttft=1.0, e2e=1.0), [1.0, 1.0, 0.0]),
    ],
)
def test_a_failure_misses_every_objective(slo: Slo, kept: list[float]) -> None:
    found = good(block([sample(ttft=0.1), sample(ttft=0.3), lost()]), slo)
    assert found.tolist() == kept


def test_rates_are_over_the_time_in_which_requests_counted() -> None:
    first = sample(due=1.0, timing=Timing(sent=0.0, chunks=(0.5, 1.0), done=1.0), tokens=10)
    last = sample(due=2.0, timing=Timing(sent=0.0, chunks=(0.5, 3.0), done=3.0), tokens=30)
    answers, tokens = rates([block([sample(due=0.0, uncounted=True), first, last])])
    assert answers == pytest.approx(2 / 4)
    assert tokens == pytest.approx(40 / 4)
    assert math.isclose(rates([])[0], 0.0)


THINKS = sample(timing=Timing(sent=0.0, chunks=(0.1, 0.3, 0.4), done=0.5, thinks=True, answer=0.3))
NEVER = sample(timing=Timing(sent=0.0, chunks=(0.1, 0.3), done=0.5, thinks=True))


def test_the_answer_comes_after_its_thinking_or_never() -> None:
    made = block([sample(0.2), THINKS, NEVER, lost()])
    assert values(made, "tta").tolist() == [0.2, 0.3, math.inf, math.inf]
    assert values(made, "ttft").tolist() == [0.2, 0.1, 0.1, math.inf]
    assert think([made])
    assert not think([block([sample(), THINKS.model_copy(update={"uncounted": True})])])


def test_an_objective_may_be_on_the_answer() -> None:
    made = block([sample(0.2), THINKS, NEVER])
    assert good(made, Slo(tta=0.25)).tolist() == [1.0, 0.0, 0.0]
    assert good(made, Slo(tta=0.3)).tolist() == [1.0, 1.0, 0.0]
