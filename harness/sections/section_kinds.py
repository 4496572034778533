"""Kinds of section: their Protocols and registry, and the suites and the schema they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from harness.config import Project
from harness.errors import SuiteError, UsageError
from harness.plugins import PluginRegistry
from harness.records.attempt import Attempt
from harness.records.suite import Section, Suite
from harness.sections.work import CaseResult, SectionWork
from harness.suites.load import SuiteKeys, load_suite
from harness.suites.source import LoadedSection, SectionSource
from harness.validation import nearest
from harness.yaml_files import any_of, model_schema, one_file

ENTRY_POINT_GROUP = "harness.sections"


class SectionKind(Protocol):
    """One kind of section: how it is read from a suite.

    A section's `kind:` names it; without one, a section is of the kind whose `key` it has, or whose
    own scorer it names. A kind may have `claims`: keys that make a section its own whatever other
    keys it has.
    """

    @property
    def name(self) -> str:
        """The kind's name."""
        ...

    @property
    def key(self) -> str:
        """The key that identifies a section of this kind."""
        ...

    @property
    def keys(self) -> type[BaseModel]:
        """The keys of its sections."""
        ...

    def load(self, source: SectionSource) -> LoadedSection:
        """The section that a suite writes.

        Raises:
            SuiteError: one line that names file and key.
        """
        ...


@runtime_checkable
class SectionRunner(Protocol):
    """A kind whose sections are more than one request a case, and which runs them itself.

    It may send requests in rounds, each depending on earlier answers, work in a child process,
    or read records that people made.
    """

    # Whether its work needs a gate's baseline at hand; a run without a gate then leaves it out.
    needs_baseline: bool

    def run(self, work: SectionWork) -> None:
        """Nothing, once the results of each of the work's jobs are kept.

        After an interruption it is called again from its beginning: requests that were answered
        before are answered from the store.

        Raises:
            HarnessError: one line that says what stopped it.
        """
        ...


@runtime_checkable
class ResultsAgain(Protocol):
    """A kind that makes its results again from the answers, so that a receipt can be checked."""

    def results_again(
        self, suite: Suite, section: Section, attempts: Mapping[tuple[str, int], Attempt]
    ) -> Iterable[CaseResult]:
        """The results that follow from stored answers, each by its case's id and repeat.

        Where an answer is missing, whatever does not need it follows all the same.
        """
        ...


