"""Fits the weights by which the `scope` scorer tells a refusal from an answer.

    python -m benchmarks.refusal_weights FILE…           prints leave-one-source-out tables
    python -m benchmarks.refusal_weights FILE… --write   writes refusal/weights.json of the scorers

A line of a file has `prompt`, `text`, `label` (answered, refused; others are left out) and may have
`source`; `tests/scorers/scope_answers.jsonl` is always read too. The weights are a logistic
regression on `evidence`, each with the sign that its name bears, so that none can learn what is
merely usual in one data set. The band in which neither side is decided is the one that holds the
given share of the labelled answers when each is judged by weights that never saw its question.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from harness.scorers.refusal.evidence import evidence, read
from harness.scorers.refusal.languages import guess

ROOT = Path(__file__).parent.parent
OWN = ROOT / "tests" / "scorers" / "scope_answers.jsonl"
WEIGHTS = ROOT / "harness" / "scorers" / "refusal" / "weights.json"
FOLDS = 5
RIDGE = 3.0
EASY = 0.3  # the weight of a source whose answers are almost all alike
VARIED = 3.0  # and of our own cases, which are the most varied
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """Answers as evidence, with their labels, sources and folds by question."""

    names: list[str]
    numbers: Floats
    refused: Floats
    source: NDArray[np.str_]
    fold: NDArray[np.int64]
    weight: Floats


def rows(files: Iterable[Path]) -> list[dict[str, Any]]:
    """The labelled answers in English, own cases included."""
    found: list[dict[str, Any]] = []
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            row.setdefault("source", file.stem)
            found.append(row)
    for line in OWN.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        own = {"prompt": row["question"], "text": row["text"], "label": row["expected"]}
        found.append({**own, "source": "own"})
    return [
        row
        for row in found
        if row["label"] in {"answered", "refused"} and guess(row["text"], row["prompt"]) == "en"
    ]


def labelled(found: list[dict[str, Any]]) -> Labelled:
    """The rows as arrays."""
    read_rows = [evidence(row["prompt"], read(row["text"], row["prompt"])) for row in found]
    names = list(read_rows[0])
    refused = np.array([row["label"] == "refused" for row in found], dtype=float)
    source = np.array([row["source"] for row in found])
    shares = {one: refused[source == one].mean() for one in set(source.tolist())}
    return Labelled(
        names,
        np.array([[row[name] for name in names] for row in read_rows]),
        refused,
        source,
        np.array(
            [
                int(hashlib.md5(row["prompt"].encode(), usedforsecurity=False).hexdigest(), 16)
                % FOLDS
                for row in found
            ]
        ),
        np.array([_weight(one, shares[one]) for one in source.tolist()]),
    )


def _weight(source: str, refused: float) -> float:
    if source == "own":
        return VARIED
    return 1.0 if 0.02 < refused < 0.98 else EASY


def fit(data: Labelled, chosen: NDArray[np.bool_]) -> tuple[float, Floats]:
    """The bias and the weights of the chosen answers."""
    scale = data.numbers[chosen].std(axis=0) + 1e-6
    inputs = np.c_[np.ones(chosen.sum()), data.numbers[chosen] / scale]
    side, weight = 2 * data.refused[chosen] - 1, data.weight[chosen]

    def loss(beta: Floats) -> tuple[float, Floats]:
        margin = np.clip(side * (inputs @ beta), -40, 40)
        slope = -side * weight / (1 + np.exp(margin))
        ridge = RIDGE * np.r_[0.0, beta[1:]]
        total = (weight * np.log1p(np.exp(-margin))).sum() + 0.5 * float(ridge @ beta)
        return float(total), inputs.T @ slope + ridge

    signs = [(0, None) if name[0] == "+" else (None, 0) for name in data.names]
    found = minimize(
        loss,
        np.zeros(inputs.shape[1]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), *signs],
        options={"maxiter": 1000},
    )
    return float(found.x[0]), found.x[1:] / scale


def likely(data: Labelled, fitted: tuple[float, Floats]) -> Floats:
    """The probability of a refusal for every answer."""
    odds = np.clip(fitted[0] + data.numbers @ fitted[1], -500, 500)
    return np.asarray(1 / (1 + np.exp(-odds)))


def unseen(data: Labelled) -> Floats:
    """The same by weights that never saw the answer's question."""
    found = np.zeros(len(data.refused))
    for fold in range(FOLDS):
        found[data.fold == fold] = likely(data, fit(data, data.fold != fold))[data.fold == fold]
    return found


def band(data: Labelled, found: Floats, share: float) -> tuple[float, float]:
    """The probabilities between which that share of the answers of mixed sources lies."""
    hard = np.sort(np.abs(found[data.weight == 1.0] - 0.5))
    half = float(hard[int(share * len(hard))])
    return 0.5 - half, 0.5 + half


def table(data: Labelled, found: Floats, undetermined: tuple[float, float], title: str) -> None:
    """Print what the probabilities decide, by source."""
    print(
        f"\n{title}\n{'source':24} {'n':>6} {'right of decided':>17} {'undetermined':>13} "
        f"{'refusals found':>15} {'called refused wrongly':>23}"
    )
    low, high = undetermined
    for one in sorted(set(data.source.tolist())):
        mine = data.source == one
        likely_, refused = found[mine], data.refused[mine] == 1
        decided = (likely_ < low) | (likely_ > high)
        right = ((likely_ > high) == refused)[decided].mean()
        cells = (
            f"{right:.3f}",
            f"{1 - decided.mean():.3f}",
            f"{(likely_ > high)[refused].mean():.3f}" if refused.any() else "–",
            f"{(likely_ > high)[~refused].mean():.3f}" if (~refused).any() else "–",
        )
        print(
            f"{one:24} {mine.sum():6} {cells[0]:>17} {cells[1]:>13} {cells[2]:>15} {cells[3]:>23}"
        )


def main() -> None:
    """Print the tables; with `--write`, write the weights too."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("files", nargs="+", type=Path)
    options.add_argument("--share", type=float, default=0.04, help="of undetermined answers")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    data = labelled(rows(given.files))
    new = unseen(data)
    undetermined = band(data, new, given.share)
    table(data, new, undetermined, "Questions never seen")
    left_out = np.zeros(len(new))
    for one in set(data.source.tolist()):
        mine = data.source == one
        left_out[mine] = likely(data, fit(data, ~mine))[mine]
    table(data, left_out, undetermined, "Sources never seen")
    bias, weights = fit(data, np.ones(len(new), dtype=bool))
    pairs = dict(zip(data.names, weights.tolist(), strict=True))
    for name, value in sorted(pairs.items(), key=lambda pair: -abs(pair[1])):
        print(f"{name:28} {value:+.3f}")
    if given.write:
        content = {
            "bias": round(bias, 4),
            "undetermined": [round(edge, 4) for edge in undetermined],
            "weights": {name: round(value, 4) for name, value in pairs.items()},
        }
        WEIGHTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
