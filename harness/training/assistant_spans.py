"""The assistant's part of a rendered conversation, found without marks in the chat template.

A conversation is rendered up to each answer as a server would send it, and with the answer: what
the second has more is the answer. Nothing here knows a tokenizer, or torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.errors import RecipeError

Turns = Sequence[dict[str, str]]
# The text of some turns; with True followed by what makes the model answer.
Render = Callable[[Turns, bool], str]
# Where a part of a text begins and where it ends, in characters.
Span = tuple[int, int]

# Words that no prompt holds, without anything that a template would cut, split or escape.
PROBE = "Zqx7probe"


@dataclass(frozen=True, slots=True)
class Ending:
    """The text that a template writes after an answer, and how much of it is learnt."""

    text: str
    learnt: int


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered conversation with its answers, each with the end of its turn.

    `as_server` is true where the template renders the turns before the answer otherwise once it
    is there: the text has them as a server sends them.
    """

    text: str
    spans: tuple[Span, ...]
    as_server: bool = False


def render_probe(render: Render, turns: Turns) -> tuple[str, int]:
    """The turns with a probe as their last answer, and where the probe ends in the text.

    Raises:
        RecipeError: the template does not write an answer's words once and as they are.
    """
    text = render([*turns[:-1], {**turns[-1], "content": PROBE}], False)
    if text.count(PROBE) != 1:
        raise RecipeError(
            f"the template writes the words of an answer {text.count(PROBE)} times",
            hint="use the maker's own chat template for text conversations",
        )
    return text, text.index(PROBE) + len(PROBE)


def find_answers(render: Render, turns: Turns, ending: Ending) -> list[Rendered]:
    """What is learnt of a conversation, which ends with an answer.

    That is one text with all its answers where the template renders each as it did when it was the
    last. Where a later turn changes an earlier one, as templates do that take thinking out, no one
    text holds all that the model is to say: then it is one text an answer, each with the turns
    before it as a server sends them, and only its last answer is learnt.

    Raises:
        RecipeError: the end of what a server sends before an answer is not how the template writes
            it once the answer is there, or an answer has no end or no words.
    """
    alone = [
        _last_answer(render, turns[: place + 1], ending)
        for place, turn in enumerate(turns)
        if turn["role"] == "assistant"
    ]
    whole = alone[-1]
    if all(whole.text.startswith(one.text[: one.spans[0][1]]) for one in alone):
        return [replace(whole, spans=tuple(one.spans[0] for one in alone))]
    return alone


def _last_answer(render: Render, turns: Turns, ending: Ending) -> Rendered:
    """The prompt as a server sends it, and the last answer as the template writes it."""
    if len(turns) == 1:
        raise RecipeError(
            "the conversation begins with the assistant's words, and nothing asks for them",
            hint="begin it with a question",
        )
    prompt, text = render(turns[:-1], True), render(turns, False)
    whole = text.startswith(prompt)
    said = text[len(prompt) if whole else _beginning(render, turns, prompt, text) :]
    if not said.endswith(ending.text):
        raise RecipeError(
            f"the template ends this answer with {_shown(said[-40:])}, and others with "
            f"{_shown(ending.text)}"
        )
    words = said.removesuffix(ending.text)
    if not words.strip():
        raise RecipeError("the template leaves nothing of an answer", hint="give it words")
    end = len(prompt) + len(words) + ending.learnt
    return Rendered(prompt + said, ((len(prompt), end),), as_server=not whole)


def _beginning(render: Render, turns: Turns, prompt: str, text: str) -> int:
    """Where the last answer begins in a text whose earlier part is not the prompt.

    Some templates put the system's words into the last message, if that is a question, and so
    nowhere once it is answered. What follows the question is looked for then.
    """
    asked = turns[-2]["content"].strip() if len(turns) > 1 else ""
    place = prompt.rfind(asked) if asked else -1
    if place >= 0:
        probed, end = render_probe(render, turns)
        question = prompt[place:]
        found = probed[: end - len(PROBE)].rfind(question)
        begin = found + len(question)
        if found >= 0 and text.startswith(probed[:begin]):
            return begin
    pairs = enumerate(zip(prompt, text, strict=False))
    same = next((n for n, (one, other) in pairs if one != other), min(len(prompt), len(text)))
    raise RecipeError(
        f"the template ends a prompt with {_shown(prompt[same:])}, and writes "
        f"{_shown(text[same:])} there before an answer that is given",
        hint="if the template has a switch for it, set it in the recipe (as "
        "`chat_template_kwargs: {enable_thinking: false}`) and on the server; else write the "
        "answers in the data as the model does",
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


def tokens_within(offsets: Sequence[Span], spans: Sequence[Span]) -> list[bool]:
    """For each token, by where it stands in the text, whether it is wholly within a span."""
    return [
        begin < end and any(first <= begin and end <= last for first, last in spans)
        for begin, end in offsets
    ]


def picture(parts: Sequence[tuple[str, bool]], around: int = 160) -> str:
    """The text of tokens, runs of what is learnt between ⟦ and ⟧; what is long is cut inside.

    `parts` are texts with whether they are learnt; at most `around` characters of a run are kept
    at either end.
    """
    runs: list[tuple[str, bool]] = []
    for text, learnt in parts:
        if runs and runs[-1][1] == learnt:
            runs[-1] = (runs[-1][0] + text, learnt)
        else:
            runs.append((text, learnt))
    shown = ((_cut(text, around), learnt) for text, learnt in runs)
    return "".join(f"⟦{text}⟧" if learnt else text for text, learnt in shown)


def _cut(text: str, around: int) -> str:
    return text if len(text) <= 2 * around else f"{text[:around]} … {text[-around:]}"
