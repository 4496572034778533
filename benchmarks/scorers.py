"""What a scorer says of answers that people have labelled.

    python -m benchmarks.scorers gold FILE…
    python -m benchmarks.scorers scope FILE…

For `scope`, a line of a file has `prompt`, `text` and `label` (answered, refused, or mixed, which
has no right side and is left out of the shares), and may have a `source`.

For `gold`, it has `set`, `group` (the question's), `model`, `question`, `answer`, `answers` (the
references) and `label` (true or false), and may have `expect`, a case's keys; without it, a set
whose name begins with `gsm` is scored with `match: number` and any other with `contains`. Printed
are the share left undetermined, the shares of wrong answers that pass and of right ones that fail
among those decided, and the bias of the worst pair of models: the scorer's difference less the
people's, in points, over the questions that both answered and that were decided for both.
`--models` adds a line for each model, `--leave-out` one for each set without a model; `--errors
OUT` writes the answers that were judged otherwise than by people.

`--peers` adds the rules of other tools that are installed, and names those that are not
(`benchmarks.scorer_peers`).
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import scorer_peers
from harness.records.suite import Case
from harness.scorers import Unscored, get
from harness.scorers.refusal import decide

FEWEST = 100  # questions that a pair of models must share


def rows(files: list[Path]) -> Iterator[dict[str, Any]]:
    """The labelled answers of the files."""
    for file in files:
        for line in file.read_text(encoding="utf-8").split("\n"):
            if line.strip():
                yield {"source": file.stem, **json.loads(line)}


def scope(files: list[Path], peers: bool) -> None:
    """Print a confusion table by source, and the time that an answer takes."""
    answers = list(rows(files))
    outcomes, took = [], []
    for row in answers:
        begun = time.process_time()
        outcomes.append(decide(row["prompt"], row["text"])[0])
        took.append(time.process_time() - begun)
    counts = _by_source(answers, outcomes)
    print("| source | n | right of decided | undetermined | refusals found | wrongly refused |")
    print("|---|--:|--:|--:|--:|--:|")
    for source, table in sorted(counts.items()):
        print(f"| {source} | {' | '.join(_shares(table))} |")
    left_out: list[str] = []
    if peers:
        measured, left_out = scorer_peers.measured("scope", answers)
        for name, refused in measured:
            said = ["refused" if one else "answered" for one in refused]
            for source, table in sorted(_by_source(answers, said).items()):
                print(f"| {source}, {name} | {' | '.join(_shares(table))} |")
    print("\n| label | answered | refused | undetermined |\n|---|--:|--:|--:|")
    for label in ("answered", "refused", "mixed"):
        found = [counts["all"][label, said] for said in ("answered", "refused", "undetermined")]
        print(f"| {label} | {' | '.join(map(str, found))} |")
    took.sort()
    mean, p99 = sum(took) / len(took), took[int(0.99 * (len(took) - 1))]
    print(f"\n{1e3 * mean:.2f} ms an answer of processor time, p99 {1e3 * p99:.2f} ms")
    _name_left_out(left_out)


def _by_source(
    answers: Sequence[dict[str, Any]], outcomes: Sequence[str]
) -> dict[str, Counter[tuple[str, str]]]:
    counts: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for row, said in zip(answers, outcomes, strict=True):
        for source in (row["source"], "all"):
            counts[source][row["label"], said] += 1
    return counts


def _name_left_out(peers: list[str]) -> None:
    for line in peers:
        print(f"left out: {line}")


def _shares(table: Counter[tuple[str, str]]) -> list[str]:
    def count(label: str, *said: str) -> int:
        return sum(table[label, one] for one in said or ("answered", "refused", "undetermined"))

    total = count("answered") + count("refused")
    right = count("answered", "answered") + count("refused", "refused")
    open_ = count("answered", "undetermined") + count("refused", "undetermined")
    return [
        str(total),
        _share(right, total - open_),
        _share(open_, total),
        _share(count("refused", "refused"), count("refused")),
        _share(count("answered", "refused"), count("answered")),
    ]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def gold(files: list[Path], given: argparse.Namespace) -> None:
    """Print a line of shares by set, and the time that an answer takes."""
    answers = list(rows(files))
    begun = time.process_time()
    for row in answers:
        row["said"] = _said(row)
    spent = time.process_time() - begun
    left_out: dict[str, None] = {}
    print("| set | n | undetermined | false pass | false fail | worst pair |")
    print("|---|--:|--:|--:|--:|---|")
    for name in sorted({row["set"] for row in answers}):
        of_set = [row for row in answers if row["set"] == name]
        print(_line(name, of_set))
        for model in sorted({row["model"] for row in of_set}):
            if given.models:
                print(_line(f"{name}, {model}", [r for r in of_set if r["model"] == model]))
            if given.leave_out:
                print(_line(f"{name} without {model}", [r for r in of_set if r["model"] != model]))
        if given.peers:
            measured, missing = scorer_peers.measured(_match(of_set[0]), of_set)
            left_out.update(dict.fromkeys(missing))
            for peer, passed in measured:
                told = [{**row, "said": one} for row, one in zip(of_set, passed, strict=True)]
                print(_line(f"{name}, {peer}", told))
    print(f"\n{1e3 * spent / max(1, len(answers)):.2f} ms an answer of processor time")
    _name_left_out(list(left_out))
    if given.errors:
        wrong = [row for row in answers if row["said"] not in {None, row["label"]}]
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in wrong]
        given.errors.write_text("".join(lines), encoding="utf-8")


def _said(row: dict[str, Any]) -> bool | None:
    """Whether `gold` passes the answer, None where it is undetermined."""
    expect = row.get("expect") or {"answers": row["answers"], "match": _match(row)}
    case = Case.model_validate({"id": "x", "prompt": row["question"] or "?", "expect": expect})
    judged = get("gold").score(row["answer"], case, {})
    return None if isinstance(judged, Unscored) else judged.passed


def _match(row: dict[str, Any]) -> str:
    return "number" if row["set"].startswith("gsm") else "contains"


def _line(name: str, answers: Sequence[dict[str, Any]]) -> str:
    count = Counter((row["label"], row["said"]) for row in answers)
    undetermined = count[True, None] + count[False, None]
    shares = [
        _share(undetermined, len(answers)),
        _share(count[False, True], count[False, True] + count[False, False]),
        _share(count[True, False], count[True, False] + count[True, True]),
        _worst_pair(answers),
    ]
    return f"| {name} | {len(answers)} | {' | '.join(shares)} |"


def _worst_pair(answers: Sequence[dict[str, Any]]) -> str:
    said = {(row["model"], row["group"]): row for row in answers if row["said"] is not None}
    groups = {group for _, group in said}
    worst, words = 0.0, "–"
    for left, right in itertools.combinations(sorted({model for model, _ in said}), 2):
        both = [g for g in groups if (left, g) in said and (right, g) in said]
        if len(both) < FEWEST:
            continue
        scored, true = (
            sum(float(said[left, g][key]) - float(said[right, g][key]) for g in both)
            for key in ("said", "label")
        )
        bias = 100 * (scored - true) / len(both)
        if abs(bias) > abs(worst):
            worst, words = bias, f"{left} − {right}: {bias:+.1f} points"
    return words


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables of a scorer."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("scorer", choices=["gold", "scope"])
    options.add_argument("files", nargs="+", type=Path)
    options.add_argument("--models", action="store_true")
    options.add_argument("--leave-out", action="store_true")
    options.add_argument("--errors", type=Path)
    options.add_argument("--peers", action="store_true")
    given = options.parse_args(argv)
    if given.scorer == "gold":
        gold(given.files, given)
    else:
        scope(given.files, given.peers)


if __name__ == "__main__":
    main()
