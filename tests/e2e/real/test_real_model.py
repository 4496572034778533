"""A real model with its maker's own chat template: tuned, served by vLLM, and judged.

It works in examples/library itself, where `make real-model` has put the model, so what `make real`
or an earlier session has trained and asked is used again. What is asserted does not depend on a
machine's arithmetic.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LIBRARY = Path(__file__).parent.parent.parent.parent / "examples/library"
MODEL = LIBRARY / ".harness/models/smollm2"
CANDIDATES = ("tuned", "forgetful", "gentle", "overcautious")
CODES = {"PROMOTE": 0, "BLOCK": 1, "INCONCLUSIVE": 4}

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.timeout(10_000),
    pytest.mark.skipif(not MODEL.is_dir(), reason="the model is not here: make test-real"),
]

Done = subprocess.CompletedProcess[str]


def run(*command: str) -> Done:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    line = [sys.executable, "-m", *command]
    return subprocess.run(line, cwd=LIBRARY, env=kept, capture_output=True, text=True)


@pytest.fixture(scope="module")
def trained() -> dict[str, dict[str, Any]]:
    """The dossiers."""
    found = {}
    names = (*CANDIDATES, "qlora")
    done = run("harness", "train", *(f"recipes/{name}.yaml" for name in names))
    assert done.returncode == 0, done.stderr[-4000:]
    for name in names:
        text = (LIBRARY / f".harness/candidates/{name}/candidate.json").read_text()
        found[name] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def gates(trained: dict[str, dict[str, Any]]) -> dict[str, tuple[Done, dict[str, Any]]]:
    """What the gate of each candidate printed, and its verdict."""
    found = {}
    # One start of the server for all of them.
    asked = run("harness", "run", "base", *CANDIDATES)
    assert asked.returncode == 0, asked.stderr[-4000:]
    for name in CANDIDATES:
        done = run("harness", "gate", name)
        assert done.returncode in CODES.values(), done.stderr[-4000:]
        text = (LIBRARY / f"reports/{name}-vs-base/verdict.json").read_text()
        found[name] = (done, json.loads(text))
    return found


def rule(verdict: dict[str, Any], metric: str) -> dict[str, Any]:
    return next(one for one in verdict["rules"] if one.get("metric") == metric)


def test_the_makers_own_template_is_learnt_from(trained: dict[str, dict[str, Any]]) -> None:
    for dossier in trained.values():
        learnt = dossier["learnt"]
        assert (learnt["found"], learnt["end_of_turn"]) == ("prefix", "<|im_end|>")
        assert "Happy reading!<|im_end|>⟧" in learnt["first_example"]
    assert trained["tuned"]["best_validation_loss"] < 1.0


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_verdict_is_reached_and_every_answer_counts(
    gates: dict[str, tuple[Done, dict[str, Any]]], name: str
) -> None:
    done, verdict = gates[name]
    assert done.returncode == CODES[verdict["verdict"]]
    assert verdict["problems"] == []
    accounting = verdict["accounting"]
    counted = sum(accounting[key] for key in ("scored", "unscored", "failed"))
    assert accounting["planned"] == counted > 0
    assert accounting["failed"] == 0


def test_the_tuned_model_knows_what_it_was_taught_and_the_base_does_not(
    gates: dict[str, tuple[Done, dict[str, Any]]],
) -> None:
    gold = rule(gates["tuned"][1], "library.gold.accuracy")
    assert gold["outcome"] != "fail"
    assert gold["candidate"] > gold["baseline"] + 0.25


def test_what_was_forgotten_is_found_and_both_remedies_help(
    gates: dict[str, tuple[Done, dict[str, Any]]],
) -> None:
    """By evidence on general skills: a lower rate saves some of them, rehearsal more."""
    names = ("forgetful", "gentle", "tuned")
    lost = [rule(gates[name][1], "general.chats.nats_per_token") for name in names]
    assert lost[0]["outcome"] == "fail"
    assert gates["forgetful"][1]["verdict"] == "BLOCK"
    nats = [one["candidate"] for one in lost]
    assert nats == sorted(nats, reverse=True)
    assert lost[2]["outcome"] != "fail"


def test_merged_and_in_eight_bits_it_is_the_tuned_model(trained: dict[str, dict[str, Any]]) -> None:
    folder = LIBRARY / ".harness/models/tuned-merged"
    shutil.rmtree(folder, ignore_errors=True)
    done = run("harness", "merge", "tuned")
    assert done.returncode == 0, done.stderr[-4000:]
    assert "proved on 8 probes" in done.stdout + done.stderr
    assert (folder / "model.safetensors").is_file()
    chain = run("harness", "chain", "tuned", "merged", "int8", "--probes-only")
    assert chain.returncode == 0, chain.stdout + chain.stderr[-4000:]
    assert "the same model at all 2 hops" in chain.stdout


def test_one_that_refuses_everything_is_blocked(
    gates: dict[str, tuple[Done, dict[str, Any]]],
) -> None:
    _, verdict = gates["overcautious"]
    assert verdict["verdict"] == "BLOCK"
    assert rule(verdict, "library.gold.accuracy")["outcome"] == "fail"


def test_the_report_and_pytest_say_the_same_of_the_stored_answers(
    gates: dict[str, tuple[Done, dict[str, Any]]],
) -> None:
    code = gates["tuned"][0].returncode
    stored = run("harness", "gate", "tuned", "--stored")
    assert stored.returncode == code, stored.stderr
    again = run("harness", "report", "tuned")
    assert again.returncode == 0, again.stderr
    session = run("pytest", "suites", "--target", "tuned", "-q")
    assert session.returncode in (0, 1, 4), session.stdout[-4000:]
    assert "vLLM" not in session.stdout + stored.stderr
    assert f"{gates['tuned'][1]['verdict']}  tuned against base" in session.stdout
