"""What a project's candidates are, from their files alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.config import Project
from harness.files import read_bytes
from harness.model_files import ADAPTER_CONFIG
from harness.records.server import ManagedServer
from harness.serving.adapter_origin import Origin, describe_adapter
from harness.serving.servable import check_servable
from harness.targets.models import server_model, target_adapter
from harness.training.candidate import DOSSIER, Dossier


def describe_candidates(project: Project) -> Iterator[str]:
    """A line on each target whose adapter is in a folder here: what it is, who trained it and how.

    Raises:
        UsageError: an adapter cannot be read, or vLLM cannot serve it on the base that is here.
    """
    for name, target in project.config.targets.items():
        if target.adapter is None:
            continue
        folder = target_adapter(project, name, here=True).path
        if not (folder / ADAPTER_CONFIG).is_file():
            continue  # not trained, or not fetched yet
        yield f"{name}: {describe_adapter(folder, _own(folder))}"
        server = project.config.servers[target.server]
        if isinstance(server, ManagedServer):
            model = server_model(project, target.server, here=True).path
            if next(model.glob("*.safetensors"), None) is not None:
                check_servable(folder, model)


def _own(folder: Path) -> Origin | None:
    """What the dossier tells, where we trained it."""
    data = read_bytes(folder / DOSSIER)
    if data is None:
        return None
    try:
        dossier = Dossier.model_validate_json(data)
    except ValueError:
        return None
    recipe, learnt = dossier.recipe, dossier.learnt
    told = (
        ("learning rate", f"{recipe.learning_rate:g}"),
        ("answers found by", {"marks": "marks", "prefix": "rendering"}[learnt.found])
        if learnt
        else ("", ""),
    )
    return Origin(
        trainer="harness train",
        steps=dossier.steps_done,
        validation_loss=dossier.best_validation_loss,
        settings=tuple(one for one in told if one[0]),
        data=recipe.data,
    )
