"""What the ledger of collected questions says of the two sides of a gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.config import Project
from harness.data.ledger import check_suites, check_training, read_ledger, rows_of
from harness.leak.training_data import named_data, read_training
from harness.records.suite import Suite


def check_ledger(project: Project, suites: Sequence[Suite], targets: Iterable[str]) -> None:
    """Nothing, where suites and training data keep to the sides that the ledger has given.

    Raises:
        UsageError: a case was given to training, or a row of a target's training data to a suite.
    """
    if read_ledger(project.root) is None:
        return
    check_suites(project.root, suites)
    for target in targets:
        _, examples = read_training(named_data(project, target), project.root)
        check_training(project.root, rows_of(examples))
