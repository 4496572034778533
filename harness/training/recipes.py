"""Recipes from their YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from harness.errors import RecipeError
from harness.records.base import Record, read_record
from harness.records.recipe import Recipe, TinyRecipe
from harness.yaml_files import read_yaml

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
    file = read_yaml(path, RecipeError)
    return read_record(kind, file, RecipeError, hint="docs/training.md lists the keys")
