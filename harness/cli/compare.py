"""`harness compare`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from harness.bench.evidence import open_bench
from harness.cli.options import config_option, json_option, open_project, suite_option, whole
from harness.cli.table import table
from harness.records.comparison import Comparison, PairedMetric
from harness.report import numbers
from harness.stages.difference import difference
from harness.stages.regressions import losses
from harness.stages.rescore import rescore


@click.command("compare")
@click.argument("candidate")
@click.argument("baseline", required=False)
@config_option
@suite_option
@json_option
def command(
    candidate: str,
    baseline: str | None,
    config: Path,
    suite_names: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show each metric of CANDIDATE beside BASELINE's, with the paired difference.

    The p-value is for being worse than BASELINE, Holm-corrected for the number of metrics.
    Works on stored answers; no verdict is given. BASELINE defaults to the policy's.
    """
    bench = open_bench(open_project(config), [candidate], baseline, suite_names)
    targets = (*bench.live_baseline, candidate)
    runs = rescore(bench.project, targets, bench.suites, whole(suite_names))
    comparison = bench.trusted(bench.compare(candidate, runs))
    rows = _rows(comparison, bench.policy.alpha)
    changes = _changes(comparison)
    if as_json:
        click.echo(json.dumps({"metrics": rows, "changes": changes}, indent=2))
        return
    head = ("metric", candidate, bench.policy.baseline, "difference", "p of a loss, corrected")
    for line in table([head, *(_cells(name, row) for name, row in rows.items())], left=1):
        click.echo(line)
    for section, counts in changes.items():
        click.echo(f"{section}: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()))


def _rows(comparison: Comparison, alpha: float) -> dict[str, dict[str, Any]]:
    rows = {name: _row(metric, alpha) for name, metric in comparison.metrics.items()}
    for tested in losses(comparison, alpha):
        rows[tested.metric]["p_of_loss"] = tested.p_value
    return rows


def _row(metric: PairedMetric, alpha: float) -> dict[str, Any]:
    values = {"candidate": metric.candidate_value, "baseline": metric.baseline_value}
    try:
        interval = difference(metric, alpha)
    except ValueError as error:
        return {**values, "reason": str(error)}
    return {
        **values,
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "groups": interval.groups,
    }


def _cells(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    values = _value(row["candidate"]), _value(row["baseline"])
    if "reason" in row:
        return name, *values, f"not computed: {row['reason']}", "–"
    bounds = f"{row['estimate']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"
    return name, *values, bounds, numbers.p_value(row["p_of_loss"])


def _value(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _changes(comparison: Comparison) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for case in comparison.cases:
        found.setdefault(f"{case.suite}.{case.section}", Counter())[
            case.change.replace("_", " ")
        ] += 1
    return {section: dict(count) for section, count in found.items()}
