"""Questions to a bank, made from templates with slots, and what becomes of a leaked one."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

SLOTS: dict[str, Sequence[str]] = {
    "card": ("debit card", "credit card", "virtual card", "gold card", "travel card", "joint card"),
    "account": ("savings account", "current account", "student account", "business account"),
    "place": ("Spain", "Norway", "Japan", "Kenya", "Chile", "Canada", "Poland", "Vietnam"),
    "money": ("20 euros", "50 euros", "120 dollars", "300 pounds", "75 francs", "900 yen"),
    "shop": ("a hotel", "a petrol station", "an airline", "a garage", "a bookshop", "a florist"),
    "when": ("yesterday", "last Friday", "on Monday", "two weeks ago", "this morning", "in May"),
    "person": ("my sister", "my landlord", "a colleague", "my father", "a client", "my tenant"),
}
TEMPLATES = (
    "How do I block my {card}?",
    "How do I activate my {card}?",
    "When does my {card} expire?",
    "Can I use my {card} in {place}?",
    "What does the {account} cost?",
    "How do I close my {account}?",
    "Can {person} open a {account}?",
    "Is there a fee for cash in {place}?",
    "Why was {money} taken from my {account} {when}?",
    "I paid {money} to {person} {when}, can I get it back?",
    "If {shop} charges my {card} twice, how do I dispute the second payment?",
    "When I send {money} to {person} in {place}, how long does the transfer take?",
    "My {card} was refused at {shop} {when}, and I would like to know what went wrong.",
    "Because I am moving to {place}, I want to change the address on my {account}, please help.",
    "I lost my {card} in {place} {when}, so please tell me how I can get {money} in cash there.",
    "After {shop} cancelled my booking {when}, the refund of {money} never came to my {account}",
    "If {person} and I both want to see the {account} in the app, which of us must ask for that?",
)
SMALL = ("the", "a", "please", "just", "my", "also", "so", "is", "do", "for", "to", "and", "of")
_OFTEN = re.compile(r", | (?=if |when |because |after |and )")
FRAMES = (
    "Could you tell me: {}",
    "Hi, I have a question. {} Thanks!",
    "Quick question, {}",
    "I was wondering: {}",
    "Can somebody explain this to me? {}",
)


def bank_questions(rng: random.Random, count: int) -> list[str]:
    """That many different questions, or all that there are."""
    found: dict[str, None] = {}
    for _ in range(40 * count):
        slots = {name: rng.choice(values) for name, values in SLOTS.items()}
        found[rng.choice(TEMPLATES).format(**slots)] = None
        if len(found) == count:
            break
    return list(found)


def same(text: str, _: random.Random) -> str:
    """The text itself."""
    return text


def another_form(text: str, rng: random.Random) -> str:
    """The text in another case and with other punctuation."""
    bare = re.sub(r"[^\w\s'’]", rng.choice((" ", "")) if " " in text else " ", text)
    return rng.choice((str.lower, str.upper, str.title))(bare) + rng.choice(("", "!", " ??", "."))


def edited(count: int) -> Callable[[str, random.Random], str]:
    """What makes that many edits: of ten, seven are letters, and three drop or add a small word.

    Another noun in a question asks another question, and so is no edit here.
    """

    def edit(text: str, rng: random.Random) -> str:
        words = text.split()
        for _ in range(count):
            if rng.random() < 0.7:
                _letter(words, rng)
            else:
                _word(words, rng)
        return " ".join(words)

    return edit


def letters(count: int) -> Callable[[str, random.Random], str]:
    """What makes that many edits of letters."""

    def edit(text: str, rng: random.Random) -> str:
        words = text.split()
        for _ in range(count):
            _letter(words, rng)
        return " ".join(words)

    return edit


def small_words(count: int) -> Callable[[str, random.Random], str]:
    """What drops or adds that many small words."""

    def edit(text: str, rng: random.Random) -> str:
        words = text.split()
        for _ in range(count):
            _word(words, rng)
        return " ".join(words)

    return edit


def _letter(words: list[str], rng: random.Random) -> None:
    places = [place for place, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not places:
        return
    place = rng.choice(places)
    word = words[place]
    at = rng.randrange(1, len(word) - 1)
    other = rng.choice("abcdefghijklmnopqrstuvwxyz")
    words[place] = rng.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + other + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )


def _word(words: list[str], rng: random.Random) -> None:
    small = [place for place, word in enumerate(words) if word.lower() in SMALL]
    if rng.random() < 0.5 or not small:
        words.insert(rng.randrange(len(words) + 1), rng.choice(SMALL))
    else:
        del words[rng.choice(small)]


def any_words(count: int) -> Callable[[str, random.Random], str]:
    """What drops, or replaces by another one, that many words of texts of 14 words or more."""

    def edit(text: str, rng: random.Random) -> str:
        words = text.split()
        if len(words) < 14:
            return ""
        for _ in range(count):
            place = rng.randrange(len(words))
            words[place : place + 1] = rng.choice(([], [rng.choice(("thing", "other", "some"))]))
        return " ".join(words)

    return edit


def reordered(text: str, rng: random.Random) -> str:
    """The text with its clauses in another order; empty where it has only one."""
    end = text[-1] if text[-1] in ".?!" else ""
    parts = [part for part in _OFTEN.split(text.rstrip(".?!")) if part and len(part.split()) > 1]
    if len(parts) < 2:
        return ""
    order = parts[:]
    while order == parts:
        rng.shuffle(order)
    return ", ".join(order) + end


def framed(text: str, rng: random.Random) -> str:
    """The text in another frame of asking."""
    return rng.choice(FRAMES).format(text)


KINDS: dict[str, Callable[[str, random.Random], str]] = {
    "verbatim": same,
    "case and punctuation": another_form,
    "1 edit": edited(1),
    "2 edits": edited(2),
    "3 edits": edited(3),
    "1 to 3 edits": lambda text, rng: edited(rng.randint(1, 3))(text, rng),
    "3 letters": letters(3),
    "1 small word": small_words(1),
    "3 small words": small_words(3),
    "2 words of a long text": any_words(2),
    "reordered clauses": reordered,
    "another frame": framed,
}
