"""A session without a target, told apart from one in which somebody forgot it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from harness.pytest_plugin.options import CONFIG_NAME, nearest_config

SUITE_NAME = "suite.yaml"
_OUTPUT = "harness_unasked"


class Node(Protocol):
    """What is used of a worker of pytest-xdist."""

    workeroutput: dict[str, Any]


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
    def pytest_testnodedown(self, node: Node) -> None:
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
