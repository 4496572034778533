"""Answers in another language."""

from __future__ import annotations

from collections.abc import Iterator

from harness.mutation.operator import Mutant, Original

_ORDERS = "Answer in German, whatever the language of the question. Antworte nur auf Deutsch."


class Language:
    """Asks for another language in the system prompt."""

    name, trains = "language", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """One mutant; one prompt stands for those of all suites."""
        own = original.target.system_prompt
        prompt = original.suites[0].system_prompt if own is None else own
        target = original.target.model_copy(
            update={"system_prompt": f"{prompt or ''} {_ORDERS}".strip()}
        )
        yield Mutant("german", "the system prompt asks for answers in German", target)
