"""The system prompt is not sent."""

from __future__ import annotations

from collections.abc import Iterator

from harness.mutation.operator import Mutant, NotMade, Original


class SystemPrompt:
    """Leaves the system prompt out."""

    name, trains = "system-prompt", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """One mutant.

        Raises:
            NotMade: there is no system prompt.
        """
        own = original.target.system_prompt
        if not any(suite.system_prompt if own is None else own for suite in original.suites):
            raise NotMade("no system prompt is sent")
        target = original.target.model_copy(update={"system_prompt": ""})
        yield Mutant("no-system-prompt", "the system prompt is not sent", target)
