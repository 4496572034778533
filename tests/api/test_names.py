"""The names that `import harness` gives, their shapes and their types; change them knowingly."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import harness

ROOT = Path(__file__).parent.parent.parent

NAMES = (
    "Comparison EvidenceError GateResult HarnessError InfrastructureError Run UsageError "
    "__version__ compare gate load_run"
)
FUNCTIONS = {
    "load_run": "(path: str | os.PathLike[str]) -> Run",
    "compare": (
        "(candidate: Run | str | os.PathLike[str], baseline: Run | str | os.PathLike[str], *, "
        "config: str | os.PathLike[str] | None = None, alpha: float | None = None) -> Comparison"
    ),
    "gate": (
        "(candidate: str, *, config: str | os.PathLike[str] = 'harness.yaml', "
        "baseline: str | None = None, suites: Sequence[str] = (), stored: bool = False, "
        "repeats: int | None = None, concurrency: int | None = None, no_cache: bool = False, "
        "progress: bool = True) -> GateResult"
    ),
}
MEMBERS = {
    "Run": "frame metrics path record run_id summary target terms",
    "Comparison": "alpha baseline candidate frame metrics problems record",
    "GateResult": "comparison exit_code problems reason record report rules verdict",
}
USER = """
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
"""
WRONG = """
import harness

harness.gate("good", store=True)
harness.gate("good").verdict == "PASS"
harness.load_run(3)
harness.nothing
"""


def test_the_names_are_pinned() -> None:
    assert sorted(harness.__all__) == NAMES.split()
    assert set(NAMES.split()) <= set(dir(harness))
    assert all(getattr(harness, name) is not None for name in harness.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        harness.nothing  # noqa: B018 - asking for it is the test


def test_the_signatures_are_pinned() -> None:
    assert {
        name: str(inspect.signature(getattr(harness, name))).replace("'", "") for name in FUNCTIONS
    } == {name: shape.replace("'", "") for name, shape in FUNCTIONS.items()}


def test_the_members_are_pinned() -> None:
    for name, members in MEMBERS.items():
        kind = getattr(harness, name)
        own = {each for each in vars(kind) if not each.startswith("_")}
        assert sorted(own | {field.name for field in fields(kind)}) == members.split()


def test_an_import_brings_nothing_heavy_and_reading_no_pandas() -> None:
    program = (
        "import sys, harness\n"
        "light = {'pydantic', 'numpy', 'pandas', 'click', 'harness.api'} & set(sys.modules)\n"
        "harness.load_run, harness.compare, harness.gate, harness.HarnessError\n"
        "heavy = {'pandas', 'jinja2', 'torch', 'transformers', 'matplotlib', 'ray'}\n"
        "print(sorted(light), sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[] []", done.stderr


def test_a_users_file_passes_and_fails_strict_types(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    (tmp_path / "wrong.py").write_text(WRONG)
    line = [
        sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary",
        "--config-file=", f"--cache-dir={ROOT / '.mypy_cache' / 'user'}", "user.py", "wrong.py",
    ]  # fmt: skip
    done = subprocess.run(
        line,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    places = [line.split(": ")[0] for line in done.stdout.splitlines() if ": error: " in line]
    assert places == [f"wrong.py:{number}" for number in (4, 5, 6, 7)], done.stdout + done.stderr


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(harness.__file__).parent / "py.typed").exists()
