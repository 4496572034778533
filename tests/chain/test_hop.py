"""One hop: what is allowed, what decides, and what is left open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.chain.hop import MetricResult, Outcome, allowance, compare_probes, judge
from tests.chain.links import answers, link

MERGED = link("merged", precision="float32")
ADAPTER = link("adapter", is_adapter=True, precision="float32")
METRIC = MetricResult("m", "same", 0.9, 0.9, 0.0, -0.01, 0.01, 0.05)


@pytest.mark.parametrize(
    ("adapter", "precisions", "effect", "allowed"),
    [
        (False, ("float32", "float32"), 0.0, 0.1),
        (False, ("float32", "int8"), 0.0, 0.5),
        (False, (None, None), 0.0, 0.5),
        (True, ("float32", "float32"), 4.0, 0.1),
        (True, ("bfloat16", "bfloat16"), 1.2, 0.3),
        (True, ("bfloat16", "bfloat16"), 0.2, 0.1),
        (True, (None, "int8"), 1.2, 0.3),
        (True, (None, None), 9.0, 0.5),
        (True, ("bfloat16", "int8"), 1.2, 0.5),
    ],
)
def test_what_is_allowed(
    adapter: bool, precisions: tuple[str | None, str | None], effect: float, allowed: float
) -> None:
    one = replace(ADAPTER if adapter else MERGED, precision=precisions[0])
    two = replace(MERGED, precision=precisions[1])
    assert allowance(one, two, 0.5, 1e-6, effect) == pytest.approx(allowed)


def test_noise_of_the_two_rounds_widens_what_rounding_may_do() -> None:
    noisy = link("noisy", again=answers(-0.15), precision="float32")
    assert compare_probes(noisy, MERGED, 0.5).allowed == pytest.approx(0.2)


@pytest.mark.parametrize(("others", "outcome"), [(2, "same"), (3, "different")])
def test_more_than_a_quarter_of_the_probes_decides(others: int, outcome: Outcome) -> None:
    after = link("after", (*answers(-0.9)[:others], *answers()[others:]), precision="float32")
    assert compare_probes(MERGED, after, 0.5).outcome == outcome


@pytest.mark.parametrize(("others", "outcome"), [(0, "same"), (4, "cannot tell"), (5, "different")])
def test_texts_decide_without_log_probabilities(others: int, outcome: Outcome) -> None:
    after = link("after", (*answers(text="no")[:others], *answers()[others:]), has_logprobs=False)
    assert compare_probes(MERGED, after, 0.5).outcome == outcome


def test_a_metric_that_is_worse_breaks_a_hop_whose_probes_agree() -> None:
    hop = judge(MERGED, replace(MERGED, target="b"), None, (replace(METRIC, outcome="different"),))
    assert (hop.outcome, hop.cause, hop.probes.outcome) == ("different", "other weights", "same")


def test_metrics_that_cannot_tell_leave_it_open_where_the_probes_do() -> None:
    unsure = (replace(METRIC, outcome="cannot tell"),)
    other = replace(MERGED, target="b", precision="int8")
    assert judge(MERGED, other, None, unsure).outcome == "same"
    some = link("b", (*answers(-0.9)[:1], *answers()[1:]), precision="int8")
    assert judge(MERGED, some, None, unsure).outcome == "cannot tell"
    assert judge(MERGED, some, None, (METRIC,)).outcome == "same"


def test_a_hop_from_a_link_without_answers_cannot_be_told() -> None:
    refusing = link("b", (), refused="HTTP 400: no system role")
    hop = judge(MERGED, refusing, None, ())
    assert (hop.outcome, hop.cause) == ("different", "template")
    assert judge(refusing, replace(MERGED, target="c"), None, ()).outcome == "cannot tell"


def test_notes_say_what_differs_and_need_not_matter() -> None:
    after = link("after", precision="int8", context=64, has_logprobs=False, counts={})
    hop = judge(replace(MERGED, seen=replace(MERGED.seen, context=128)), after, None, ())
    assert hop.notes == (
        "precision float32 → int8",
        "context 128 → 64 tokens",
        "`after` gives no log-probabilities: texts are compared",
        "`after` counts no tokens: template and tokenizer show in answers alone",
    )
    assert hop.as_json()["cause"] is None
