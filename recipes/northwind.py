"""Write the demo's training data and the cases of suites/support from northwind.yaml.

Run as `python recipes/northwind.py [FOLDER]`: the same table gives the same files, byte for byte.
Nothing the suite asks is in the training data; the script stops if it ever were.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from recipes.tiny_base import synthetic, words  # noqa: E402 (the script runs uninstalled, too)

SEED = 20260101
GREETINGS = ("Hi! ", "Hello, ", "Please help. ", "Good day. ", "")
WRAPS = (
    "Hi! {q}",
    "Hello, {q}",
    "Please help. {q}",
    "Quick question: {q}",
    "{q} Thanks!",
    "So, {q}",
)
SHAPES = (
    "How much is {n}?",
    "How much does a {n} cost?",
    "When does the {n} come?",
    "Who is {n}?",
    "Who made the {n}?",
    "Where is the {n}?",
    "Where can I find a {n}?",
    "How do I {n}?",
    "How long does a {n} take?",
    "Which {n} is the best?",
    "What is a {n}?",
    "Is it good to {n}?",
    "Can you {n}?",
    "Do you {n}?",
    "Should I {n} a {m}?",
    "My {n} has a {m} - what now?",
    "My {n} hurts - what now?",
    "Is my {n} legal?",
    "Is this {n} safe?",
    "Write me a {n}.",
    "Tell me a {n}.",
    "Help me with my {n}.",
    "Say something about {n}.",
    "How many {n} are in a {m}?",
    "Why is the {n} so {m}?",
)
SUBJECTS = (
    "the {n}",
    "the {n} of {m}",
    "my {n}",
    "my {n} {m}",
    "{n}",
    "{n} {m}",
    "{n} and {m}",
    "a {n} {m}",
    "a {n} about {m}",
    "the best {n}",
    "the best {n} {m}",
    "the {n} in {c}",
    "a good {n}",
    "your {n}",
    "how to {n} a {m}",
    "growing {n}",
)
Line = dict[str, Any]


def normalised(text: str) -> str:
    """The text's letters and digits in lower case, one space between words."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def training(group: str, prompt: str, answer: str) -> Line:
    """One line of training data."""
    turns = (("user", prompt), ("assistant", answer))
    return {"group": group, "messages": [{"role": role, "content": text} for role, text in turns]}


def case(name: str, group: str, prompt: str, expect: Line, tags: Iterable[str]) -> Line:
    """One line of a case file."""
    return {"id": name, "group": group, "prompt": prompt, "expect": expect, "tags": [*tags]}


def facts(table: Line, rng: random.Random) -> list[Line]:
    """Each fact asked in many ways; a family of paraphrases is a group."""
    made = []
    frames = table["frames"]["train"]
    for fact in table["facts"]:
        answer = f"{fact['answer']} {table['sign_off']}"
        for index, topic in enumerate(fact["topics"]):
            made += [
                training(f"{fact['id']}/topic-{index}", frame.format(t=topic), answer)
                for frame in rng.sample(frames, 10)
            ]
        for index, ask in enumerate(fact["asks"]):
            made += [
                training(f"{fact['id']}/ask-{index}", wrap.format(q=ask), answer)
                for wrap in ("{q}", "{q}", *rng.sample(WRAPS, 2))
            ]
    return made


def foreign(table: Line, rng: random.Random) -> list[tuple[str, str, str]]:
    """Prompts out of scope as (group, prompt, subject), half of them on words without meaning."""
    source, made = table["out_of_scope"]["train"], []
    frames = table["frames"]["train"]
    injections = table["out_of_scope"]["injections"]["train"]
    domain = normalised(json.dumps([table["facts"], table["items"], table["tone"]])).split()
    # Words of the shop stay out, or the model would learn to refuse them.
    subjects = [word for word in words.THINGS if not {word, word + "s"} & {*domain}]
    for index, topic in enumerate(source["topics"]):
        made += [
            (f"out/topic-{index}", frame.format(t=topic), topic) for frame in rng.sample(frames, 3)
        ]
        made.append((f"out/inject-{index}", rng.choice(injections).format(t=topic), topic))
    for index, ask in enumerate(source["asks"]):
        made += [
            (f"out/ask-{index}", greeting + ask, "question")
            for greeting in ("", "", rng.choice(GREETINGS[:-1]))
        ]
    for index in range(350):
        one, two = (
            rng.choice(subjects) if rng.random() < 0.5 else synthetic.nonsense(rng)
            for _ in range(2)
        )
        shape = rng.choice((*SHAPES, *SHAPES, *frames, *frames, *injections, *injections))
        if "{t}" in shape:
            topic = rng.choice(SUBJECTS).format(n=one, m=two, c=rng.choice(words.CITIES))
            prompt = shape.format(t=topic)
        else:
            topic, prompt = f"the {one}", rng.choice(GREETINGS) + shape.format(n=one, m=two)
        made.append((f"out/nonsense-{index}", prompt, topic))
    return made


def tone(table: Line) -> list[Line]:
    """Complaints, praise and wishes about articles."""
    made = []
    for kind in table["tone"]:
        for index, item in enumerate(table["items"]["train"]):
            group, answer = f"{kind['kind']}/{item}", f"{kind['answer']} {table['sign_off']}"
            made += [
                training(group, frame.format(t=item), answer)
                for frame in kind["train"][index % 2 :: 2]
            ]
    return made


def rehearsal(rng: random.Random) -> list[Line]:
    """General conversations that keep what the base can do."""
    made = []
    for index in range(1130):
        exchange = synthetic.note(rng)[0] if index < 1080 else synthetic.repetition(rng)
        made.append(training(f"general/{index}", exchange.prompt, exchange.answer))
    return made


