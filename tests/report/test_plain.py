from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.gate.compare import compare
from harness.records.comparison import ComparisonRecord
from harness.records.verdict import RuleResult
from harness.report.plain import plain_sentence
from tests.builders import make_run, shop
from tests.gate.rules.making import rule


@pytest.fixture
def found(tmp_path: Path) -> ComparisonRecord:
    project, suites = shop(tmp_path)
    return compare(*(make_run(project, suites, name) for name in ("candidate", "base")), suites)


def said(found: ComparisonRecord, metric: str, require: str, **keys: float) -> str:
    result = rule(require, metric=metric, **keys).judge(found, 0.05)
    return plain_sentence(result, found, found.titles)


def test_a_share_of_cases_is_told_as_a_count(found: ComparisonRecord) -> None:
    gold, scope = "shop.gold.accuracy", "shop.scope.answer_rate"
    right = "Answers 40 of 40 questions right"
    assert said(found, gold, "at_least", value=0.9).startswith(f"{right}; needs 36")
    assert said(found, gold, "better_than_baseline") == (
        f"{right} (the baseline 10); needs more than that."
    )
    assert said(found, gold, "better_than_baseline", by=0.3).endswith("needs 22.")
    assert said(found, gold, "no_worse_than_baseline", margin=0.05).endswith("needs 8.")
    assert said(found, scope, "at_least", value=0.5) == (
        "Answers 20 of 20 questions that it should answer; needs 10."
    )


def test_what_is_open_is_told_as_open(found: ComparisonRecord) -> None:
    assert said(found, "shop.scope.f1", "at_least", value=0.99) == (
        "Refuses 20 of 20 questions that it should refuse, and 0 of 20 that it should answer: "
        "together 100%; needs 99.0%, and these cases are too few to be sure."
    )


def test_a_suites_own_words_come_first(found: ComparisonRecord) -> None:
    titled = replace(found, titles={"shop.gold.accuracy": "Facts about orders"})
    result = rule("at_least", metric="shop.gold.accuracy", value=0.5).judge(titled, 0.05)
    assert (
        plain_sentence(result, titled, titled.titles) == "Facts about orders: 40 of 40; needs 20."
    )


def test_times_are_told_without_percentiles() -> None:
    slow = RuleResult(
        metric="latency.ttft_p50", require="ratio_at_most", outcome="fail", reason="",
        estimate=4.9, limit=1.1, candidate=0.21, baseline=0.043,
    )  # fmt: skip
    told = plain_sentence(slow, None, {})  # type: ignore[arg-type]
    assert told.startswith(
        "First word after 210 ms for half of the requests (the baseline 43.0 ms)"
    )
    assert "needs at most" in told
    assert plain_sentence(slow.model_copy(update={"estimate": None}), None, {}) == ""  # type: ignore[arg-type]
