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
_TARGET: dict[str, Any] = {
    "action": "append",
    "dest": "harness_targets",
    "default": None,
    "metavar": "NAME",
    "help": "put the suites to this target of harness.yaml; repeatable",
}
_BASELINE: dict[str, Any] = {
    "dest": "harness_baseline",
    "default": None,
    "metavar": "NAME",
    "help": "compare with this instead of the policy's baseline: a target or sealed:NAME",
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
    group = parser.getgroup("harness", "chatbot suites (harness)")
    group.addoption("--harness-target", **_TARGET)
    group.addoption("--harness-baseline", **_BASELINE)
    group.addoption(
        "--harness-config",
        dest="harness_config",
        default=None,
        metavar="PATH",
        help="the project's configuration; by default the harness.yaml nearest above the suites",
    )
    group.addoption(
        "--harness-repeats",
        dest="harness_repeats",
        type=_count,
        default=None,
        metavar="N",
        help="attempts at each case",
    )
    group.addoption(
        "--harness-stored",
        dest="harness_stored",
        action="store_true",
        default=False,
        help="judge stored answers; ask no server",
    )
    group.addoption(
        "--harness-no-cache",
        dest="harness_no_cache",
        action="store_true",
        default=False,
        help="ask everything again",
    )
    group.addoption(
        "--harness-order",
        dest="harness_order",
        default=None,
        help=argparse.SUPPRESS,  # for a gate that has Python tests run
    )


def add_short_names(parser: pytest.Parser) -> None:
    """Add `--target` and `--baseline`, unless a plugin or a conftest.py has them already."""
    group = parser.getgroup("harness")
    for name, settings in (("--target", _TARGET), ("--baseline", _BASELINE)):
        with contextlib.suppress(ValueError, argparse.ArgumentError):
            group.addoption(name, **settings)


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
    return Options(
        targets=targets,
        baseline=option.harness_baseline,
        config=_configuration(config),
        repeats=option.harness_repeats,
        stored=option.harness_stored,
        no_cache=option.harness_no_cache,
        order=_order(option.harness_order),
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


def _order(given: str | None) -> TestOrder | None:
    from harness.sections.pytest_child import TestOrder  # no session without a target pays for it

    return None if given is None else TestOrder.model_validate_json(given)


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
_OUTPUT = "harness_unasked"


class NoTarget:
    """Collects nothing; says what is missing where nothing else was collected either."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seen: list[str] = []
        self._others = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Refuse a suite that is named outright: pytest itself would say that it is not there."""
        for argument in self._config.args:
            path = self._config.invocation_params.dir / argument.partition("::")[0]
            if path.name == SUITE_NAME or _is_of_a_suite(path):
                raise self._refusal([argument])

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave the Python tests of a suite alone: without a target they have nobody to talk to."""
        return True if _is_of_a_suite(collection_path) else None

    def pytest_collect_file(self, file_path: Path) -> None:
        """Take note of a suite."""
        if file_path.name == SUITE_NAME:
            here = self._config.rootpath
            inside = file_path.is_relative_to(here)
            self._seen.append(str(file_path.relative_to(here) if inside else file_path))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take note of whether there is anything else, selected or not."""
        self._others = bool(items)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Refuse suites without a target, where the session would be empty without them."""
        output = getattr(self._config, "workeroutput", None)
        if self._others or session.testsfailed or not self._seen:
            return
        if output is not None:
            output[_OUTPUT] = self._seen
        else:
            raise self._refusal(self._seen)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Hear what a worker has seen."""
        seen = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if seen:
            raise self._refusal(seen)

    def _refusal(self, suites: Sequence[str]) -> pytest.UsageError:
        return pytest.UsageError(
            f"harness: {' and '.join(suites)} needs --target NAME{self._targets()}"
        )

    def _targets(self) -> str:
        """Which targets there are, as far as the configuration can be read."""
        from harness.config import load_project
        from harness.errors import HarnessError

        path = nearest_config(self._config)
        if path is None:
            return f" and a {CONFIG_NAME}"
        try:
            names = ", ".join(load_project(path).config.targets)
        except HarnessError as error:
            return f"; {error.line}"
        return f"; {CONFIG_NAME} has {names}"


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
