"""The metrics of a task are what lm-eval computes for each document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.lm_eval.task_files import Function, TaskFile
from harness.lm_eval.task_metrics import BITS, DEFAULTS, REGISTERED, task_metrics
from harness.records.metric import Metric


def task(**config: Any) -> TaskFile:
    return TaskFile("one", Path("one.yaml"), config, {}, (), "", "")


def test_the_tables_are_lm_evals_own() -> None:
    import lm_eval.api.metrics  # noqa: F401 - it fills the registry
    from lm_eval.api import registry

    assert {kind: tuple(names) for kind, names in registry.DEFAULT_METRIC_REGISTRY.items()} == (
        DEFAULTS
    )
    for name, (how, higher) in REGISTERED.items():
        assert registry.get_metric_aggregation(name) is registry.get_aggregation(how), name
        assert registry.is_higher_better(name) is higher


@pytest.mark.parametrize(
    ("config", "kept", "left_out"),
    [
        ({"output_type": "multiple_choice"}, ["acc", "acc_norm"], []),
        ({"output_type": "loglikelihood"}, ["acc"], ["perplexity"]),
        (
            {"output_type": "loglikelihood_rolling"},
            ["bits_per_byte"], ["word_perplexity", "byte_perplexity"],
        ),
        (
            {"metric_list": [{"metric": "bleu"}, {"metric": "exact_match"}]},
            ["exact_match"], ["bleu"],
        ),
        (
            {"filter_list": [{"name": "strict"}, {"name": "loose"}]},
            ["exact_match@strict", "exact_match@loose"], [],
        ),
        ({"filter_list": [{"name": "strict"}]}, ["exact_match"], []),
    ],
)  # fmt: skip
def test_means_over_documents_are_kept(
    config: dict[str, Any], kept: list[str], left_out: list[str]
) -> None:
    found, others = task_metrics(task(**config))
    assert ([one.metric.name for one in found], others) == (kept, left_out)


def test_direction_and_bounds() -> None:
    own = {"metric": Function("code.points"), "aggregation": "mean", "higher_is_better": False}
    (found,), _ = task_metrics(task(metric_list=[own]))
    assert found.metric == Metric(
        name="points", unit="points", direction="lower", low=None, high=None
    )
    (bits,), _ = task_metrics(task(output_type="loglikelihood_rolling"))
    assert bits.metric == BITS
    assert BITS.lower_is_better
