"""Recipes from their YAML files."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.errors import RecipeError
from harness.files import read_yaml
from harness.records.base import explain
from harness.records.recipe import Recipe, TinyRecipe


def load_recipe(path: Path) -> Recipe:
    """The adapter recipe in a YAML file.

    Raises:
        RecipeError: missing file, bad YAML, an unknown key, or a value that does not fit.
    """
    try:
        return Recipe.model_validate(read_yaml(path, RecipeError))
    except ValidationError as error:
        raise RecipeError(
            explain(error), where=str(path), hint="docs/training.md lists the keys"
        ) from None


def load_tiny_recipe(path: Path) -> TinyRecipe:
    """The recipe of a tiny base model in a YAML file.

    Raises:
        RecipeError: missing file, bad YAML, an unknown key, or a value that does not fit.
    """
    try:
        return TinyRecipe.model_validate(read_yaml(path, RecipeError))
    except ValidationError as error:
        raise RecipeError(
            explain(error), where=str(path), hint="docs/training.md lists the keys"
        ) from None
