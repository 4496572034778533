from __future__ import annotations

import ast
from pathlib import Path

import harness.errors as errors
from harness.errors import HarnessError

_PACKAGE = Path(errors.__file__).parent


def test_each_branch_owns_an_exit_code_and_the_table_names_every_error() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.__name__: kind.exit_code for kind in kinds if issubclass(kind, HarnessError)}
    assert codes == {
        "HarnessError": 3,
        "UsageError": 2,
        "ConfigError": 2,
        "SuiteError": 2,
        "RecipeError": 2,
        "PromotionRefused": 2,
        "InfrastructureError": 3,
        "ServerError": 3,
        "BudgetSpent": 3,
        "TrainingError": 3,
        "StorageError": 3,
        "EvidenceError": 3,
        "JournalError": 3,
        "AdapterNotApplied": 3,
    }
    for name in codes:
        assert name in (errors.__doc__ or "")


def test_an_error_of_one_room_keeps_the_exit_code_of_its_branch() -> None:
    files = set(_PACKAGE.rglob("*.py")) - {Path(errors.__file__)}
    kinds = [
        kind
        for file in files
        for kind in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(kind, ast.ClassDef)
        and any("Error" in ast.unparse(base) for base in kind.bases)
    ]
    assert "Unreachable" in {kind.name for kind in kinds}
    owned = [ast.unparse(line) for kind in kinds for line in kind.body]
    assert not [line for line in owned if line.startswith("exit_code")]


def test_an_error_is_one_line_whatever_is_put_into_it() -> None:
    error = HarnessError("two\nlines  and\tspaces", where="file:3", hint="do\nthis")
    assert str(error) == "file:3: two lines and spaces - do this"
