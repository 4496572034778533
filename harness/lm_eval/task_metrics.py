"""The metrics of an lm-eval task: which of them every document has a value of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.lm_eval.task_files import Function, TaskFile
from harness.records.metric import Metric

# What lm-eval computes where a task names no metric (lm_eval.api.registry).
DEFAULTS = {
    "loglikelihood": ("perplexity", "acc"),
    "loglikelihood_rolling": ("word_perplexity", "byte_perplexity", "bits_per_byte"),
    "multiple_choice": ("acc", "acc_norm"),
    "generate_until": ("exact_match",),
}
# Of its own metrics, how the documents' values become one and whether more is better
# (lm_eval.api.metrics). Those that it calls means but computes from tuples are not here.
REGISTERED = {
    "acc": ("mean", True),
    "acc_norm": ("mean", True),
    "acc_bytes": ("mean", True),
    "acc_mutual_info": ("mean", True),
    "exact_match": ("mean", True),
    "bits_per_byte": ("bits_per_byte", False),
}
_SHARES = frozenset({name for name, (how, _) in REGISTERED.items() if how == "mean"} | {"em", "f1"})
_NOT_MEANS = frozenset({"likelihood", "acc_all", "bypass"})
BITS = Metric(name="bits_per_byte", unit="bits per byte", direction="lower", high=None)
NO_FILTER = "none"


@dataclass(frozen=True, slots=True)
class TaskMetric:
    """A metric of a section, and where lm-eval has it: under its name and that of a filter."""

    metric: Metric
    name: str
    filter: str


def task_metrics(task: TaskFile) -> tuple[list[TaskMetric], list[str]]:
    """The metrics that each document of the task has a value of, and the names of the others.

    A mean over documents is one, and so is bits per byte, a ratio of sums. With several filters
    the names are `<metric>@<filter>`.
    """
    filters = [str(one["name"]) for one in task.config.get("filter_list") or ()] or [NO_FILTER]
    kept, left_out = [], []
    for written in _written(task):
        name = str(written["metric"])
        if isinstance(written["metric"], Function):
            name = name.rpartition(".")[2]
        how, higher = REGISTERED.get(name, ("", True))
        how = str(written.get("aggregation") or how)
        higher = bool(written.get("higher_is_better", higher))
        if name in _NOT_MEANS or how not in ("mean", "bits_per_byte"):
            left_out.append(name)
            continue
        for each in filters:
            called = f"{name}@{each}" if len(filters) > 1 else name
            metric = _metric(called, name, how, higher)
            kept.append(TaskMetric(metric, name, each))
    return kept, left_out


def _written(task: TaskFile) -> Sequence[Mapping[str, Any]]:
    given: Sequence[Mapping[str, Any]] = task.config.get("metric_list") or ()
    return given or [{"metric": name} for name in DEFAULTS.get(task.output_type, ())]


def _metric(called: str, name: str, how: str, higher: bool) -> Metric:
    if how == "bits_per_byte":
        return BITS.model_copy(update={"name": called})
    direction = "higher" if higher else "lower"
    if name in _SHARES:
        return Metric(name=called, direction=direction)
    # lm-eval knows no bounds: a section may give them.
    return Metric(name=called, unit=name, direction=direction, low=None, high=None)
