"""A user's own file: `mypy` reads it with the package, and must be content with each line.

What is wrong on purpose is marked as such; strict types complain of a mark that nothing needs.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import harness


def scored(path: Path) -> pd.DataFrame:
    run: harness.Run = harness.load_run(path)
    frame = run.frame()
    return frame[frame["status"] == "scored"]


def estimate(a: harness.Run, b: str) -> float:
    found: harness.Comparison = harness.compare(a, b, alpha=0.01)
    return float(found.metrics()["estimate"].max())


def allowed(name: str) -> bool:
    try:
        result: harness.GateResult = harness.gate(name, stored=True, suites=["shop"])
    except harness.HarnessError as error:
        code: int = error.exit_code
        print(code, error.what)
        return False
    report: Path = result.report
    print(report, result.rules()["reason"])
    return result.verdict == "PROMOTE"


def mistaken(result: harness.GateResult) -> bool:
    harness.gate("good", store=True)  # type: ignore[call-arg]  # there is no such option
    harness.load_run(3)  # type: ignore[arg-type]  # neither a path nor a text
    harness.nothing  # type: ignore[attr-defined]  # noqa: B018  # there is no such name
    return result.verdict == "PASS"  # type: ignore[comparison-overlap]  # there is no such verdict
