"""What a target puts before a question: examples and passages, and how its identity says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.client.protocol import ChatClient
from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import UsageError
from harness.files import file_digest
from harness.records.target import FewShot
from harness.retrieval import Documents, RetrievingClient, open_index, read_documents


def additions(project: Project, target: str) -> dict[str, str]:
    """What the target's identity says of its examples and documents, where it has any.

    Raises:
        UsageError: a file is missing, or the documents are no text.
        ConfigError: a relative path climbs out of the project.
    """
    chosen, found = project.target(target), {}
    if (examples := chosen.few_shot) is not None:
        digest = file_digest(examples_file(project, target, examples))
        found["few_shot"] = f"{examples.k} examples, seed {examples.seed}, {digest}"
    if (retrieval := chosen.retrieval) is not None:
        digest = documents_of(project, target).digest
        found["retrieval"] = f"{retrieval.k} passages of {retrieval.words} words, {digest}"
    return found


def examples_file(project: Project, target: str, examples: FewShot) -> Path:
    """Where the target's examples are.

    Raises:
        UsageError: there is no such file.
        ConfigError: a relative path climbs out of the project.
    """
    place = f"targets.{target}.few_shot"
    path = project.resolve(examples.file, place)
    if not path.is_file():
        raise UsageError(f"no such file: `{examples.file}`", where=project.place(place))
    return path


def documents_of(project: Project, target: str) -> Documents:
    """The documents of a target with `retrieval`.

    Raises:
        UsageError: there are none, or they are no text.
        ConfigError: a relative path climbs out of the project.
    """
    retrieval = project.target(target).retrieval
    assert retrieval is not None
    place = f"targets.{target}.retrieval.documents"
    path = project.resolve(retrieval.documents, place)
    return read_documents(path, retrieval.words, project.place(place))


def asker(project: Project, target: str) -> Callable[[ChatClient], ChatClient]:
    """What makes of a client one that asks as the target does, with passages before each question.

    The index of its documents is kept below `.harness/cache`.

    Raises:
        UsageError: as `documents_of`, or the packages that it takes are not installed.
        StorageError: the index cannot be kept.
    """
    retrieval = project.target(target).retrieval
    if retrieval is None:
        return lambda client: client
    folder = project.root / ".harness" / "cache" / "retrieval"
    index, k = open_index(documents_of(project, target), folder), retrieval.k
    return lambda client: RetrievingClient(client, index, k, SYSTEM_CLOCK)
