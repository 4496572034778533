"""The registry of scorers: the entry-point group `harness.scorers`, or a call to `register`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.files import digest_json, file_digest
from harness.plugins import PluginRegistry
from harness.records.metric import Metric
from harness.records.suite import Case
from harness.scorers.protocol import Scorer, Settings
from harness.validation import KeyProblem, problem
from harness.version import __version__

ENTRY_POINT_GROUP = "harness.scorers"


class Registry(PluginRegistry[Scorer]):
    """Scorers by name: the entry points of every installed distribution, or those `declared`.

    A suite's loader needs its `metrics`, `check_section` and `check_case`.
    """

    def __init__(self, declared: Iterable[EntryPoint] | None = None) -> None:
        super().__init__("scorer", ENTRY_POINT_GROUP, declared)

    def metrics(self, scorer: str, settings: Settings | None = None) -> Sequence[str | Metric]:
        """The metrics of the named scorer; with settings, those of a section that has them.

        Raises:
            ValueError: there is no such scorer.
        """
        found = self.get(scorer)
        of_section = getattr(found, "section_metrics", None)
        if of_section is None or settings is None:
            return found.metrics
        metrics: Sequence[str | Metric] = of_section(settings)
        return metrics

    def check_section(self, scorer: str, settings: Settings) -> None:
        """Nothing, where the named scorer accepts a section's settings.

        Raises:
            ValueError: `key: what is wrong`.
        """
        found = self.get(scorer)
        _check_by_model(getattr(found, "settings_model", None), settings)
        check = getattr(found, "check_section", None)
        if check is not None:
            check(settings)

    def check_case(self, scorer: str, settings: Settings, case: Case) -> None:
        """Nothing, where the named scorer can read a case's expectation.

        Raises:
            ValueError: `key: what is wrong`.
        """
        found = self.get(scorer)
        _check_by_model(getattr(found, "expect_model", None), case.expect)
        check = getattr(found, "check_case", None)
        if check is not None:
            check(case, settings)

    def settings_model(self, scorer: str) -> type[BaseModel] | None:
        """The model of the settings of the named scorer, None where it has none.

        Raises:
            ValueError: there is no such scorer.
        """
        model: type[BaseModel] | None = getattr(self.get(scorer), "settings_model", None)
        return model


def _check_by_model(model: type[BaseModel] | None, written: Mapping[str, Any]) -> None:
    if model is None:
        return
    try:
        model.model_validate(written)
    except ValidationError as error:
        wrong = problem(error, model)
        raise KeyProblem(wrong.what, *wrong.keys) from None


@cache
def book() -> Registry:
    """The process's registry, holding every scorer that an installed distribution declares.

    Raises:
        UsageError: two of them declare one name.
    """
    return Registry()


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
    """A digest that changes with the code of the named scorers, or None where it is unknown.

    Only the built-in ones are known well enough: any other may depend on whatever it imports.
    """
    home = Path(__file__).parent
    classes = [part for name in scorers for part in _classes(get(name))]
    if any(not part.__module__.startswith(f"{__package__}.") for part in classes):
        return None
    files = sorted(file for file in home.rglob("*.*") if file.suffix != ".pyc")
    return digest_json([__version__, [[file.name, file_digest(file)] for file in files]])


def _classes(scorer: Scorer) -> Iterable[type]:
    plugins = getattr(scorer, "plugins", tuple)
    return (type(scorer), *plugins())
