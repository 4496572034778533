"""A part of the training data is left out."""

from __future__ import annotations

from collections.abc import Iterator

from harness.mutation.operator import Mutant, NotMade, Original
from harness.mutation.training_data import data_of, trained


class LeftOut:
    """Leaves out each file of the training data in turn: facts, refusals, tone, rehearsal."""

    name, trains = "left-out", True

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """One mutant for each file.

        Raises:
            NotMade: it is not known how the candidate was trained, or there is one file alone.
        """
        data = data_of(original)
        if len(data) < 2:
            raise NotMade("its training data is a single file")
        for file in data:
            rows = [row for name, found in data.items() if name != file for row in found]
            stem = file.rpartition("/")[2].removesuffix(".jsonl")
            yield trained(original, f"without-{stem}", f"trained without {file}", rows)
