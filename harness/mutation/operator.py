"""Mutants of a candidate and the operators that make them: their Protocol and their registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from harness.config import Project
from harness.model_files import chat_template_text
from harness.plugins import PluginRegistry
from harness.records.server import ManagedServer
from harness.records.suite import Suite
from harness.records.target import Generation, Target
from harness.targets.models import server_model, target_adapter
from harness.training.candidate import Recipe, read_dossier

ENTRY_POINT_GROUP = "harness.mutations"


class NotMade(Exception):
    """Why an operator has no mutant of this candidate, in a clause."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken form of the candidate.

    `about` says in a clause what is broken. Where there is a `recipe`, it is trained first, into
    the adapter that `target` names.
    """

    name: str
    about: str
    target: Target
    recipe: Recipe | None = None


@dataclass(frozen=True, slots=True)
class Original:
    """The candidate that is broken; files of its mutants go below `folder`."""

    project: Project
    name: str
    suites: tuple[Suite, ...]
    folder: Path
    seed: int

    @property
    def target(self) -> Target:
        """The candidate as it is configured."""
        return self.project.target(self.name)

    @property
    def server(self) -> ManagedServer:
        """The server that the harness starts for it.

        Raises:
            NotMade: it is on a server that others have started.
        """
        server = self.project.config.servers[self.target.server]
        if not isinstance(server, ManagedServer):
            raise NotMade("its server is not one that the harness starts")
        return server

    @property
    def adapter(self) -> Path:
        """The folder of its adapter.

        Raises:
            NotMade: it has none.
        """
        if self.target.adapter is None:
            raise NotMade("it has no adapter")
        return target_adapter(self.project, self.name, here=True).path

    @property
    def recipe(self) -> Recipe:
        """The recipe that its adapter was trained by.

        Raises:
            NotMade: nothing here says how it was trained.
        """
        dossier = read_dossier(self.adapter)
        if dossier is None:
            raise NotMade("it was not trained here: its folder has no candidate.json")
        return dossier.recipe

    @property
    def chat_template(self) -> str:
        """The chat template that its server renders conversations with.

        Raises:
            NotMade: there is none to be seen.
        """
        args = self.server.args
        given = args.get("chat-template", args.get("chat_template"))
        model = server_model(self.project, self.target.server, here=True).path
        text = chat_template_text(model, None if given is None else str(given))
        if text is None:
            raise NotMade("its model has no chat template")
        return text

    def generated(self, **settings: Any) -> Target:
        """The target with other `generation` settings."""
        return self.target.model_copy(update={"generation": {**self.target.generation, **settings}})

    def rendered(self, template: str) -> Target:
        """The target with another chat template, sent with each request.

        The server must be one that is started for it, which is told to take one: `chat_template`
        says so.
        """
        generation = Generation(**self.target.generation)
        return self.generated(
            extra_body={**(generation.extra_body or {}), "chat_template": template}
        )

    def adapted(self, adapter: Path) -> Target:
        """The target with another adapter."""
        return self.target.model_copy(update={"adapter": str(adapter)})


class Operator(Protocol):
    """One way to break a candidate."""

    @property
    def name(self) -> str:
        """Its name, as the entry point has it."""
        ...

    @property
    def trains(self) -> bool:
        """Whether its mutants are trained."""
        ...

    def mutants(self, original: Original) -> Iterator[Mutant]:
        """The mutants of a candidate; the same ones for the same seed.

        Raises:
            NotMade: this candidate cannot be broken so.
        """
        ...


@cache
def operators() -> PluginRegistry[Operator]:
    """The process's operators, every one that an installed distribution declares.

    Raises:
        UsageError: two of them declare one name.
    """
    return PluginRegistry("mutation", ENTRY_POINT_GROUP)
