from __future__ import annotations

import harness.errors as errors
from harness.errors import HarnessError


def _all(kind: type[HarnessError]) -> set[type[HarnessError]]:
    return {kind}.union(*(_all(child) for child in kind.__subclasses__()))


def test_each_branch_owns_an_exit_code_and_the_table_names_every_error() -> None:
    codes = {kind.__name__: kind.exit_code for kind in _all(HarnessError)}
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


def test_an_error_is_one_line_whatever_is_put_into_it() -> None:
    error = HarnessError("two\nlines  and\tspaces", where="file:3", hint="do\nthis")
    assert str(error) == "file:3: two lines and spaces - do this"
