"""One page of each kind that the harness writes, in a folder, with names as long as real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from starlette.testclient import TestClient

from harness.data.lint.linter import lint_files
from harness.files import write_atomic
from harness.gate.history import history
from harness.records.comparison import ComparisonRecord, PairedCase
from harness.records.history import History
from harness.records.leaderboard import Leaderboard
from harness.records.metric import Metric
from harness.records.preferences import Duel, Preferences, PreferredShare
from harness.records.verdict import Decision, Verdict
from harness.report.data_content import data_content
from harness.report.html import render_data_html
from harness.report.write import (
    write_chain,
    write_history,
    write_latency,
    write_leaderboard,
    write_report,
    write_run,
)
from harness.review.app import ReviewApp
from harness.sections.review import TaskName
from harness.training.candidate import CurvePoint, Curves
from harness.training.curves import Training
from tests.builders import make_run, shop
from tests.data.lint import planted
from tests.report.fixtures import pair
from tests.report.history_fixtures import GOLD, kept, made, result, verdict
from tests.report.leaderboard_fixtures import entry, leaderboard
from tests.report.measured import measured
from tests.report.test_chain_text import BROKEN, SAME, UNSURE
from tests.review.builders import review
from tests.targets.test_endpoint import make_dossier

DECIDED: tuple[Decision, ...] = ("PROMOTE", "BLOCK", "INCONCLUSIVE", "INVALID")
TASKS: tuple[TaskName, ...] = ("label", "prefer", "grade")
SIX = ("good-rank8-lr1e-4-epoch3", "good-rank16-lr1e-4-epoch3", "overeager", "same", "b", "older")


def write_every_page(folder: Path) -> dict[str, Path]:
    """The pages by name; those that a server shows are written as it answered."""
    found = {}
    training = _training()
    for decision in DECIDED:
        write_report(*pair(decision), folder / decision, training)
        found[decision] = folder / decision / "report.html"
    write_report(*judged_and_perturbed(), folder / "judged", training)
    found["judged"] = folder / "judged/report.html"
    found |= _of_runs(folder, training) | _of_candidates(folder) | _of_gates(folder)
    return found | _of_reviews(folder)


def judged_and_perturbed() -> tuple[Verdict, ComparisonRecord]:
    """A blocked candidate of whom a model judged the tone, and who was asked in other forms."""
    made_verdict, comparison = pair("BLOCK", 120)
    gold = [case for case in comparison.cases if case.section == "gold"]
    metric = comparison.metrics["support.gold.accuracy"]
    forms = ("typos", "no_punctuation", "asker_who_writes_in_a_second_language")
    variants = [replace(case, case=f"{case.case}~{form}") for form in forms for case in gold]
    sections = tuple(
        plan.model_copy(
            update={
                "scorer": "judge qwen2.5-7b-instruct, llama-3.1-8b",
                "metrics": (Metric(name="adherence", needs_audit=True),),
            }
        )
        if plan.section == "tone"
        else plan
        for plan in comparison.candidate.header.sections
    )
    run = replace(
        comparison.candidate,
        header=comparison.candidate.header.model_copy(update={"sections": sections}),
    )
    return made_verdict, replace(
        comparison,
        candidate=run,
        cases=tuple(map(_judged, (*comparison.cases, *variants))),
        metrics={
            **comparison.metrics,
            **{f"support.gold.{form}": replace(metric, name=f"support.gold.{form}")
               for form in forms},
        },
    )  # fmt: skip


def _judged(case: PairedCase) -> PairedCase:
    """A case of tone as two judges would leave it: an opinion of each, which may differ."""
    if case.section != "tone":
        return case
    reason = (
        "qwen2.5-7b-instruct: polite and to the point (The answer greets the customer by name, "
        "says what happens next and promises nothing that the shop cannot keep.); "
        "llama-3.1-8b: cold (It does not say that it is sorry for the delay.)"
    )
    told = {
        "label": "cold, polite and to the point",
        "reason": reason,
        "passed": None,
        "value": 0.5,
    }
    return replace(
        case,
        candidate_score=case.candidate_score.model_copy(update=told),
        baseline_score=case.baseline_score.model_copy(
            update={"label": "polite and to the point", "reason": reason, "value": 0.8125,
                    "passed": None}
        ),
        change="worse",
    )  # fmt: skip


def _training() -> Training:
    points = tuple(
        CurvePoint(
            step=step,
            train=2.4 / (1 + step / 60),
            validation=None if step % 50 else 2.5 / (1 + min(step, 300) / 80) + step / 4000,
        )
        for step in range(10, 510, 10)
    )
    dossier = make_dossier().model_copy(
        update={"steps_done": 500, "best_step": 300, "best_validation_loss": 0.601}
    )
    return Training(dossier, Curves(points=points))


def _of_runs(folder: Path, training: Training) -> dict[str, Path]:
    """Pages on one run, on its latency, on a chain and on training data."""
    (folder / "shop").mkdir(parents=True)
    project, suites = shop(folder / "shop")
    write_run(make_run(project, suites, "base"), suites, folder / "run", training)
    write_chain([SAME, BROKEN, UNSURE], folder / "chain")
    found, rules = measured("fail")
    write_latency(found, "good", "base", rules, folder / "latency")
    planted.write(folder / "tickets.jsonl")
    page = render_data_html(data_content(lint_files([folder / "tickets.jsonl"])))
    write_atomic(folder / "data/data.html", page)
    return {name: folder / name / f"{name}.html" for name in ("run", "chain", "latency", "data")}


def _of_candidates(folder: Path) -> dict[str, Path]:
    """Pages that show two candidates, six, and six whose answers people compared."""
    four = leaderboard()
    entries = tuple(
        entry(name, "bad" if name == "overeager" else "good", seed)
        for seed, name in enumerate(SIX, 2)
    )
    six = replace(four, entries=entries)
    duels = tuple(
        Duel(one, other, 6.0 + place, 2.0, 4.5)
        for place, one in enumerate(SIX)
        for other in SIX[place + 1 :]
    )
    shares = tuple(
        PreferredShare(name, 0.7 - 0.07 * place, 0.6 - 0.07 * place, 0.8 - 0.07 * place)
        for place, name in enumerate(SIX)
    )
    people = Preferences(duels, shares, raters=3, items=210, groups=70)
    boards: dict[str, Leaderboard] = {
        "two": replace(four, entries=four.entries[:2]),
        "six": six,
        "preferred": replace(six, preferences=people),
    }
    for name, board in boards.items():
        write_leaderboard(board, folder / name)
    return {name: folder / name / "compare.html" for name in boards}


def _of_gates(folder: Path) -> dict[str, Path]:
    """Pages on histories: of one gate, of many, and of values at the ends of their scales."""
    edges = [
        kept(verdict(rules=(result(GOLD, "at_least", 0.85, (value, 0.5)),), candidate=f"c{value}"))
        for value in (0.0, 0.0004, 0.8333, 1.0)
    ]
    histories: dict[str, History] = {
        "one": made(1), "many": made(30), "edges": history("support", edges, [], []),
    }  # fmt: skip
    for name, found in histories.items():
        write_history(found, folder / name)
    return {name: folder / name / "history.html" for name in histories}


def _of_reviews(folder: Path) -> dict[str, Path]:
    """What a person sees who grades: an item of each task, the end, and the overview."""
    found = {}
    for task in TASKS:
        (folder / task).mkdir()
        store = review(folder / task, task, 2)
        person = TestClient(ReviewApp(store).asgi, base_url="http://127.0.0.1")
        home = f"/r/{store.raters()[0].secret}"
        for name, path in {f"{task}-item": "", f"{task}-end": "/done"}.items():
            answer = person.get(home + path)
            assert answer.status_code == 200
            found[name] = folder / task / f"{name}.html"
            write_atomic(found[name], answer.text)
    return found
