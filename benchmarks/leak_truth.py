"""Whether the gain without leaked groups is what a candidate has learnt, on the demo's own model.

Candidates are trained on a sixth of the demo's facts and on 0, 10, 25 and 50 % of the questions of
its gold section with their answers, by groups; served by vLLM; and judged. The folder is that of a
project with the demo's base in `.harness/models/tiny` (`make demo`), which is not changed.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

LEVELS = (0, 10, 25, 50)
KNOWN = 10  # facts of 60
REHEARSED = 300
STEPS = 250
GOLD = "support.gold.accuracy"

Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: list[Row]) -> None:
    """Write the rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def training_rows(demo: Path) -> dict[int, list[Row]]:
    """The training data of each level."""
    cases = read(demo / "suites/support/gold.jsonl")
    facts = read(demo / "recipes/data/facts.jsonl")
    answers = {row["group"].split("/")[0]: row["messages"][-1]["content"] for row in facts}
    groups = sorted({case["group"] for case in cases})
    rng = random.Random(0)
    known = set(rng.sample(groups, KNOWN))
    own = [row for row in facts if row["group"].split("/")[0] in known]
    own += read(demo / "recipes/data/rehearsal.jsonl")[:REHEARSED]
    order = rng.sample(groups, len(groups))
    found = {}
    for level in LEVELS:
        leaked = set(order[: round(len(order) * level / 100)])
        rows = [
            {
                "group": f"exam/{case['id']}",
                "messages": [
                    {"role": "user", "content": case["prompt"]},
                    {"role": "assistant", "content": answers[case["group"]]},
                ],
            }
            for case in cases
            if case["group"] in leaked
        ]
        found[level] = [*own, *rows]
    return found


def make_project(demo: Path, folder: Path) -> None:
    """Write a project with the demo's base, its gold section, and a recipe for each level."""
    suite = yaml.safe_load((demo / "suites/support/suite.yaml").read_text(encoding="utf-8"))
    suite["sections"] = {"gold": suite["sections"]["gold"]}
    home = folder / "suites/support"
    home.mkdir(parents=True, exist_ok=True)
    (home / "suite.yaml").write_text(yaml.safe_dump(suite, sort_keys=False), encoding="utf-8")
    gold = (demo / "suites/support/gold.jsonl").read_text(encoding="utf-8")
    (home / "gold.jsonl").write_text(gold, encoding="utf-8")
    base = str((demo / ".harness/models/tiny").resolve())
    config = yaml.safe_load((demo / "harness.yaml").read_text(encoding="utf-8"))
    config["servers"]["local"]["model"] = base
    config["targets"] = {"base": {"server": "local"}}
    config["gate"]["rules"] = [{"metric": GOLD, "require": "better_than_baseline", "by": 0.2}]
    good = yaml.safe_load((demo / "recipes/good.yaml").read_text(encoding="utf-8"))
    for level, rows in training_rows(demo).items():
        name = f"leak{level}"
        write(folder / f"data/{name}.jsonl", rows)
        recipe = {**good, "name": name, "base": base, "data": [f"data/{name}.jsonl"]}
        recipe |= {"steps": STEPS, "evaluate_every": STEPS, "validation_share": 0.01}
        recipe.pop("patience")
        path = folder / f"recipes/{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
        config["targets"][name] = {"server": "local", "adapter": f".harness/candidates/{name}"}
    (folder / "harness.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def harness(folder: Path, *arguments: str) -> str:
    """What a command prints on standard output."""
    line = [sys.executable, "-m", "harness", *arguments]
    done = subprocess.run(line, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1, 3, 4) or (arguments[0] == "gate" and not done.stdout):
        raise SystemExit(f"harness {' '.join(arguments)}: exit code {done.returncode}")
    return done.stdout


def main() -> None:
    """Train, serve and judge what is not there yet, and print the table."""
    demo, folder = (Path(name).resolve() for name in sys.argv[1:3])
    make_project(demo, folder)
    names = [f"leak{level}" for level in LEVELS]
    harness(folder, "train", *(f"recipes/{name}.yaml" for name in names))
    harness(folder, "run", "base", *names)
    print(f"{'leaked':>6} {'cases':>6} {'gain':>24} {'without leaked groups':>26}  verdict")
    for level, name in zip(LEVELS, names, strict=True):
        verdict = json.loads(harness(folder, "gate", name, "--stored", "--json"))
        (rule,) = verdict["rules"]
        clean = rule.get("without_leaked") or rule
        leaked = len(verdict["leakage"]["leaked"])
        print(f"{level:>5}% {leaked:>6} {_span(rule):>24} {_span(clean):>26}  {verdict['verdict']}")


def _span(rule: Row) -> str:
    return f"{rule['estimate']:+.3f} [{rule['ci_low']:+.3f}, {rule['ci_high']:+.3f}]"


if __name__ == "__main__":
    main()
