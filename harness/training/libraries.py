"""Set-up of the training libraries: versions, log output, threads of torch, progress callback."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from typing import Protocol

WAIT_POLICY = "OMP_WAIT_POLICY"
PACKAGES = (
    "torch", "transformers", "tokenizers", "peft", "trl", "datasets", "accelerate", "safetensors",
    "bitsandbytes",
)  # fmt: skip


class OnProgress(Protocol):
    """A callback for the progress of a training."""

    def __call__(self, stage: str, done: int, total: int, detail: str) -> None:
        """Report that `done` of `total` steps of a stage are over."""
        ...


OnSay = Callable[[str], None]  # hears what a training says before its first step


def unheard(text: str) -> None:
    """Say nothing."""


def silent(stage: str, done: int, total: int, detail: str) -> None:
    """Report nothing."""


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


def import_torch_patiently() -> None:
    """Import torch so that its threads sleep while they wait, instead of spinning.

    OpenMP reads this when its library is loaded. Spinning threads wait for one that the system
    does not let run: one other busy process makes training on two cores dozens of times slower.
    Nothing changes where torch is imported already, or where the user set the policy.
    """
    given = os.environ.get(WAIT_POLICY)
    os.environ.setdefault(WAIT_POLICY, "PASSIVE")
    try:
        import torch  # noqa: F401 - for its library, which reads the environment now
    finally:
        if given is None:
            del os.environ[WAIT_POLICY]  # processes that we start have policies of their own
