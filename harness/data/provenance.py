"""The record of a training's data, for its candidate's dossier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from harness.config import Project
from harness.data.lint.linter import LintedData
from harness.data.split.settings import RECORD, read_split
from harness.errors import HarnessError
from harness.files import file_digest, write_atomic
from harness.leak.check import compare_with
from harness.leak.training_data import NamedData
from harness.records.suite import Suite
from harness.training.candidate import DOSSIER, Dossier, Recipe
from harness.training.data_files import project_path, read_placed
from harness.training.data_record import (
    AcceptedFindings,
    KnownLeaks,
    PartOfSplit,
    TrainedData,
    TrainedFile,
)
from harness.training.job import candidate_folder


def trained_data(
    recipe: Recipe, project: Project, suites: Sequence[Suite], linted: LintedData | None
) -> TrainedData:
    """What is known of the recipe's data now: its files, the linter's findings, and leaks.

    Raises:
        RecipeError: a path that leaves the project, a missing file, or one without conversations.
    """
    placed = read_placed(recipe, project.root)
    counts = Counter(place.rpartition(":")[0] for place, _ in placed)
    derived = Counter(place.rpartition(":")[0] for place, one in placed if one.derived)
    where = f"recipe {recipe.name}: data"
    paths = {name: project_path(project.root, name, where) for name in recipe.data}
    files = {
        name: TrainedFile(
            digest=file_digest(path), conversations=counts[name],
            derived=derived[name], split=_part(path)
        )
        for name, path in paths.items()
    }  # fmt: skip
    return TrainedData(
        files=files,
        lint=None if linted is None else AcceptedFindings(
            warnings=dict(sorted(linted.counts.items())),
            accepted=dict(sorted(linted.accepted.items())),
            by=recipe.lint_ignored_by,
        ),
        leaks=_leaks(recipe, project, suites, paths) if suites else None,
    )  # fmt: skip


def _part(path: Path) -> PartOfSplit | None:
    try:
        record = read_split(path.parent)
    except HarnessError:
        return None  # another tool's file of that name
    file = record.files.get(path.name) if record else None
    if record is None or file is None:
        return None
    return PartOfSplit(
        part=path.stem,
        shares=record.parts,
        record=file_digest(path.parent / RECORD),
        leaks=record.leaks,
        unchanged=file.digest == file_digest(path),
    )


def _leaks(
    recipe: Recipe, project: Project, suites: Sequence[Suite], paths: dict[str, Path]
) -> KnownLeaks:
    found = compare_with(project, suites, [NamedData(recipe.name, dict(paths))])
    return KnownLeaks(
        suites={suite.name: suite.digest for suite in suites},
        compared=found.compared,
        leaked=dict(Counter(one.kind for one in found.leaked)),
        groups=found.groups,
        problems=found.training[0].problems,
    )


def record_data(project: Project, dossier: Dossier, data: TrainedData) -> Dossier:
    """The dossier with the record of its data, on disk too; one that has a record stays as it is.

    Raises:
        StorageError: the place cannot be written.
    """
    if dossier.data is not None:
        return dossier
    done = dossier.model_copy(update={"data": data})
    path = candidate_folder(project.root, dossier.recipe) / DOSSIER
    write_atomic(path, done.model_dump_json(indent=2) + "\n")
    return done


def data_lines(name: str, data: TrainedData) -> list[str]:
    """What people should know of the data, a sentence each."""
    lines = []
    for file, one in data.files.items():
        if one.split is not None and not one.split.unchanged:
            lines.append(f"{file}: was changed since it was divided: divide the files again")
    leaks = data.leaks
    if leaks is not None and leaks.leaked:
        total = sum(leaks.leaked.values())
        lines.append(
            f"{total} of {leaks.compared} cases of the suites stand in the data: a gate leaves "
            "their groups out"
        )
    if data.lint is not None and data.lint.accepted and not data.lint.by:
        codes = ", ".join(data.lint.accepted)
        lines.append(
            f"the recipe accepts {codes}, and names nobody: write `lint_ignored_by: NAME` in it"
        )
    return [f"{name}: {line}" for line in lines]
