"""`harness train`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from harness.cli.console import Console
from harness.cli.options import config_option
from harness.config import Project, load_project
from harness.data.ledger import check_training
from harness.data.lint.recipes import lint_recipe
from harness.data.provenance import data_lines, record_data, trained_data
from harness.errors import HarnessError, RecipeError, UsageError
from harness.files import short_path
from harness.sections.section_kinds import load_suites
from harness.targets.missing import RECIPES
from harness.training import load_recipe
from harness.training.candidate import Recipe
from harness.training.data_files import read_placed
from harness.training.data_record import TrainedData
from harness.training.job import find_base
from harness.training.memory import estimate_in_words
from harness.training.ranks import share
from harness.training.side_by_side import train_side_by_side
from harness.visible_text import one_line


@click.command("train")
@click.argument("recipes", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Train again although the candidate is there.")
@click.option(
    "--estimate",
    is_flag=True,
    help="Print the memory that each training needs, from its base's config.json, and train none.",
)
@click.option(
    "--on",
    type=click.Choice(["cpu", "cuda"]),
    help="With --estimate: for a CPU or a GPU that need not be here.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Divide each step's examples among N processes, a GPU each.",
)
@click.option("--no-lint", is_flag=True, help="Train without looking at the data first.")
@config_option
def command(
    recipes: tuple[Path, ...],
    force: bool,
    estimate: bool,
    on: str | None,
    processes: int,
    no_lint: bool,
    config: Path,
) -> None:
    """Train a candidate from each of RECIPES into .harness/candidates/<name>/.

    Errors that `harness data` finds in the data stop it, but for those that the recipe's
    `lint_ignore` names.

    Without a GPU several are trained side by side, a process each.

    A candidate that is there already, from the same recipe, data and base, is left as it is; an
    interrupted training goes on from its last checkpoint.
    """
    project = load_project(config)
    require_training()
    loaded = [load_recipe(_there(path, project.root)) for path in recipes]
    if estimate:
        for recipe in loaded:
            click.echo(estimate_in_words(share(recipe, processes), project.root, on))
        return
    if on is not None:
        raise UsageError("--on goes with --estimate", hint="a training runs on what is here")
    for recipe in loaded:
        require_trackers(recipe)
    # A mistake in the data must not cost the download of a base.
    data = {recipe.name: _looked_at(recipe, project, lint=not no_lint) for recipe in loaded}
    with Console() as console:
        for recipe in loaded:
            find_base(recipe, project.root, console)
        dossiers = train_side_by_side(
            loaded,
            project_dir=project.root,
            force=force,
            processes=processes,
            on_progress=console.progress,
            on_say=console.say,
        )
        for dossier in dossiers:
            record_data(project, dossier, data[dossier.name])
            stopped = ", stopped early" if dossier.stopped_early else ""
            click.echo(
                f"{dossier.name}: {dossier.steps_done} steps{stopped}, validation loss "
                f"{dossier.best_validation_loss:.3f} at step {dossier.best_step}, "
                f"adapter {dossier.adapter_digest[:19]}"
            )


def _looked_at(recipe: Recipe, project: Project, *, lint: bool) -> TrainedData:
    """The record of the recipe's data; what people should know of it is said."""
    check_training(project.root, (
        (place, one.group, [turn.content for turn in one.messages if turn.role == "user"])
        for place, one in read_placed(recipe, project.root)
    ))  # fmt: skip
    linted = lint_recipe(recipe, project.root) if lint else None
    try:
        suites = load_suites(project)
    except HarnessError:
        suites = ()  # what is wrong with them is told by the commands that use them
    data = trained_data(recipe, project, suites, linted)
    notes = data_lines(recipe.name, data)
    if not recipe.why:
        notes.append(f"{recipe.name}: write `why:` in the recipe, for who reads its dossier later")
    for note in notes:
        click.echo(f"note: {one_line(note, 300)}", err=True)
    return data


def _there(path: Path, root: Path) -> Path:
    """The recipe's path, unless only the name of one in recipes/ was given.

    Raises:
        UsageError: it was.
    """
    meant = root / RECIPES / f"{path.name}.yaml"
    if not path.exists() and meant.is_file():
        hint = f"did you mean {short_path(meant)}?"
        raise UsageError("no such file", where=str(path), hint=hint)
    return path


def require_trackers(recipe: Recipe) -> None:
    """Nothing, where the packages that the recipe reports to are installed.

    Raises:
        RecipeError: one is missing.
    """
    missing = [name for name in recipe.report_to if find_spec(name) is None]
    if missing:
        raise RecipeError(
            f"not installed: {', '.join(missing)}",
            where=f"recipe {recipe.name}: report_to",
            hint=f"pip install {' '.join(missing)}, or leave the key away",
        )


def require_training() -> None:
    """Nothing, where the packages that train are installed.

    Raises:
        UsageError: one is missing.
    """
    missing = [name for name in ("torch", "transformers", "peft", "trl") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"training needs {', '.join(missing)}",
            hint="`make setup` on a machine without a GPU, else pip install -e '.[train]'",
        )
