"""A release gate for fine-tuned chatbots: `load_run`, `compare` and `gate` give pandas frames."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from harness.version import __version__

if TYPE_CHECKING:
    from harness.api.comparison import Comparison, compare
    from harness.api.gate import GateResult, gate
    from harness.api.run import Run, load_run
    from harness.errors import EvidenceError, HarnessError, InfrastructureError, UsageError

__all__ = [
    "Comparison",
    "EvidenceError",
    "GateResult",
    "HarnessError",
    "InfrastructureError",
    "Run",
    "UsageError",
    "__version__",
    "compare",
    "gate",
    "load_run",
]

# The module of each name; imported when it is first used, so that `import harness` stays quick.
_HOMES = {
    **dict.fromkeys(("Comparison", "compare"), "harness.api.comparison"),
    **dict.fromkeys(("GateResult", "gate"), "harness.api.gate"),
    **dict.fromkeys(("Run", "load_run"), "harness.api.run"),
    **dict.fromkeys(
        ("EvidenceError", "HarnessError", "InfrastructureError", "UsageError"), "harness.errors"
    ),
}


class _Package(ModuleType):
    """This package: the name `gate` is the function, also once the package of that name is loaded.

    Importing `harness.gate.judge` would else put the package in the function's place.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

if not TYPE_CHECKING:  # for a type checker every name would exist

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
