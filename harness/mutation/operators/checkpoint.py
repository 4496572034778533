"""An early checkpoint of the training."""

from __future__ import annotations

from collections.abc import Iterator

from harness.model_files import ADAPTER_CONFIG
from harness.mutation.operator import Mutant, NotMade, Original
from harness.training.checkpoints import step_of


class Checkpoint:
    """Takes the earliest checkpoint that is still there."""

    name, trains = "checkpoint", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """One mutant.

        Raises:
            NotMade: no checkpoint was kept.
        """
        kept = [
            path
            for path in original.adapter.rglob("checkpoint-*")
            if (path / ADAPTER_CONFIG).is_file()
        ]
        if not kept:
            raise NotMade("no checkpoint of its training is left")
        first = min(kept, key=step_of)
        about = f"the adapter is that of step {step_of(first)}"
        yield Mutant("old-checkpoint", about, original.adapted(first))
