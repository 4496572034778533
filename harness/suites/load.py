"""`suite.yaml` and the files beside it, read into a `Suite`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.errors import SuiteError
from harness.files import digest_json, file_digest
from harness.records.base import Record, read_record
from harness.records.suite import NAME_PATTERN, Section, Suite
from harness.suites.data import data_digests, reads_cases
from harness.suites.source import LoadedSection, SectionBook, SectionSource, why
from harness.yaml_files import read_yaml

SUITE_FILE = "suite.yaml"
# Among the parts that results rest on: a judge that a test asks is told it.
DOMAIN = f"`domain` of {SUITE_FILE}"


class SuiteKeys(Record):
    """`suite.yaml` as written; sections are read one by one, for errors that name them."""

    name: str = Field(pattern=NAME_PATTERN)
    domain: str = Field(min_length=1)
    version: int = Field(ge=-(2**63), lt=2**63)
    system_prompt: str | None = Field(default=None, min_length=1)
    sections: dict[str, Any] = Field(min_length=1)


def load_suite(path: Path, book: SectionBook) -> Suite:
    """The suite in a folder that holds `suite.yaml`, or in the given YAML file.

    Its digest covers everything that can change a score, and neither the order of lines, the
    formatting of the files nor the place of the folder.

    Raises:
        SuiteError: one line that names file, line and key.
    """
    file, written, loaded = _read(path, book)
    data = _data(file, loaded)
    return Suite(
        name=written.name,
        domain=written.domain,
        version=written.version,
        system_prompt=written.system_prompt,
        sections=tuple(
            _with_parts(each, loaded, file.parent, data, written.domain) for each in loaded
        ),
        digest=_digest(written, loaded, data),
        folder=str(file.parent),
    )


def suite_files(path: Path, book: SectionBook) -> dict[str, Path]:
    """The files that a suite's digest covers, by their place in its folder, the main one first.

    Raises:
        SuiteError: one line that names file, line and key.
    """
    file, _, loaded = _read(path, book)
    names = (file.name, *(name for each in loaded for name in each.files), *_data(file, loaded))
    found = {name: file.parent / name for name in dict.fromkeys(names)}
    # A file that need not be there, such as a conftest.py, is covered by being none.
    return {name: path for name, path in found.items() if path.is_file()}


def _read(path: Path, book: SectionBook) -> tuple[Path, SuiteKeys, list[LoadedSection]]:
    file = _suite_file(path)
    yaml = read_yaml(file, SuiteError)
    written = read_record(SuiteKeys, yaml, SuiteError)
    ids: dict[str, tuple[Path, int]] = {}
    owners: dict[str, str] = {}
    loaded = [
        book.load(SectionSource(yaml, name, raw, ids, owners))
        for name, raw in written.sections.items()
    ]
    return file, written, loaded


def system_prompt_of(path: Path) -> str | None:
    """The system prompt of the suite at a path, None where it has none; its sections are not read.

    Raises:
        SuiteError: the file cannot be read.
    """
    found: str | None = read_yaml(_suite_file(path), SuiteError).data.get("system_prompt")
    return found


def _suite_file(path: Path) -> Path:
    """The YAML file of the suite at a path."""
    try:
        file = path / SUITE_FILE if path.is_dir() else path
        exists = file.exists()
    except (OSError, ValueError) as error:
        raise SuiteError(f"cannot read: {why(error)}", where=str(path)) from None
    if not exists:
        hint = f"a suite is a folder with a {SUITE_FILE}"
        raise SuiteError("no such file", where=str(file), hint=hint)
    return file


def _data(file: Path, loaded: Sequence[LoadedSection]) -> dict[str, str]:
    """The digests of what a section could read in the folder, where there is one that may.

    A file that nobody could read changes no score.
    """
    if not any(each.reads_folder for each in loaded):
        return {}
    known = [file.name, *(name for each in loaded for name in each.files)]
    return data_digests(file.parent, SUITE_FILE, [file.parent / name for name in known])


def _with_parts(
    one: LoadedSection,
    loaded: Sequence[LoadedSection],
    folder: Path,
    data: dict[str, str],
    domain: str,
) -> Section:
    """The section with what its results rest on, unless its code may read any other file."""
    if not one.reads_folder:
        return one.section
    own = [folder / name for name in one.files]
    code = [*own, *(folder / name for name in data if name.endswith(".py"))]
    others = {name for each in loaded if each is not one for name in each.files} - set(one.files)
    # Code that imports another section's tests names them without the suffix.
    if reads_cases(code, {name.removesuffix(".py") for name in others}):
        return one.section
    files = {path.name: file_digest(path) for path in own if path.is_file()}
    parts = {**files, **data, DOMAIN: digest_json(domain)}
    return one.section.model_copy(update={"parts": parts})


def _digest(written: SuiteKeys, loaded: Sequence[LoadedSection], data: dict[str, str]) -> str:
    groups: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for each in loaded:
        groups[each.group][each.section.name] = each.digest
    return digest_json(
        {
            # A suite without such sections has the digest it had before there were any.
            **groups,
            "sections": groups["sections"],
            **({"data": data} if data else {}),
            "name": written.name,
            "version": written.version,
            "domain": written.domain,
            "system_prompt": written.system_prompt,
        }
    )
