"""What a project's candidates are, from their files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.config import Project
from harness.errors import HarnessError
from harness.files import file_digest, read_bytes
from harness.model_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from harness.records.run import RunHeader
from harness.records.server import ManagedServer, RemoteServer
from harness.serving.adapter import check_fits, read_adapter
from harness.serving.adapter_origin import Origin, describe_adapter
from harness.serving.servable import check_servable
from harness.targets.models import server_model, target_adapter
from harness.training.candidate import CURVES, Curves, Dossier, read_dossier
from harness.training.curves import Training


def describe_candidates(project: Project) -> Iterator[tuple[str, bool]]:
    """Lines on each target whose adapter is in a folder here, and whether a line is a warning.

    They say what the adapter is, who trained it and how, and where our recipe gave the chat
    template something else than the requests do.

    Raises:
        UsageError: an adapter cannot be read, vLLM cannot serve it on the base that is here, or it
            is for another base.
    """
    for name, target in project.config.targets.items():
        if target.adapter is None:
            continue
        folder = target_adapter(project, name, here=True).path
        if not (folder / ADAPTER_CONFIG).is_file():
            continue  # not trained, or not fetched yet
        dossier = read_dossier(folder)
        yield f"{name}: {describe_adapter(folder, _own(dossier) if dossier else None)}", False
        if dossier is not None:
            yield from ((f"{name}: {line}", True) for line in _differences(project, name, dossier))
        server = project.config.servers[target.server]
        if isinstance(server, ManagedServer):
            model = server_model(project, target.server, here=True).path
            if next(model.glob("*.safetensors"), None) is not None:
                check_servable(folder, model)
                check_fits(folder, model)


def find_training(project: Project, run: RunHeader) -> Training | None:
    """How a recipe trained the adapter of a run's target; None where another one is here now."""
    target = project.config.targets.get(run.target)
    if run.identity.adapter is None or target is None or target.adapter is None:
        return None
    folder = target_adapter(project, run.target, here=True).path
    dossier, data = read_dossier(folder), read_bytes(folder / CURVES)
    if dossier is None or data is None:
        return None
    try:
        own = dossier.adapter_digest == file_digest(folder / ADAPTER_WEIGHTS)
        if not own or read_adapter(folder).digest != run.identity.adapter:
            return None
        return Training(dossier, Curves.model_validate_json(data))
    except (HarnessError, OSError, ValueError):
        return None


def _own(dossier: Dossier) -> Origin:
    """What the dossier tells, where we trained the adapter."""
    settings = [("learning rate", f"{dossier.recipe.learning_rate:g}")]
    if dossier.learnt is not None:
        by = {"marks": "marks", "prefix": "rendering"}[dossier.learnt.found]
        settings.append(("answers found by", by))
    return Origin(
        trainer="harness train",
        steps=dossier.steps_done,
        validation_loss=dossier.best_validation_loss,
        settings=tuple(settings),
        data=dossier.recipe.data,
    )


def _differences(project: Project, target: str, dossier: Dossier) -> Iterator[str]:
    """Where the model will read another prompt than it was trained on."""
    server = project.config.servers[project.target(target).server]
    if not isinstance(server, ManagedServer | RemoteServer):
        return
    trained = dossier.recipe.chat_template_kwargs
    asked = dict(project.generation(target).chat_template_kwargs or {})
    by_server = isinstance(server, ManagedServer) and any(
        option.replace("_", "-") == "default-chat-template-kwargs" for option in server.args
    )
    if trained != asked and not by_server:
        yield (
            f"trained with `chat_template_kwargs: {json.dumps(trained)}` and asked with "
            f"{json.dumps(asked)}: give `generation` and the recipe the same"
        )
    if (dossier.recipe.system_as == "user") != (server.request.system_as == "user"):
        yield (
            f"trained with `system_as: {dossier.recipe.system_as or 'system'}` and asked with "
            f"`{server.request.system_as or 'system'}`: give the server's `request` and the "
            "recipe the same"
        )
