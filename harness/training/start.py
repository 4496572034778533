"""The adapter that a training of preferences goes on from."""

from __future__ import annotations

import json
from pathlib import Path

from harness.errors import RecipeError
from harness.files import file_digest
from harness.model_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from harness.training.candidate import DOSSIER, Recipe
from harness.training.data_files import project_path

# The recipe's key, and what it is called in peft's configuration.
_SAME = {"rank": "r", "alpha": "lora_alpha", "dora": "use_dora", "rslora": "use_rslora"}


def find_start(recipe: Recipe, project_dir: Path, base_digest: str) -> tuple[Path, str] | None:
    """The folder and the digest of the adapter in `start_from`; None where there is no such key.

    Raises:
        RecipeError: no adapter there, one of another form than the recipe's, or of another base.
    """
    if recipe.start_from is None:
        return None
    where = f"recipe {recipe.name}: start_from"
    folder = project_path(project_dir, recipe.start_from, where)
    try:
        config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        digest = file_digest(folder / ADAPTER_WEIGHTS)
    except (OSError, ValueError):
        raise RecipeError(
            f"no adapter at {recipe.start_from}",
            where=where,
            hint="it is a candidate's folder, such as .harness/candidates/good: train it first",
        ) from None
    for key, name in _SAME.items():
        if (config.get(name) or False) != (getattr(recipe, key) or False):
            raise RecipeError(
                f"the adapter has {key} {config.get(name)}, and the recipe {getattr(recipe, key)}",
                where=where,
                hint=f"the training goes on with that adapter: write its own `{key}`",
            )
    for key, own in _modules(recipe).items():
        theirs = config.get(key) or []
        if own is not None and (isinstance(theirs, str) or set(theirs) != set(own)):
            raise RecipeError(
                f"the adapter has other {key} than the recipe: {theirs or 'none'}",
                where=where,
                hint=f"the training goes on with that adapter: write its own `{key}`",
            )
    if _base_of(folder) not in (None, base_digest):
        raise RecipeError(
            f"{recipe.start_from} was trained on another base than {recipe.base}",
            where=where,
            hint="train it again on this one",
        )
    return folder, digest


def _modules(recipe: Recipe) -> dict[str, tuple[str, ...] | None]:
    """The modules that the recipe names, by peft's keys; None where it leaves them open."""
    targets = None if isinstance(recipe.target_modules, str) else recipe.target_modules
    return {"target_modules": targets, "modules_to_save": recipe.modules_to_save}


def _base_of(folder: Path) -> str | None:
    """The digest of the base that a candidate's dossier names."""
    try:
        dossier = json.loads((folder / DOSSIER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(dossier["base_digest"]) if "base_digest" in dossier else None
