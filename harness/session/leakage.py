"""What the two sides of a comparison have learnt of the suites, by their training data."""

from __future__ import annotations

from collections.abc import Sequence

from harness.config import Project
from harness.errors import HarnessError
from harness.leak.check import compare_with
from harness.leak.training_data import NamedData, named_data
from harness.records.comparison import ComparisonRecord
from harness.records.leakage import Leakage
from harness.records.run import RunHeader
from harness.records.suite import Suite
from harness.targets.identity import is_still


def known_leaks(
    project: Project, suites: Sequence[Suite], comparison: ComparisonRecord, *, sealed: bool
) -> Leakage | None:
    """The cases that stand in the training data of either side; None where none is known of both.

    The data of a baseline that is `sealed` is that of the target it was sealed from, as long as it
    is the same one.

    Raises:
        UsageError: a path to training data that the configuration may not name.
    """
    ours, theirs = comparison.candidate.header, comparison.baseline.header
    known = not sealed or _is_here(project, theirs)
    named = [
        named_data(project, ours.target),
        named_data(project, theirs.target) if known else NamedData(theirs.target),
    ]
    if not any(one.known or one.problems for one in named):
        return None
    return compare_with(project, suites, named)


def _is_here(project: Project, sealed: RunHeader) -> bool:
    """Whether the target that was sealed is still configured, and still the same one."""
    try:
        return sealed.target in project.config.targets and is_still(
            project, sealed.target, sealed.identity
        )
    except HarnessError:  # its files are gone: nobody knows any more
        return False


def training_digests(leakage: Leakage | None) -> dict[str, str]:
    """The digest of each training file that a verdict rests on, by what it is called."""
    if leakage is None:
        return {}
    return {
        f"training file `{name}` of `{data.target}`": digest or "missing"
        for data in leakage.training
        for name, digest in data.files.items()
    }
