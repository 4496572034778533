"""A part of what the user wrote is lost."""

from __future__ import annotations

from collections.abc import Iterator

from harness.mutation.operator import Mutant, Original

_CUT = (
    "{%- set kept = namespace(turns=[]) -%}{%- for turn in messages -%}"
    "{%- set half = turn['content']|length // 2 -%}"
    "{%- set text = turn['content'][half:] if turn['role'] == 'user' else turn['content'] -%}"
    "{%- set kept.turns = kept.turns + [{'role': turn['role'], 'content': text}] -%}"
    "{%- endfor -%}{%- set messages = kept.turns -%}"
)


class Context:
    """Cuts the first half off each of the user's messages."""

    name, trains = "context", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """One mutant.

        Raises:
            NotMade: the chat template is not to be seen, or not to be replaced.
        """
        target = original.rendered(_CUT + original.chat_template)
        yield Mutant("half-context", "the first half of each question is cut off", target)
