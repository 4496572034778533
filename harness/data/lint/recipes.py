"""The linter for a recipe's data: its files, and its base's tokenizer and template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.data.lint.check import CheckSettings
from harness.data.lint.checks.cuts import conversation_of
from harness.data.lint.linter import LintedData, lint_files
from harness.data.lint.row import DataRow, read_data_rows
from harness.errors import RecipeError, UsageError
from harness.training.base_model import load_tokenizer
from harness.training.candidate import Recipe
from harness.training.data_files import project_path
from harness.training.encoder import Encoder
from harness.training.job import TrainingJob, require_base


def recipe_files(recipe: Recipe, root: Path) -> tuple[Path, ...]:
    """The recipe's data files.

    Raises:
        RecipeError: a relative path that leaves the project.
    """
    where = f"recipe {recipe.name}: data"
    return tuple(project_path(root, name, where) for name in recipe.data)


def with_base(
    settings: CheckSettings, recipe: Recipe, root: Path, files: Sequence[Path], encoding: str
) -> CheckSettings:
    """The settings with the recipe's base, whose tokenizer and template tell what is cut off.

    Raises:
        RecipeError: no base, or one whose template cannot be used with the data.
        UsageError: a file cannot be read, or no row of any is a conversation.
    """
    rows = (row for row in read_data_rows(files, encoding) if isinstance(row, DataRow))
    known = ((row.place, conversation_of(row, recipe.system_prompt)) for row in rows)
    place, first = next(((place, one) for place, one in known if one is not None), ("", None))
    if first is None:
        raise UsageError("no row is a conversation", where=str(files[0]))
    # Only what an encoder reads of a job; nothing is trained.
    job = TrainingJob(
        recipe=recipe,
        base=require_base(recipe, root, kind="tokenizer").path,
        conversations=(first,),
        places=(place,),
        recipe_hash="",
        data_hash="",
        base_digest="",
        chat_template=None,
        folder=root,
    )
    return replace(
        settings,
        encoder=Encoder(load_tokenizer(job), job),
        max_length=recipe.max_length,
        system_prompt=recipe.system_prompt,
    )


def lint_recipe(recipe: Recipe, root: Path) -> LintedData:
    """What the linter says of a recipe's data, the base left aside.

    Raises:
        RecipeError: there are errors, whose codes the recipe's `lint_ignore` does not name.
    """
    done = lint_files(recipe_files(recipe, root), accept=recipe.lint_ignore)
    if done.errors:
        first = done.findings[0]
        more = f", the first of {done.errors} errors" if done.errors > 1 else ""
        raise RecipeError(
            f"{first.code}: {first.what}{more}",
            where=first.cases[0],
            hint=f"`harness data` shows all; `lint_ignore: [{first.code}]` in the recipe accepts "
            "them, `--no-lint` trains without looking",
        )
    return done
