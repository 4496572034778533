"""Progress as a callback, quiet libraries, and the versions that made an artefact."""

from __future__ import annotations

import logging
import warnings
from importlib import metadata
from typing import Protocol

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "peft",
    "trl",
    "datasets",
    "accelerate",
    "safetensors",
    "bitsandbytes",
)


class OnProgress(Protocol):
    """Whoever wants to hear how far a training is."""

    def __call__(self, stage: str, done: int, total: int, detail: str) -> None:
        """Take note that `done` of `total` steps of a stage are over."""
        ...


def silent(stage: str, done: int, total: int, detail: str) -> None:
    """Hear nothing."""


def package_versions() -> dict[str, str]:
    """The installed version of each package that has a say in the weights."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def quiet_libraries() -> None:
    """Keep the training libraries from printing bars, warnings and advice of their own."""
    import datasets
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    names = ("transformers", "trl", "peft", "accelerate", "datasets", "bitsandbytes", "torch")
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=f"({'|'.join(names)})")
