"""A shop whose answers a scripted judge on the mock server judges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ThreadedMock
from tests.shop import answer, config, suite_yaml, write_lines

COUNT = 24
SCALE = {"1": "useless", "3": "helps a little", "5": "solves it"}
POINTWISE: dict[str, Any] = {
    "cases": "tell.jsonl",
    "scorer": "judge",
    "judge": "judge",
    "rubric": {"criterion": "It solves the customer's problem.", "scale": SCALE},
}
PAIRWISE = {**POINTWISE, "rubric": {"criterion": "It helps."}, "mode": "pairwise"}
RULE = {"metric": "shop.tell.score", "require": "better_than_baseline", "evidence": "scorer"}
_TEXT = re.compile(r"^=== ([a-z ]+) ([0-9a-f]{32})\n(.*?)\n=== end \2$", re.DOTALL | re.MULTILINE)

Judge = Callable[[dict[str, str]], str]


def texts_of(body: dict[str, Any]) -> dict[str, str]:
    """What a judge is shown, by name."""
    return {name: text for name, _, text in _TEXT.findall(body["messages"][-1]["content"])}


def verdict(word: object, reason: str = "Because.") -> str:
    return json.dumps({"reason": reason, "verdict": word})


def by_candidate(texts: dict[str, str]) -> str:
    """Likes what the candidate says, a little more in every third case."""
    text = texts["answer"]
    if "candidate" not in text:
        return verdict(2)
    return verdict(5 if int(re.findall(r"\d+", text)[0]) % 3 else 4)


def write_judged(
    folder: Path,
    mock: ThreadedMock,
    judge: Judge = by_candidate,
    section: dict[str, Any] = POINTWISE,
    rule: dict[str, Any] = RULE,
    **said: Any,
) -> None:
    """The project; `said` are answers to `Tell me N` by target, else they name the target."""

    def answers(body: dict[str, Any]) -> str:
        asked = body["messages"][-1]["content"]
        if body["model"].startswith("judge"):
            return judge(texts_of(body))
        if asked.startswith("Tell"):
            make = said.get(body["model"])
            return make(asked) if make else f"{asked}: here it is, says {body['model']}."
        return answer(body)

    mock.answer = answers
    settings = config(mock.url)
    for name in ("judge", "judge-b"):
        mock.server._models[name] = None
        settings["targets"][name] = {"server": "main", "model": name}
    settings["gate"]["rules"].append(rule)
    written = suite_yaml()
    written["sections"]["tell"] = section
    suite = folder / "suites/shop"
    write_lines(
        suite / "tell.jsonl", [{"id": f"t{n}", "prompt": f"Tell me {n}"} for n in range(COUNT)]
    )
    (suite / "suite.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