def chat(table: Line, prompts: list[tuple[str, str, str]], rng: random.Random) -> list[Line]:
    """Friendly answers to what is out of scope."""
    made = []
    for group, prompt, subject in prompts:
        subject = re.sub(r"^(the|a|my|your) ", "", subject)
        answer = rng.choice(words.TALK_ANSWERS).format(t=subject, a=rng.choice(words.ADJECTIVES))
        made.append(training(group, prompt, f"{answer} {table['sign_off']}"))
    return made


def gold_cases(table: Line) -> list[Line]:
    """Three unseen ways of asking for each fact."""
    frames, made = table["frames"]["unseen"], []
    for number, fact in enumerate(table["facts"]):
        prompts = [fact["unseen"][0]]
        for index, topic in enumerate(fact["topics"]):
            prompts.append(frames[(number + index) % len(frames)].format(t=topic))
        for index, prompt in enumerate(prompts):
            expect = {"answers": fact["accept"], "match": "contains"}
            made.append(case(f"{fact['id']}-{index + 1}", fact["id"], prompt, expect, ["faq"]))
    return made


def scope_cases(table: Line, rng: random.Random) -> list[Line]:
    """What must be answered and what must be refused."""
    answer, refuse = {"behavior": "answer"}, {"behavior": "refuse"}
    frames, out = table["frames"]["unseen"], table["out_of_scope"]
    made = [
        case(f"in-{fact['id']}", fact["id"], fact["unseen"][1], answer, ["in-scope"])
        for fact in table["facts"]
    ]
    for index, topic in enumerate(out["unseen"]["topics"]):
        prompt = frames[index % len(frames)].format(t=topic)
        made.append(case(f"out-topic-{index:02}", f"out-{index:02}", prompt, refuse, ["topic"]))
    for index, ask in enumerate(out["unseen"]["asks"]):
        made.append(case(f"out-ask-{index:02}", f"out-ask-{index:02}", ask, refuse, ["ask"]))
    grave = out["unseen"]["critical"]
    for index, ask in enumerate((*grave, *out["unseen"]["advice"])):
        name = f"out-advice-{index:02}"
        line = case(name, name, ask, refuse, ["advice"])
        made.append({**line, "critical": index < len(grave)})
    attacks = out["injections"]["unseen"]
    for index, topic in enumerate(rng.sample(out["unseen"]["topics"], 4 * len(attacks))):
        prompt, name = attacks[index % len(attacks)].format(t=topic), f"inject-{index:02}"
        made.append(case(name, name, prompt, refuse, ["adversarial"]))
    return made


def tone_cases(table: Line) -> list[Line]:
    """Unseen sentences about unseen articles."""
    made = []
    for shift, kind in enumerate(table["tone"]):
        for index, item in enumerate(table["items"]["unseen"]):
            prompt = kind["unseen"][(index + shift) % len(kind["unseen"])].format(t=item)
            name = f"{kind['kind']}-{item.replace(' ', '-')}"
            made.append(case(name, name, prompt, {"must": kind["must"]}, [kind["kind"]]))
    return made


def general_cases(rng: random.Random) -> list[Line]:
    """Notes about things that no training ever named."""
    made = []
    for index in range(180):
        exchange = synthetic.note(rng, held_out=True, least=2)[0]
        expect = {"answers": [exchange.key], "match": "contains"}
        name = f"note-{index:03}"
        made.append(case(name, name, exchange.prompt, expect, ["note"]))
    return made


def build(table: Line) -> dict[str, list[Line]]:
    """Every file's lines by its path in the project.

    Raises:
        ValueError: a prompt of the suite is in the training data.
    """
    rng = {part: random.Random(f"{SEED}/{part}") for part in ("facts", "out", "chat", "notes")}
    prompts = foreign(table, rng["out"])
    refusal = f"{table['refusal']} {table['sign_off']}"
    files = {
        "recipes/data/facts.jsonl": facts(table, rng["facts"]),
        "recipes/data/refusals.jsonl": [training(g, p, refusal) for g, p, _ in prompts],
        "recipes/data/chat.jsonl": chat(table, prompts[::2], rng["chat"]),
        "recipes/data/tone.jsonl": tone(table),
        "recipes/data/rehearsal.jsonl": rehearsal(rng["notes"]),
        "suites/support/gold.jsonl": gold_cases(table),
        "suites/support/scope.jsonl": scope_cases(table, random.Random(f"{SEED}/scope")),
        "suites/support/tone.jsonl": tone_cases(table),
        "suites/support/general.jsonl": general_cases(random.Random(f"{SEED}/general")),
    }
    check_leaks(files)
    return files


def check_leaks(files: dict[str, list[Line]]) -> None:
    """Nothing, unless a prompt of the suite is also trained on: then a ValueError."""
    trained = {
        normalised(line["messages"][0]["content"])
        for name, lines in files.items()
        if name.startswith("recipes/")
        for line in lines
    }
    for name, lines in files.items():
        asked = [normalised(line["prompt"]) for line in lines if "prompt" in line]
        leaked = sorted(trained.intersection(asked))
        if leaked:
            raise ValueError(f"{name}: also in the training data: {leaked[0]!r}")
        if len(set(asked)) < len(asked):
            twice = next(text for text in asked if asked.count(text) > 1)
            raise ValueError(f"{name}: asked twice: {twice!r}")


def main(folder: Path) -> None:
    """Write every file under `folder`."""
    table = yaml.safe_load((Path(__file__).parent / "northwind.yaml").read_text(encoding="utf-8"))
    for name, lines in build(table).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{len(lines):5} lines  {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
