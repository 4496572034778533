"""What the command line says."""

from __future__ import annotations

import argparse
import contextlib
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
