"""Conversations are rendered by another model's chat template."""

from __future__ import annotations

from collections.abc import Iterator

from harness.mutation.operator import Mutant, Original

_CHATML = (
    "{%- for turn in messages -%}<|im_start|>{{ turn['role'] }}\n{{ turn['content'] }}<|im_end|>\n"
    "{%- endfor -%}{%- if add_generation_prompt -%}<|im_start|>assistant\n{%- endif -%}"
)
_INSTRUCTION = (
    "{%- for turn in messages -%}{%- if turn['role'] == 'assistant' -%}{{ turn['content'] }}</s>"
    "{%- else -%}[INST] {{ turn['content'] }} [/INST]{%- endif -%}{%- endfor -%}"
)
_PLAIN = (
    "{%- for turn in messages -%}{{ turn['role']|capitalize }}: {{ turn['content'] }}\n"
    "{%- endfor -%}{%- if add_generation_prompt -%}Assistant:{%- endif -%}"
)


class Template:
    """Replaces the chat template."""

    name, trains = "template", False

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """Two mutants: another family's special tokens, and none.

        Raises:
            NotMade: the chat template is not to be seen, or not to be replaced.
        """
        other = _INSTRUCTION if "<|im_start|>" in original.chat_template else _CHATML
        yield Mutant(
            "other-template",
            "the chat template has the special tokens of another family of models",
            original.rendered(other),
        )
        yield Mutant(
            "plain-template", "the chat template has no special tokens", original.rendered(_PLAIN)
        )
