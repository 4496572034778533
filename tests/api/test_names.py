"""The names that `import harness` gives, their shapes and their types; change them knowingly."""

from __future__ import annotations

import inspect
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
    "Comparison": "alpha baseline candidate caps frame metrics problems record",
    "GateResult": "comparison exit_code problems reason record report rules verdict",
}


def test_the_names_are_pinned() -> None:
    assert sorted(harness.__all__) == NAMES.split()
    assert set(NAMES.split()) <= set(dir(harness))
    assert all(getattr(harness, name) is not None for name in harness.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        harness.nothing  # noqa: B018 - asking for it is the test


def test_gate_stays_the_function_whatever_was_imported_before() -> None:
    code = "import harness; harness.compare; import harness.gate.judge; print(harness.gate)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.startswith("<function gate at ")


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
        "heavy = {'pandas', 'jinja2', 'torch', 'transformers', 'ray'}\n"
        "print(sorted(light), sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[] []", done.stderr


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(harness.__file__).parent / "py.typed").exists()


def test_the_gate_is_the_function_also_where_its_package_was_imported_first() -> None:
    code = "import harness.gate.judge, harness; print(harness.gate.__module__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "harness.api.gate"
