"""What a run's answers took in tokens and money, in one sentence or as a row."""

from __future__ import annotations

from harness.records.comparison import Comparison
from harness.records.cost import Asking, Spending
from harness.records.run import Run
from harness.report import numbers
from harness.report.model import CostView


def build_costs(comparison: Comparison) -> tuple[CostView, CostView]:
    """The tokens and cost of both runs."""
    return (
        build_cost("candidate", comparison.candidate),
        build_cost("baseline", comparison.baseline),
    )


def build_cost(role: str, run: Run) -> CostView:
    """A run's tokens and cost as they stand in a table."""
    spent = run.spending
    return CostView(
        role=role,
        answers=numbers.count(spent.answers),
        tokens_in=numbers.count(spent.tokens_in),
        tokens_out=numbers.count(spent.tokens_out),
        cost=numbers.amount(spent.cost),
        per_thousand=numbers.amount(spent.per_thousand),
        unknown=unknown_usage(spent),
    )


def spending_sentence(spent: Spending, asking: Asking | None) -> str:
    """A run's tokens and cost, without a full stop; empty where there is no answer."""
    if not spent.answers:
        return ""
    parts = []
    if spent.counted:
        parts.append(
            f"tokens {numbers.count(spent.tokens_in)} in, {numbers.count(spent.tokens_out)} out"
        )
    if spent.cost is not None:
        each = numbers.amount(spent.per_thousand)
        parts.append(f"cost {numbers.amount(spent.cost)}, {each} per 1,000 answers")
    elif asking is not None and asking.price is not None:
        parts.append("cost unknown")
    return "; ".join(filter(None, (*parts, unknown_usage(spent))))


def unknown_usage(spent: Spending) -> str:
    """How many answers came without their usage; empty where all came with it."""
    lost = spent.answers - spent.counted
    if not lost:
        return ""
    of = numbers.counted(spent.answers, "answer")
    return f"usage of {numbers.count(lost)} of {of} unknown"
