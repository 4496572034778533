"""Recipes from their YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import RecipeError
from harness.files import read_yaml
from harness.records.base import Record, explain
from harness.records.recipe import Recipe, TinyRecipe

Kind = TypeVar("Kind", bound=Record)


def load_recipe(path: Path) -> Recipe:
    """The adapter recipe in a YAML file.

    Raises:
        RecipeError: missing file, bad YAML, an unknown key, or a value that does not fit.
    """
    return _load(Recipe, path)


def load_tiny_recipe(path: Path) -> TinyRecipe:
    """The recipe of a tiny base model in a YAML file.

    Raises:
        RecipeError: missing file, bad YAML, an unknown key, or a value that does not fit.
    """
    return _load(TinyRecipe, path)


def _load(kind: type[Kind], path: Path) -> Kind:
    try:
        return kind.model_validate(read_yaml(path, RecipeError))
    except ValidationError as error:
        raise RecipeError(
            explain(error), where=str(path), hint="docs/training.md lists the keys"
        ) from None
