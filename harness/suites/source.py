"""The source of a section in `suite.yaml`, for the kind of section that reads it."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import SuiteError
from harness.files import canonical_json, digest_bytes, open_regular
from harness.records.base import explain
from harness.records.suite import Case, Section
from harness.suites.cases import CaseFile, read_cases, stamp
from harness.validation import Problem, problem
from harness.yaml_files import YamlFile

Keys = TypeVar("Keys", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class SectionSource:
    """The keys under a section's name in `suite.yaml`, and the files beside it.

    `ids` are the file and line of each case id of the suite so far: they are unique in it.
    `owners` are the sections, by the files that no other section may be made of.
    """

    yaml: YamlFile
    name: str
    written: Mapping[str, Any]
    ids: dict[str, tuple[Path, int]]
    owners: dict[str, str]

    @property
    def file(self) -> Path:
        """The file that the section is written in."""
        return self.yaml.path

    @property
    def where(self) -> str:
        """The section's place in its file, for errors."""
        return self.place()

    def place(self, *keys: str | int) -> str:
        """The place of one of its keys, for errors: file, line and section."""
        return f"{self.yaml.where('sections', self.name, *keys)}: sections.{self.name}"

    @property
    def folder(self) -> Path:
        """The suite's folder."""
        return self.file.parent

    def read(self, keys: type[Keys], *, rest: bool = False) -> Keys:
        """The section's keys as a model; with `rest`, those that the model lacks are left out.

        Raises:
            SuiteError: a key is missing, unknown, or not what the model wants.
        """
        written = self.written
        if rest:
            written = {key: value for key, value in written.items() if key in keys.model_fields}
        try:
            return keys.model_validate(written)
        except ValidationError as error:
            found = self._misspelt(error) if rest else None
            found = found or problem(error, keys)
            raise SuiteError(found.line, where=self.place(*found.keys)) from None

    def _misspelt(self, error: ValidationError) -> Problem | None:
        """A key that would be left out, but is close to one that is missing."""
        missing = {str(each["loc"][0]) for each in error.errors() if each["type"] == "missing"}
        for key in self.written:
            if key not in missing and (near := get_close_matches(key, missing, n=1)):
                return Problem((key,), f"unknown key; did you mean `{near[0]}`?")
        return None

    def rest(self, keys: type[BaseModel]) -> dict[str, Any]:
        """The keys that the model lacks, once they are known to be plain JSON.

        Raises:
            SuiteError: they are not.
        """
        found = {key: value for key, value in self.written.items() if key not in keys.model_fields}
        try:
            json.dumps(found, sort_keys=True, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            what = "settings must be text, finite numbers, lists and mappings with text keys"
            raise SuiteError(
                what, where=self.where, hint="put dates and the like in quotes"
            ) from None
        return found

    def build(self, kind: type[Section], **given: Any) -> Any:
        """The section, as that class of section.

        Raises:
            SuiteError: a value is not what the class wants.
        """
        try:
            return kind(name=self.name, **given)
        except ValidationError as error:
            raise SuiteError(explain(error), where=self.where) from None

    def path(self, name: str, key: str) -> Path:
        """The path of a file in the suite's folder that the key names.

        Raises:
            SuiteError: it lies elsewhere.
        """
        try:
            inside = (self.folder / name).resolve().is_relative_to(self.folder.resolve())
        except (OSError, ValueError, RuntimeError) as error:  # a NUL, a loop of links
            raise SuiteError(
                f"{key}: cannot be read: {why(error)}", where=self.place(key)
            ) from None
        if not inside:
            raise SuiteError(
                f"{key}: `{name}` leaves the suite's folder",
                where=self.place(key),
                hint="put the file beside suite.yaml",
            )
        return self.folder / name

    def no_such_file(self, name: str, key: str) -> SuiteError:
        """The error of a file that the key names and that is not there."""
        what = f"{key}: no such file: `{name}`"
        return SuiteError(what, where=self.place(key), hint="check the path")

    def claim(self, name: str, key: str) -> None:
        """Let no other section of the suite be made of that file, which the key names.

        Raises:
            SuiteError: another one is.
        """
        if self.owners.setdefault(name, self.name) != self.name:
            raise SuiteError(
                f"{key}: `{name}` is that of section `{self.owners[name]}` already",
                where=self.place(key),
                hint="give each section a file of its own",
            )

    def cases(
        self, name: str, check: Callable[[Case, str], None] | None = None, key: str = "cases"
    ) -> tuple[CaseFile, str]:
        """The cases of a file of JSON lines, each checked, and a digest that knows no order.

        `check` is given each case with its place.

        Raises:
            SuiteError: the file cannot be read, a line is no case, or its id is taken.
        """
        source = self.path(name, key)
        offsets = array("Q")
        digests: list[tuple[str, bytes]] = []
        try:
            lines = open_regular(source)
        except FileNotFoundError:
            raise self.no_such_file(name, key) from None
        except OSError as error:
            raise SuiteError(f"cannot read: {why(error)}", where=str(source)) from None
        with lines:
            begun = stamp(lines)
            for number, offset, case in read_cases(lines, source):
                self.take(case.id, source, number)
                if check is not None:
                    check(case, f"{source}:{number}")
                offsets.append(offset)
                content = case.model_dump_json(exclude={"expect"}) + canonical_json(case.expect)
                digests.append((case.id, hashlib.sha256(content.encode()).digest()))
            if not offsets:
                raise SuiteError(
                    "holds no case", where=str(source), hint="add one JSON line a case"
                )
            digests.sort()
            digest = digest_bytes(b"".join(part for _, part in digests))
            return CaseFile(source, lines, begun, offsets), digest

    def take(self, case: str, source: Path, number: int) -> None:
        """Let no other case of the suite have that id, which stands on a line of a file.

        Raises:
            SuiteError: another one has it.
        """
        if case in self.ids:
            file, line = self.ids[case]
            if line == number and file.resolve() == source.resolve():
                raise SuiteError(
                    "is read by two sections, and ids are unique within a suite",
                    where=str(source),
                    hint="put all keys on one section, or give the other one a file of its own",
                )
            raise SuiteError(
                f"id: `{case}` is taken by {':'.join(map(str, self.ids[case]))}",
                where=f"{source}:{number}",
                hint="ids are unique within a suite",
            )
        self.ids[case] = source, number


@dataclass(frozen=True, slots=True)
class LoadedSection:
    """A section, with its part of the suite's digest.

    `digest` is all that can change a score there; it stands under `group` in the suite's digest.
    `files` are those that it covers, by their names in the suite's folder. With `reads_folder`
    the section may read any other file there too, so that they belong to the digest as well.
    """

    section: Section
    digest: Any
    group: str = "sections"
    files: tuple[str, ...] = field(default=())
    reads_folder: bool = False


class SectionBook(Protocol):
    """What a suite's loader needs of the kinds of section."""

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, read by its kind.

        Raises:
            SuiteError: no kind has its keys, or something is wrong with them.
        """
        ...


def why(error: Exception) -> str:
    """The reason of a file system error, in a few words."""
    return getattr(error, "strerror", None) or str(error)
