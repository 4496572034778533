"""`harness demo`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import click

from harness.cli.console import Console, table
from harness.cli.options import config_option
from harness.cli.train import require_training
from harness.config import Project, load_project
from harness.errors import UsageError
from harness.files import short_path
from harness.records.comparison import ComparisonRecord
from harness.records.suite import counted
from harness.records.verdict import Verdict
from harness.run.plan import Selection
from harness.sections.evaluate import Evaluation
from harness.session.context import GateContext, open_context
from harness.session.gate import GateSession
from harness.training import load_recipe
from harness.training.side_by_side import train_side_by_side

CANDIDATES = ("good", "forgetful", "overeager")
PEOPLE = "support.people.mean"


@click.command("demo")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of all training.")
@config_option
def command(seed: int, config: Path) -> None:
    """Train, serve, test and judge three small candidates, from nothing.

    Builds a tiny chat model, tunes it three ways by recipes/, serves all of them with one vLLM,
    runs the suites and judges each candidate against the base. What is there already from an
    earlier run is used again.
    """
    project = load_project(config)
    require_training()
    with Console() as console:
        _train(project, seed, console)
        context = open_context(project, CANDIDATES, None, ())
        targets = (*context.live_baseline, *CANDIDATES)
        with GateSession(context, dict.fromkeys(CANDIDATES, Selection()), console) as session:
            Evaluation(project, context.suites, console).run(targets)  # all of them on one server
            outcomes = [session.run(name) for name in CANDIDATES]
    _print_table(context, [outcome.verdict for outcome in outcomes])
    _print_people([outcome.comparison for outcome in outcomes])


def _train(project: Project, seed: int, console: Console) -> None:
    recipes = project.root / "recipes"
    if not (recipes / "tiny.yaml").is_file():
        raise UsageError(
            "no recipes for the demo",
            where=str(recipes / "tiny.yaml"),
            hint="run it in a clone of the harness's repository",
        )
    tiny_base = import_package(recipes / "tiny_base")
    tiny = tiny_base.load_recipe(recipes / "tiny.yaml").model_copy(update={"seed": seed})
    folder = project.root / ".harness" / "models" / tiny.name
    tiny_base.build_base(tiny, folder, on_progress=console.progress)
    loaded = [
        load_recipe(recipes / f"{name}.yaml").model_copy(update={"seed": seed})
        for name in CANDIDATES
    ]
    train_side_by_side(loaded, project_dir=project.root, on_progress=console.progress)


def import_package(folder: Path) -> ModuleType:
    """The package in a folder of the repository, which is no part of what is installed."""
    name = f"recipes.{folder.name}"
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _print_people(comparisons: list[ComparisonRecord]) -> None:
    """Say how a reader graded the answers, as far as they are the ones that were read."""
    lines = ["people: how helpful a reader found their answers, 1 to 5; no rule goes by it"]
    for comparison in comparisons:
        name = comparison.candidate.header.target
        found = comparison.metrics.get(PEOPLE)
        if found is None:
            lines.append(f"{name}: its answers, or the baseline's, are others than were read")
            continue
        ours = found.candidate_num.sum() / found.candidate_den.sum()
        theirs = found.baseline_num.sum() / found.baseline_den.sum()
        cases = counted(len(found.groups), "case")
        lines.append(f"{name}: {ours:.1f}, the baseline {theirs:.1f}, in {cases}")
    click.echo("\n" + "\n".join(lines))


def _print_table(context: GateContext, verdicts: list[Verdict]) -> None:
    rows = [("candidate", "verdict", "decided by", "report")]
    for verdict in verdicts:
        rule = verdict.deciding
        decided = f"all {len(verdict.rules)} rules pass"
        if rule is not None:
            decided = f"{rule.metric or ''} {rule.require}".strip()
        elif verdict.problems:
            decided = verdict.problems[0]
        report = short_path(context.folder(verdict.candidate) / "report.html")
        rows.append((verdict.candidate, verdict.verdict, decided, str(report)))
    reasons = [f"{verdict.candidate}: {verdict.reason}" for verdict in verdicts]
    for line in ("", *table(rows, left=4), "", *reasons):
        click.echo(line)
