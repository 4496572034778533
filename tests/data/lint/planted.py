"""A training file with twenty faults, each in lines that are known, among clean conversations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TOPICS = (
    "boots",
    "tents",
    "lamps",
    "stoves",
    "ropes",
    "maps",
    "gloves",
    "jackets",
    "kayaks",
    "skis",
    "helmets",
    "socks",
    "tarps",
    "filters",
    "knives",
    "pillows",
    "straps",
    "poles",
    "goggles",
    "packs",
)
# A question and an answer about a topic; the words that change with it make no two alike.
ASKED = (
    (
        "How long may {0} be kept before sending them back?",
        "Unworn {0} may come back within {1} days of delivery, with a receipt.",
    ),
    (
        "Who repairs {0} that broke on a trip?",
        "Our workshop repairs broken {0} for members, and it takes about {1} days.",
    ),
    (
        "Which cleaner is right for {0}?",
        "Use the mild soap from aisle {1} on {0}, and let them dry in the shade.",
    ),
    (
        "What does shipping of {0} cost abroad?",
        "Parcels with {0} cost {1} dollars to any country that we deliver to.",
    ),
)


def conversation(asked: str, answer: str, group: str) -> dict[str, Any]:
    """A row of one question and its answer."""
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return {"group": group, "messages": turns}


def clean() -> list[dict[str, Any]]:
    """Eighty conversations without a fault."""
    return [
        conversation(asked.format(topic), answer.format(topic, 11 + place), f"{kind}/{topic}")
        for kind, (asked, answer) in enumerate(ASKED)
        for place, topic in enumerate(TOPICS)
    ]


def faults() -> list[tuple[str, dict[str, Any] | str]]:
    """The code of each planted fault with its row; a text is a line as it stands."""
    whole = clean()
    turn = {
        "user": {"role": "user", "content": "Is the shop open on holidays?"},
        "assistant": {"role": "assistant", "content": "It is closed on public holidays."},
    }
    return [
        ("duplicate", whole[3]),
        (
            "near-duplicate",
            conversation(
                "Who repairs lamps that broke on a long trip?",
                "Our workshop repairs broken lamps for members, and it takes about 13 days.",
                "lamp",
            ),
        ),
        (
            "contradiction",
            conversation(
                "How long may tents be kept before sending them back, please?",
                "Unworn tents may come back within 90 days of delivery, with a receipt.",
                "0/tents",
            ),
        ),
        (
            "empty-turn",
            {"group": "a", "messages": [turn["user"], {"role": "assistant", "content": " "}]},
        ),
        ("role-order", {"group": "b", "messages": [turn["user"], turn["user"], turn["assistant"]]}),
        ("no-answer", {"group": "c", "messages": [turn["user"], turn["assistant"], turn["user"]]}),
        ("unreadable-row", '{"group": "d", "messages": ['),
        (
            "stray-whitespace",
            conversation(
                "Where is the nearest store?", "The  nearest store is beside the old mill.\r", "e"
            ),
        ),
        (
            "mixed-markdown",
            conversation(
                "Name two uses of a karabiner.",
                "- **Climbing** with friends.\n- Hanging a hammock.",
                "f",
            ),
        ),
        (
            "mixed-greeting",
            conversation(
                "Do you sell bicycle bells?",
                "Hello there! Bells are sold in spring only, sorry.",
                "g",
            ),
        ),
        (
            "mixed-ending",
            conversation(
                "Which brand of compass do you carry?",
                "We carry compasses of a small Swedish maker",
                "h",
            ),
        ),
        (
            "other-language",
            conversation(
                "When does the winter sale begin?",
                "Der Verkauf beginnt bei uns immer am ersten Montag im Februar.",
                "i",
            ),
        ),
        (
            "unfinished-answer",
            conversation(
                "How do I wax a canvas bag?", "Warm the wax a little and then rub it into the", "j"
            ),
        ),
        (
            "long-answer",
            conversation("Tell me about your founder.", "She walked on and on. " * 60, "k"),
        ),
        (
            "refusal",
            conversation(
                "Who repairs ropes that broke on a trip?",
                "I'm sorry, but I can't help with that request.",
                "1/ropes",
            ),
        ),
        (
            "email",
            conversation("Whom do I write to?", "Write to jo.doe@shop.example about it.", "l"),
        ),
        (
            "phone",
            conversation("May I ring someone?", "Ring Jo at +49 30 901820 in the evening.", "m"),
        ),
        (
            "card",
            conversation(
                "Please charge 4111 1111 1111 1111 for it.", "The order is paid now.", "n"
            ),
        ),
        (
            "iban",
            conversation(
                "Where do I send the money?", "Send it to DE89 3704 0044 0532 0130 00 in time.", "o"
            ),
        ),
        (
            "secret",
            conversation(
                "How does the warehouse log in?",
                f"With the key ghp_{'A1b2C3d4E5' * 4} as always.",
                "p",
            ),
        ),
    ]


def write(path: Path) -> dict[int, str]:
    """Write the file; the lines of the faults with their codes."""
    rows: list[dict[str, Any] | str] = [*clean()]
    lines: dict[int, str] = {}
    for code, row in faults():
        rows.append(row)
        lines[len(rows)] = code
    write_rows(path, rows)
    return lines


def write_rows(path: Path, rows: Sequence[dict[str, Any] | str]) -> None:
    """Write rows as JSON Lines; a text is a line as it stands."""
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text(text + "\n", encoding="utf-8")
