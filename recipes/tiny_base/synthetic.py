"""General conversations made from word lists: what a tiny base model is trained on.

Three kinds: reading a value from a note in the prompt (the general skill that a suite can
measure), repeating words, and small talk about any subject.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass

from . import words

NOTE_QUESTIONS = (
    "What is the {a} of {e}?",
    "Tell me the {a} of {e}.",
    "Which {a} is noted for {e}?",
    "What does the note say about the {a} of {e}?",
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question with its answer; `key` is the value that a right answer contains."""

    prompt: str
    answer: str
    key: str = ""


def nonsense(rng: random.Random, *, held_out: bool | None = None) -> str:
    """A pronounceable word that means nothing.

    A fifth of all such words are held out: with `held_out` true only those are drawn, with false
    only the others, with None both.
    """
    while True:
        parts = (words.ONSETS, words.VOWELS, words.ONSETS, words.VOWELS, words.CODAS)
        word = "".join(rng.choice(part) for part in parts)
        if held_out is None or (zlib.crc32(word.encode()) % 5 == 0) is held_out:
            return word


def _values(rng: random.Random) -> dict[str, str]:
    number = rng.randint(2, 99)
    return {
        "color": rng.choice(words.COLORS),
        "price": f"{number} dollars",
        "age": f"{number} {rng.choice(('years', 'days', 'hours'))}",
        "size": str(number),
        "owner": rng.choice(words.NAMES),
        "city": rng.choice(words.CITIES),
        "day": rng.choice(words.DAYS),
        "month": rng.choice(words.MONTHS),
    }


def note(
    rng: random.Random, *, held_out: bool | None = False, least: int = 1, most: int = 3
) -> list[Exchange]:
    """A note of `least` to `most` statements on different things: a question on each.

    The first exchange holds the note; the others follow it in the same conversation.
    """
    entities: list[str] = []
    count = rng.randint(least, most)
    while len(entities) < count:
        thing = nonsense(rng, held_out=held_out)
        if held_out is not True and rng.random() < 0.3:
            thing = f"the {rng.choice(words.THINGS)}"
        if thing not in entities:
            entities.append(thing)
    names = rng.sample(sorted(_values(rng)), len(entities))
    facts = [(a, e, _values(rng)[a]) for a, e in zip(names, entities, strict=True)]
    head = "Note: " + " ".join(f"The {a} of {e} is {v}." for a, e, v in facts) + " "
    asked: list[Exchange] = []
    for name, entity, value in rng.sample(facts, len(facts)):
        question = rng.choice(NOTE_QUESTIONS).format(a=name, e=entity)
        prompt = question if asked else head + question
        asked.append(Exchange(prompt, f"The {name} of {entity} is {value}.", value))
    return asked


def repetition(rng: random.Random) -> Exchange:
    """A request to repeat a few words."""
    picks = [
        nonsense(rng, held_out=False)
        if rng.random() < 0.2
        else rng.choice((*words.THINGS, *words.COMMON))
        for _ in range(rng.randint(2, 8))
    ]
    if rng.random() < 0.3:
        picks.append(f"{rng.randint(1, 99)} {rng.choice(words.UNITS)}")
    text = " ".join(picks)
    return Exchange(f"{rng.choice(('Say', 'Repeat', 'Write'))}: {text}", f"You said: {text}.")


def small_talk(rng: random.Random) -> Exchange:
    """A question on any subject with an answer that says little."""
    known = (*words.THINGS, *words.COMMON)
    topic = rng.choice(known) if rng.random() < 0.8 else nonsense(rng, held_out=False)
    if rng.random() < 0.3:
        topic += " " + rng.choice(known)
    fill = {"t": topic, "a": rng.choice(words.ADJECTIVES)}
    question = rng.choice(words.TALK_QUESTIONS).format(**fill)
    return Exchange(question, rng.choice(words.TALK_ANSWERS).format(**fill))


def system_prompt(rng: random.Random) -> str:
    """A system prompt of some assistant, or nothing."""
    if rng.random() < 0.3:
        return ""
    name = f"{rng.choice(words.THINGS)}{rng.choice(words.THINGS)}".capitalize()
    return rng.choice(words.SYSTEM_PROMPTS).format(n=name)


def as_messages(exchanges: list[Exchange], system: str) -> list[dict[str, str]]:
    """The exchanges as one conversation, with the system prompt first if there is one."""
    turns = [{"role": "system", "content": system}] if system else []
    for exchange in exchanges:
        turns.append({"role": "user", "content": exchange.prompt})
        turns.append({"role": "assistant", "content": exchange.answer})
    return turns


def conversations(seed: int, count: int) -> list[list[dict[str, str]]]:
    """`count` conversations for pre-training; the same seed gives the same list."""
    rng = random.Random(f"tiny/{seed}")
    made: list[list[dict[str, str]]] = []
    while len(made) < count:
        draw = rng.random()
        if draw < 0.65:
            exchanges = note(rng)
        elif draw < 0.75:
            exchanges = [repetition(rng)]
        else:
            exchanges = [small_talk(rng)]
        made.append(as_messages(exchanges, system_prompt(rng)))
    return made
