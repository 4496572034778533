"""Other sampling settings than the candidate was released with."""

from __future__ import annotations

from collections.abc import Iterator

from harness.mutation.operator import Mutant, Original

_HOT = 1.5
_SHORT = 4


class Sampling:
    """Raises the temperature, and cuts answers."""

    name, trains = "sampling", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """Two mutants."""
        yield Mutant(
            "hot", f"answers are drawn at temperature {_HOT}", original.generated(temperature=_HOT)
        )
        yield Mutant(
            "cut-short", f"answers are cut after {_SHORT} tokens",
            original.generated(max_tokens=_SHORT, min_tokens=None),
        )  # fmt: skip
