"""The command line: its options, and the session in which none of them names a target."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.sections.pytest_child import TestOrder

CONFIG_NAME = "harness.yaml"
_SHORT: dict[str, dict[str, Any]] = {
    "target": {
        "action": "append",
        "dest": "harness_targets",
        "metavar": "NAME",
        "help": "put the suites to this target of harness.yaml; repeatable",
    },
    "baseline": {
        "dest": "harness_baseline",
        "metavar": "NAME",
        "help": "compare with this instead of the policy's baseline: a target or sealed:NAME",
    },
}


@dataclass(frozen=True, slots=True)
class Options:
    """The plugin's options, as given."""

    targets: tuple[str, ...]
    baseline: str | None
    config: Path
    repeats: int | None
    stored: bool
    no_cache: bool
    order: TestOrder | None = None


def add_options(parser: pytest.Parser) -> None:
    """Add the options that no other plugin can have."""
    options: dict[str, dict[str, Any]] = {
        **_SHORT,
        "config": {
            "metavar": "PATH",
            "help": (
                "the project's configuration; by default the harness.yaml nearest above the suites"
            ),
        },
        "repeats": {"type": _count, "metavar": "N", "help": "attempts at each case"},
        "stored": {"action": "store_true", "help": "judge stored answers; ask no server"},
        "no-cache": {"action": "store_true", "help": "ask everything again"},
        # For a gate that has Python tests run.
        "order": {"help": argparse.SUPPRESS},
    }
    group = parser.getgroup("harness", "chatbot suites (harness)")
    for name, settings in options.items():
        group.addoption(f"--harness-{name}", **settings)


def add_short_names(parser: pytest.Parser) -> None:
    """Add `--target` and `--baseline`, unless a plugin or a conftest.py has them already."""
    group = parser.getgroup("harness")
    for name, settings in _SHORT.items():
        with contextlib.suppress(ValueError, argparse.ArgumentError):
            group.addoption(f"--{name}", **settings)


def read_options(config: pytest.Config) -> Options | None:
    """The options as given, None where no target is named.

    Raises:
        pytest.UsageError: options that go with a target are given without one, or there is no
            configuration.
    """
    option = config.option
    targets = tuple(dict.fromkeys(option.harness_targets or ()))
    if not targets:
        given = option.harness_baseline or option.harness_stored or option.harness_no_cache
        if given or option.harness_repeats:
            raise pytest.UsageError("harness: the options of harness go with --target NAME")
        return None
    if option.harness_stored and option.harness_no_cache:
        raise pytest.UsageError("harness: --harness-stored and --harness-no-cache exclude another")
    from harness.sections.pytest_child import TestOrder  # no session without a target pays for it

    order = option.harness_order
    return Options(
        targets=targets,
        baseline=option.harness_baseline,
        config=_configuration(config),
        repeats=option.harness_repeats,
        stored=option.harness_stored,
        no_cache=option.harness_no_cache,
        order=None if order is None else TestOrder.model_validate_json(order),
    )


def nearest_config(config: pytest.Config) -> Path | None:
    """The configuration nearest above the first argument that exists, else above where we are."""
    here = config.invocation_params.dir
    paths = [here / argument.partition("::")[0] for argument in config.args]
    for start in (*(path for path in paths if _exists(path)), here, config.rootpath):
        for folder in (start, *start.parents):
            if (folder / CONFIG_NAME).is_file():
                return folder / CONFIG_NAME
    return None


def _configuration(config: pytest.Config) -> Path:
    given: str | None = config.option.harness_config
    if given is not None:
        return config.invocation_params.dir / given
    found = nearest_config(config)
    if found is None:
        raise pytest.UsageError(
            f"harness: no {CONFIG_NAME} in or above {' '.join(config.args)} - "
            "--harness-config names one"
        )
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("must be a whole number, 1 or more")
    return int(text)


SUITE_NAME = "suite.yaml"
_OUTPUT = "harness_suites"


class NoTarget:
    """Collects nothing; says what is missing where nothing else was collected either."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._suites: list[str] = []
        self._others = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse a suite that is named outright: pytest itself would say that it is not there."""
        for argument in self._config.args:
            path = self._config.invocation_params.dir / argument.partition("::")[0]
            if path.name == SUITE_NAME or _is_of_a_suite(path):
                raise self._refusal([argument])

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Ignore the Python tests of suites: without a target they have nobody to ask."""
        return True if _is_of_a_suite(collection_path) else None

    def pytest_collect_file(self, file_path: Path) -> None:
        """Take note of a suite."""
        if file_path.name == SUITE_NAME:
            here = self._config.rootpath
            inside = file_path.is_relative_to(here)
            self._suites.append(str(file_path.relative_to(here) if inside else file_path))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take note of whether there is anything else, selected or not."""
        self._others = bool(items)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Refuse suites without a target, where the session would be empty without them."""
        if self._others or session.testsfailed or not self._suites:
            return
        output = getattr(self._config, "workeroutput", None)
        if output is None:
            raise self._refusal(self._suites)
        output[_OUTPUT] = self._suites

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Refuse what a worker of pytest-xdist found."""
        if suites := getattr(node, "workeroutput", {}).get(_OUTPUT):
            raise self._refusal(suites)

    def _refusal(self, suites: Sequence[str]) -> pytest.UsageError:
        """The error that also names the targets, as far as the configuration can be read."""
        from harness.config import load_project
        from harness.errors import HarnessError

        path = nearest_config(self._config)
        try:
            known = (
                f" and a {CONFIG_NAME}"
                if path is None
                else f"; {CONFIG_NAME} has {', '.join(load_project(path).config.targets)}"
            )
        except HarnessError as error:
            known = f"; {error.line}"
        return pytest.UsageError(f"harness: {' and '.join(suites)} needs --target NAME{known}")


def _is_of_a_suite(path: Path) -> bool:
    """Whether the suite in a file's folder names it as a section's tests."""
    if not (path.name.startswith("test_") and path.suffix == ".py"):
        return False
    suite = path.parent / SUITE_NAME
    if not suite.is_file():
        return False
    import yaml

    try:
        written = yaml.safe_load(suite.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return False
    sections = written.get("sections") if isinstance(written, dict) else None
    each = sections.values() if isinstance(sections, dict) else ()
    return any(isinstance(section, dict) and section.get("tests") == path.name for section in each)
