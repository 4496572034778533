"""Load the suites of a project, checked by their scorers."""

from __future__ import annotations

from collections.abc import Sequence

from harness.config import Project
from harness.errors import SuiteError, UsageError
from harness.records.suite import Suite
from harness.sections.registry import kinds
from harness.suites.load import load_suite


def load_suites(project: Project, only: Sequence[str] = ()) -> tuple[Suite, ...]:
    """The project's suites in the order of its configuration, or only those named.

    Raises:
        SuiteError: a suite cannot be read, or two share a name.
        UsageError: `only` names a suite that the project does not have.
    """
    suites = tuple(
        load_suite(project.resolve(path, f"suites[{place}]"), kinds())
        for place, path in enumerate(project.config.suites)
    )
    names = [suite.name for suite in suites]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        where = f"{project.file}: suites"
        raise SuiteError(f"two suites are called `{doubled.pop()}`", where=where)
    return chosen(suites, only)


def chosen(suites: tuple[Suite, ...], only: Sequence[str]) -> tuple[Suite, ...]:
    """The suites named in `only`, or all of them where it is empty.

    Raises:
        UsageError: `only` names another.
    """
    names = [suite.name for suite in suites]
    for name in only:
        if name not in names:
            raise UsageError(f"no suite `{name}`", hint=f"there is {', '.join(names)}")
    return tuple(suite for suite in suites if not only or suite.name in only)
