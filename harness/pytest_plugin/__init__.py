"""The pytest plugin: `pytest suites/ --target NAME` puts suites to targets, a case an item.

Only what every pytest session pays for is imported here; the rest is where a target is named.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from harness.pytest_plugin.options import NoTarget, add_options, add_short_names, read_options

__all__ = ["pytest_addoption", "pytest_configure", "pytest_load_initial_conftests"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take pytest's call."""
    add_options(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser
) -> Generator[None]:
    """Take pytest's call: whoever else wants a short name has asked for it by now."""
    if getattr(early_config.known_args_namespace, "harness_order", None) is not None:
        # A gate's child finds modules of the project's folder too, behind all that are installed.
        sys.path.append(str(Path.cwd()))
    yield
    add_short_names(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Take pytest's call: the rest of the plugin is there only where a target is named."""
    options = read_options(config)
    if options is None:
        config.pluginmanager.register(NoTarget(config), "harness-no-target")
        return
    from harness.pytest_plugin.plugin import Plugin

    config.pluginmanager.register(Plugin(config, options), "harness-session")
