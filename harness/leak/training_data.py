"""The training data of a target, as its dossier or the configuration names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.config import Project
from harness.errors import HarnessError, RecipeError
from harness.files import digest_json, file_digest
from harness.leak.conversations import Trained, of_turns, read_conversations
from harness.model_files import ADAPTER_WEIGHTS, read_json
from harness.records.leakage import TrainingData
from harness.records.server import ManagedServer
from harness.serving.adapter import read_adapter
from harness.targets.merged import RECORD
from harness.targets.models import server_model, target_adapter
from harness.training.candidate import DOSSIER, Dossier, read_dossier
from harness.training.data_files import project_path, read_placed


@dataclass(slots=True)
class NamedData:
    """The files that a target was trained on, by the names they go by; nothing is read yet.

    `dossiers` are those of the trainings here, the last one first; `problems` what is not known.
    """

    target: str
    files: dict[str, Path] = field(default_factory=dict)
    dossiers: list[Dossier] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def known(self) -> bool:
        """Whether any file is named."""
        return bool(self.files)

    def digests(self) -> dict[str, str | None]:
        """The digest of each file by its name, None where it is missing."""
        return {
            name: file_digest(path) if path.is_file() else None for name, path in self.files.items()
        }


def named_data(project: Project, target: str) -> NamedData:
    """What names the target's training files: `data` of the target, and the dossiers of trainings.

    A dossier beside the adapter counts, of a merged model that of the adapter in it, and of a
    training that went on from an adapter also that one's. Nothing is fetched.

    Raises:
        UsageError: a file of the configuration's is no path that it may name.
    """
    found = NamedData(target)
    chosen = project.target(target)
    for place, name in enumerate(chosen.data):
        found.files[name] = project.resolve(name, f"targets.{target}.data[{place}]")
    if chosen.adapter is not None:
        _add_dossiers(project, found, target_adapter(project, target, here=True).path)
    elif isinstance(project.config.servers[chosen.server], ManagedServer):
        model = server_model(project, chosen.server, here=True).path
        if (model / RECORD).is_file():
            _add_merged(project, found, _merged(model))
    return found


def _add_merged(project: Project, found: NamedData, record: dict[str, object]) -> None:
    folder = project.root / str(record.get("adapter"))
    try:
        same = read_adapter(folder).digest == record.get("adapter_digest")
    except HarnessError:
        same = False
    if same:
        _add_dossiers(project, found, folder)
    else:
        found.problems.append("the adapter that is merged in it is gone, and its dossier with it")


def _merged(model: Path) -> dict[str, object]:
    try:
        record = read_json(model / RECORD)
    except HarnessError:
        return {}
    return record if isinstance(record, dict) else {}


def _add_dossiers(project: Project, found: NamedData, folder: Path) -> None:
    """Add the data of the training that made the adapter in the folder, and of those before it."""
    wanted: str | None = None
    seen: set[Path] = set()
    while folder not in seen:
        seen.add(folder)
        dossier = read_dossier(folder)
        if dossier is None or not _is_of(dossier, folder, wanted):
            if wanted is not None:
                found.problems.append(
                    f"it was trained on from another adapter ({folder.name}), whose data is not "
                    "known"
                )
            elif dossier is not None:
                found.problems.append(f"{DOSSIER} in {folder.name} is not of the adapter there")
            return
        where = f"recipe {dossier.recipe.name}: data"
        for name in dossier.recipe.data:
            found.files[name] = project_path(project.root, name, where)
        found.dossiers.append(dossier)
        start = dossier.recipe.start_from
        if start is None:
            return
        wanted, folder = dossier.start_digest or "", project_path(project.root, start, where)


def _is_of(dossier: Dossier, folder: Path, wanted: str | None) -> bool:
    weights = folder / ADAPTER_WEIGHTS
    digest = file_digest(weights) if weights.is_file() else None
    return digest == dossier.adapter_digest and wanted in (None, digest)


def read_training(named: NamedData, root: Path) -> tuple[TrainingData, list[Trained]]:
    """What is known of the data, and its examples as far as they can be read."""
    problems = list(named.problems)
    examples: list[Trained] = []
    read: set[str] = set()
    for dossier in named.dossiers:
        recipe = dossier.recipe
        try:
            placed = read_placed(recipe, root)
        except RecipeError:
            continue  # what is missing or broken is said file by file
        read.update(recipe.data)
        if digest_json([one.model_dump(mode="json") for _, one in placed]) != dossier.data_hash:
            files = ", ".join(recipe.data)
            problems.append(
                f"{files} changed since `{recipe.name}` was trained: the files of now are compared"
            )
        for place, one in placed:
            turns = [(turn.role, turn.content) for turn in one.messages]
            rejected = getattr(one, "rejected", None)
            if rejected is not None:
                turns.append((rejected.role, rejected.content))
            examples.append(of_turns(place, turns))
    for name, path in named.files.items():
        if name not in read:
            found, problem = _read(path, name)
            examples += found
            problems += problem
    data = TrainingData(
        target=named.target,
        known=named.known,
        files=named.digests(),
        conversations=len(examples),
        problems=tuple(dict.fromkeys(problems)),
    )
    return data, examples


def _read(path: Path, name: str) -> tuple[list[Trained], Iterator[str] | tuple[str, ...]]:
    """The examples of a file and what is wrong with it, if anything."""
    if not path.is_file():
        return [], (f"{name} is missing, so that it was not compared",)
    examples: list[Trained] = []
    try:
        examples.extend(read_conversations(path, name))
    except HarnessError as error:
        return examples, (f"not all of {name} could be compared: {error.line}",)
    return examples, ()
