"""Where scorers are found: the entry-point group `harness.scorers`, or a call to `register`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from harness.errors import UsageError
from harness.files import digest_json, file_digest
from harness.records.suite import Case
from harness.scorers.protocol import Scorer, Settings
from harness.version import __version__

ENTRY_POINT_GROUP = "harness.scorers"


class Registry:
    """Scorers by name, each loaded when it is first asked for.

    Without `declared`, these are the entry points of every installed distribution; an entry point
    names a class or function that gives a `Scorer` when called without arguments.
    The three methods that a suite's loader needs (`metrics`, `check_section`, `check_case`) make
    a registry a `ScorerBook` of `harness.suites`.
    """

    def __init__(self, declared: Iterable[EntryPoint] | None = None) -> None:
        self._declared: dict[str, EntryPoint] = {}
        self._loaded: dict[str, Scorer] = {}
        for point in entry_points(group=ENTRY_POINT_GROUP) if declared is None else declared:
            rival = self._declared.get(point.name)
            if rival is not None and rival.value != point.value:
                raise ValueError(
                    f"scorer `{point.name}` is declared twice: {rival.value} and {point.value}"
                )
            self._declared[point.name] = point

    def register(self, scorer: Scorer) -> None:
        """Make a scorer known under its own name.

        Raises:
            ValueError: the name is taken by another scorer.
        """
        if self._loaded.get(scorer.name) is scorer:
            return
        if scorer.name in self.names():
            raise ValueError(f"scorer `{scorer.name}` is already registered")
        self._loaded[scorer.name] = scorer

    def names(self) -> tuple[str, ...]:
        """Every known name, sorted; nothing is loaded for it."""
        return tuple(sorted(self._declared.keys() | self._loaded.keys()))

    def get(self, name: str) -> Scorer:
        """The scorer of that name.

        Raises:
            ValueError: there is none, or its module cannot be loaded.
        """
        if name in self._loaded:
            return self._loaded[name]
        point = self._declared.get(name)
        if point is None:
            known = ", ".join(f"`{known}`" for known in self.names()) or "none"
            raise ValueError(f"no scorer `{name}`; there is {known}")
        try:
            scorer: Scorer = point.load()()
            called = scorer.name
        except (Exception, SystemExit) as error:  # a plugin's module may raise anything
            raise ValueError(
                f"scorer `{name}` cannot be loaded from {point.value}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if called != name:
            raise ValueError(f"scorer `{name}` calls itself `{called}` ({point.value})")
        self._loaded[name] = scorer
        return scorer

    def metrics(self, scorer: str) -> tuple[str, ...]:
        """The metrics of the named scorer.

        Raises:
            ValueError: there is no such scorer.
        """
        return self.get(scorer).metrics

    def check_section(self, scorer: str, settings: Settings) -> None:
        """Nothing, where the named scorer accepts a section's settings.

        Raises:
            ValueError: `key: what is wrong`.
        """
        self.get(scorer).check_section(settings)

    def check_case(self, scorer: str, settings: Settings, case: Case) -> None:
        """Nothing, where the named scorer can read a case's expectation.

        Raises:
            ValueError: `key: what is wrong`.
        """
        self.get(scorer).check_case(case, settings)


@cache
def book() -> Registry:
    """The process's registry, holding every scorer that an installed distribution declares.

    Raises:
        UsageError: two of them declare one name.
    """
    try:
        return Registry()
    except ValueError as error:
        raise UsageError(str(error), hint="uninstall one of the two packages") from None


def register(scorer: Scorer) -> None:
    """Make a scorer known to this process.

    Raises:
        ValueError: the name is taken.
    """
    book().register(scorer)


def get(name: str) -> Scorer:
    """The scorer of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    return book().get(name)


def names() -> tuple[str, ...]:
    """Every known scorer's name, sorted."""
    return book().names()


def fingerprint(scorers: Iterable[str]) -> str | None:
    """A digest that changes with the code of the named scorers, or None where nothing can tell.

    Only the built-in ones are known well enough: any other may depend on whatever it imports.
    """
    home = Path(__file__).parent
    if any(type(get(name)).__module__.rpartition(".")[0] != __package__ for name in scorers):
        return None
    files = sorted(home.glob("*.py"))
    return digest_json([__version__, [[file.name, file_digest(file)] for file in files]])
