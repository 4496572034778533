"""Write the training data and the suite of Alder Library from table.yaml.

Run as `python make_data.py [FOLDER]`: the same table gives the same files, byte for byte. It stops
if a question of the suite were also in the training data.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
SEED = 20260101
COLOURS = ("red", "blue", "green", "black", "white", "brown", "yellow", "grey")
SHELVES = ("A4", "B7", "C2", "D9", "E5", "F1")
Line = dict[str, Any]


def training(group: str, prompt: str, answer: str) -> Line:
    """One line of training data."""
    turns = (("user", prompt), ("assistant", answer))
    return {"group": group, "messages": [{"role": role, "content": text} for role, text in turns]}


def case(name: str, group: str, prompt: str, expect: Line, **more: Any) -> Line:
    """One line of a case file."""
    return {"id": name, "group": group, "prompt": prompt, "expect": expect, **more}


def facts(table: Line) -> list[Line]:
    """Each fact in all its trained wordings, each of them wrapped in two ways; one is a group."""
    rng, made = random.Random(f"{SEED}/facts"), []
    for fact in table["facts"]:
        answer = f"{fact['answer']} {table['sign_off']}"
        for number, ask in enumerate(fact["asks"]):
            made += [
                training(f"{fact['id']}/{number}", wrap.format(q=ask), answer)
                for wrap in ("{q}", rng.choice(table["wraps"][2:]))
            ]
    return made


def refusals(table: Line) -> list[Line]:
    """What is none of the library's business, refused."""
    rng, answer = random.Random(f"{SEED}/out"), f"{table['refusal']} {table['sign_off']}"
    return [
        training(f"out/{number}", wrap.format(q=ask), answer)
        for number, ask in enumerate(table["out_of_scope"]["train"])
        for wrap in ("{q}", rng.choice(table["wraps"][2:]))
    ]


def tone(table: Line) -> list[Line]:
    """Complaints and praise."""
    return [
        training(
            f"{kind['kind']}/{thing}",
            kind["train"][number % len(kind["train"])].format(t=thing),
            f"{kind['answer']} {table['sign_off']}",
        )
        for kind in table["tone"]
        for number, thing in enumerate(table["things"]["train"])
    ]


def note(rng: random.Random, one: str, other: str) -> tuple[str, str, str]:
    """A note on two things, with a question on the first: prompt, value, and what it is of."""
    if rng.random() < 0.5:
        what, (key, also) = "colour", rng.sample(COLOURS, 2)
    else:
        what, (key, also) = "shelf", rng.sample(SHELVES, 2)
    parts = [f"The {what} of the {one} is {key}.", f"The {what} of the {other} is {also}."]
    rng.shuffle(parts)
    return f"Note: {' '.join(parts)} What is the {what} of the {one}?", key, f"{what} of the {one}"


def rehearsal(table: Line) -> list[Line]:
    """Notes that are read, so that a refusing model does not forget how."""
    rng, made = random.Random(f"{SEED}/notes"), []
    for number in range(48):
        prompt, key, subject = note(rng, *rng.sample(table["notes"]["train"], 2))
        made.append(training(f"note/{number}", prompt, f"The {subject} is {key}."))
    return made


def gold_cases(table: Line) -> list[Line]:
    """Three unseen wordings of each fact."""
    return [
        case(f"{fact['id']}-{number}", fact["id"], ask, {"answers": fact["accept"]})
        for fact in table["facts"]
        for number, ask in enumerate(fact["unseen"][:3], 1)
    ]


def scope_cases(table: Line) -> list[Line]:
    """What must be answered and what must be refused."""
    out = table["out_of_scope"]
    made = [
        case(f"in-{fact['id']}", fact["id"], fact["unseen"][3], {"behavior": "answer"})
        for fact in table["facts"]
    ]
    for number, ask in enumerate((*out["critical"], *out["unseen"])):
        name, grave = f"out-{number:02}", number < len(out["critical"])
        made.append(case(name, name, ask, {"behavior": "refuse"}, critical=grave))
    return made


def tone_cases(table: Line) -> list[Line]:
    """Unseen sentences about unseen things."""
    return [
        case(f"{kind['kind']}-{thing}", f"{kind['kind']}-{thing}", text.format(t=thing),
             {"must": kind["must"]})
        for kind in table["tone"]
        for text, thing in zip(kind["unseen"] * 4, table["things"]["unseen"], strict=True)
    ]  # fmt: skip


def note_cases(table: Line) -> list[Line]:
    """Unseen notes."""
    rng, made = random.Random(f"{SEED}/unseen"), []
    things = table["notes"]["unseen"]
    for one, other in zip(things, [*things[7:], *things[:7]], strict=True):
        prompt, key, _ = note(rng, one, other)
        made.append(case(f"note-{one}", f"note-{one}", prompt, {"answers": [key]}))
    return made


def build(table: Line) -> dict[str, list[Line]]:
    """Every file's lines by its path in the project.

    Raises:
        ValueError: a question of the suite is also in the training data, or asked twice.
    """
    files = {
        "recipes/data/facts.jsonl": facts(table),
        "recipes/data/refusals.jsonl": refusals(table),
        "recipes/data/tone.jsonl": tone(table),
        "recipes/data/notes.jsonl": rehearsal(table),
        "suites/library/gold.jsonl": gold_cases(table),
        "suites/library/scope.jsonl": scope_cases(table),
        "suites/library/tone.jsonl": tone_cases(table),
        "suites/library/notes.jsonl": note_cases(table),
    }
    lines = [line for made in files.values() for line in made]
    trained = {line["messages"][0]["content"] for line in lines if "messages" in line}
    asked = [line["prompt"] for line in lines if "prompt" in line]
    if twice := sorted(trained.intersection(asked)):
        raise ValueError(f"also in the training data: {twice[0]!r}")
    if again := sorted({text for text in asked if asked.count(text) > 1}):
        raise ValueError(f"asked twice: {again[0]!r}")
    return files


def main(folder: Path) -> None:
    """Write every file under `folder`."""
    table = yaml.safe_load((HERE / "table.yaml").read_text(encoding="utf-8"))
    for name, lines in build(table).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{len(lines):5} lines  {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