class SectionKinds(PluginRegistry[SectionKind]):
    """Kinds of section by name: what installed distributions declare, or those `declared`.

    It is the `SectionBook` of a suite's loader.
    """

    def __init__(self, declared: Iterable[EntryPoint] | None = None) -> None:
        super().__init__("kind of section", ENTRY_POINT_GROUP, declared)

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, read by its kind.

        Raises:
            SuiteError: no kind has its keys, or something is wrong with them.
        """
        try:
            kind = self._kind(source)
            written = {key: value for key, value in source.written.items() if key != "kind"}
            return kind.load(replace(source, written=written))
        except ValueError as error:  # a plugin's
            raise SuiteError(str(error), where=source.where) from None

    def _kind(self, source: SectionSource) -> SectionKind:
        """The kind that the section names, else that which has its keys.

        Raises:
            ValueError: there is none.
        """
        kinds = [self.get(name) for name in self.names()]
        keys = ", ".join(f"`{kind.key}` ({kind.name})" for kind in kinds)
        written = source.written
        if not isinstance(written, Mapping):
            raise ValueError(f"must hold the keys of a kind of section: {keys}")
        if "kind" in written:
            if not isinstance(written["kind"], str):
                raise ValueError("kind: must be the name of a kind of section")
            try:
                return self.get(written["kind"])
            except ValueError as error:
                raise ValueError(f"kind: {error}") from None
        for kind in kinds:
            if written.keys() & set(getattr(kind, "claims", ())):
                return kind
        for kind in kinds:
            if kind.key in written or (
                # A kind whose scorer no other kind has; it says what is missing.
                "scorer" in kind.keys.model_fields and written.get("scorer") == kind.name
            ):
                return kind
        for kind in kinds:
            if written.keys() & kind.keys.model_fields.keys():
                return kind  # it says what is missing
        near = get_close_matches(
            next(map(str, written), ""), [key for kind in kinds for key in kind.keys.model_fields]
        )
        hint = f"; did you mean `{near[0]}`?" if near else ""
        raise ValueError(f"is of no known kind: it needs one of the keys {keys}{hint}")


@cache
def kinds() -> SectionKinds:
    """The process's kinds of section, holding every one that an installed distribution declares.

    Raises:
        UsageError: two of them declare one name.
    """
    return SectionKinds()


def register(kind: SectionKind) -> None:
    """Make a kind of section known to this process.

    Raises:
        ValueError: the name is taken.
    """
    kinds().register(kind)


def suite_schema(book: SectionKinds | None = None) -> dict[str, Any]:
    """The schema; a kind of section with a method `schemas` lists its alternatives itself.

    Raises:
        ValueError: a kind cannot be loaded.
    """
    book = kinds() if book is None else book
    alternatives = []
    for name in book.names():
        kind = book.get(name)
        own = getattr(kind, "schemas", None)
        for part in [model_schema(kind.keys, f"{name}.")] if own is None else own():
            properties = {"kind": {"const": name}, **part.get("properties", {})}
            alternatives.append({**part, "properties": properties})
    schema = model_schema(SuiteKeys)
    sections = any_of(alternatives)
    schema["$defs"] = {**schema.get("$defs", {}), **sections.pop("$defs", {})}
    schema["properties"]["sections"]["additionalProperties"] = sections
    return one_file("suite.yaml", schema)


def load_suites(project: Project, only: Sequence[str] = ()) -> tuple[Suite, ...]:
    """The project's suites in the order of its configuration, or only those named.

    Raises:
        SuiteError: a suite cannot be read, or two share a name.
        UsageError: `only` names a suite that the project does not have.
    """
    suites = tuple(
        load_suite_at(project, path, f"suites[{place}]")
        for place, path in enumerate(project.config.suites)
    )
    names = [suite.name for suite in suites]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise SuiteError(
            f"two suites are called `{doubled.pop()}`",
            where=project.place("suites"),
            hint="name each folder once, and give each suite a `name` of its own",
        )
    return chosen(suites, only)


def load_suite_at(project: Project, path: str, key: str) -> Suite:
    """The suite in a folder that a key of the configuration names.

    Raises:
        SuiteError: it cannot be read, or asks a target that there is not.
    """
    suite = load_suite(_suite_path(project, path, key), kinds())
    _check_asked(project, suite)
    return suite


def _check_asked(project: Project, suite: Suite) -> None:
    """Check that there are the targets that sections ask besides the one under test."""
    known = project.config.targets
    for section in suite.sections:
        for name in section.asks:
            if name not in known:
                raise SuiteError(
                    f"sections.{section.name}: no target `{name}`{nearest(name, known)}",
                    where=suite.folder,
                    hint=f"name one under `targets` of {Path(project.file).name}",
                )


def _suite_path(project: Project, path: str, key: str) -> Path:
    """The path of a suite that the configuration names; there is something at it."""
    found = project.resolve(path, key)
    try:
        there = found.exists()
    except OSError:  # reading it says what is wrong
        there = True
    if not there:
        raise SuiteError(
            f"no such folder: `{path}`",
            where=project.place(key),
            hint="check the path; a suite is a folder with a suite.yaml",
        )
    return found


def chosen(suites: tuple[Suite, ...], only: Sequence[str]) -> tuple[Suite, ...]:
    """The suites named in `only`, or all of them where it is empty.

    Raises:
        UsageError: `only` names another.
    """
    names = [suite.name for suite in suites]
    for name in only:
        if name not in names:
            raise UsageError(f"no suite `{name}`", hint=f"there is {', '.join(names)}")
    return tuple(suite for suite in suites if not only or suite.name in only)
