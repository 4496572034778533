"""`suite.yaml` and its case files, read into a `Suite`."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field, ValidationError

from harness.errors import SuiteError
from harness.files import canonical_json, digest_bytes, digest_json
from harness.records.base import Record, explain, read_record
from harness.records.metric import Metric
from harness.records.suite import NAME_PATTERN, Case, Section, Suite
from harness.suites.cases import CaseFile, read_cases, stamp
from harness.suites.data import data_digests
from harness.suites.tests import BESIDE, check_once, load_tests
from harness.yaml_files import read_yaml

SUITE_FILE = "suite.yaml"
_OWN_KEYS = frozenset({"cases", "scorer", "metrics"})


class ScorerBook(Protocol):
    """What a loader has to know of scorers; each method raises ValueError with what is wrong."""

    def metrics(self, scorer: str) -> Sequence[str | Metric]:
        """The metrics of the named scorer."""
        ...

    def check_section(self, scorer: str, settings: Mapping[str, Any]) -> None:
        """Nothing, where the scorer accepts a section's settings."""
        ...

    def check_case(self, scorer: str, settings: Mapping[str, Any], case: Case) -> None:
        """Nothing, where the scorer can read the case's expectation."""
        ...


class _SuiteFile(Record):
    """`suite.yaml` as written; sections are read one by one, for errors that name them."""

    name: str = Field(pattern=NAME_PATTERN)
    domain: str = Field(min_length=1)
    version: int = Field(ge=-(2**63), lt=2**63)
    system_prompt: str | None = Field(default=None, min_length=1)
    sections: dict[str, Any] = Field(min_length=1)


class _SectionFile(Record):
    cases: str = Field(min_length=1)
    scorer: str = Field(min_length=1)
    metrics: tuple[str, ...] | None = Field(default=None, min_length=1)


def load_suite(path: Path, book: ScorerBook) -> Suite:
    """The suite in a folder that holds `suite.yaml`, or in the given YAML file.

    Its digest covers everything that can change a score, and neither the order of lines, the
    formatting of the files nor the place of the folder.

    Raises:
        SuiteError: one line that names file, line and key.
    """
    file = _suite_file(path)
    written = read_record(_SuiteFile, read_yaml(file, SuiteError), SuiteError)
    places: dict[str, tuple[Path, int]] = {}
    tests = {
        name: load_tests(file, name, raw)
        for name, raw in written.sections.items()
        if isinstance(raw, dict) and "tests" in raw
    }
    loaded = [
        _load_section(file, name, raw, book, places)
        for name, raw in written.sections.items()
        if name not in tests
    ]
    check_once(file, [section for section, _ in tests.values()])
    if not loaded:
        raise SuiteError(
            "sections: Python tests need a section with `cases` beside them", where=str(file)
        )
    sections = tuple(section for section, _ in loaded)
    code = {name: digest for name, (_, digest) in tests.items()}
    known = [section.cases_file for section in sections]
    known += [BESIDE, file.name, *(section.file for section, _ in tests.values())]
    # A file that only Python tests could read changes no score where there are none.
    data = (
        data_digests(file.parent, SUITE_FILE, [file.parent / name for name in known])
        if tests
        else {}
    )
    return Suite(
        name=written.name,
        domain=written.domain,
        version=written.version,
        system_prompt=written.system_prompt,
        sections=sections,
        tests=tuple(section for section, _ in tests.values()),
        digest=_digest(written, loaded, code, data),
        folder=str(file.parent),
    )


def _suite_file(path: Path) -> Path:
    """The YAML file of the suite at a path."""
    try:
        file = path / SUITE_FILE if path.is_dir() else path
        exists = file.exists()
    except (OSError, ValueError) as error:
        raise SuiteError(f"cannot read: {_why(error)}", where=str(path)) from None
    if not exists:
        hint = f"a suite is a folder with a {SUITE_FILE}"
        raise SuiteError("no such file", where=str(file), hint=hint)
    return file


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _load_section(
    file: Path, name: str, raw: Any, book: ScorerBook, places: dict[str, tuple[Path, int]]
) -> tuple[Section, str]:
    """The section `name` of the suite in `file` with the digest of its cases.

    `places` collects where each case id stands.
    """
    where = f"{file}: sections.{name}"
    if not isinstance(raw, dict):
        raise SuiteError("must hold `cases`, `scorer` and their settings", where=where)
    try:
        written = _SectionFile.model_validate({k: v for k, v in raw.items() if k in _OWN_KEYS})
    except ValidationError as error:
        raise SuiteError(explain(error), where=where) from None
    settings = _settings(raw, where)
    metrics = _metrics(name, written, book, where)
    with _complaints(written.scorer, name, where):
        book.check_section(written.scorer, settings)
    source = _cases_file(file.parent, written.cases, where)

    def check(case: Case, place: str) -> None:
        with _complaints(written.scorer, name, place, "expect."):
            book.check_case(written.scorer, settings, case)

    cases, digest = _load_cases(source, check, places)
    try:
        section = Section(
            name=name,
            scorer=written.scorer,
            metrics=metrics,
            settings=settings,
            cases_file=written.cases,
            cases=cases,
        )
    except ValidationError as error:
        raise SuiteError(explain(error), where=where) from None
    return section, digest


def _load_cases(
    source: Path, check: Callable[[Case, str], None], places: dict[str, tuple[Path, int]]
) -> tuple[CaseFile, str]:
    """The cases of a file, every one of them checked, and a digest that knows no order."""
    offsets = array("Q")
    digests: list[tuple[str, bytes]] = []
    try:
        lines = source.open("rb")
    except FileNotFoundError:
        raise SuiteError("no such file", where=str(source), hint="check the path") from None
    except OSError as error:
        raise SuiteError(f"cannot read: {_why(error)}", where=str(source)) from None
    with lines:
        begun = stamp(lines)
        for number, offset, case in read_cases(lines, source):
            place = f"{source}:{number}"
            if case.id in places:
                raise SuiteError(
                    f"id: `{case.id}` is taken by {':'.join(map(str, places[case.id]))}",
                    where=place,
                    hint="ids are unique within a suite",
                )
            places[case.id] = source, number
            check(case, place)
            offsets.append(offset)
            content = case.model_dump_json(exclude={"expect"}) + canonical_json(case.expect)
            digests.append((case.id, hashlib.sha256(content.encode()).digest()))
        if not offsets:
            raise SuiteError("holds no case", where=str(source), hint="add one JSON line a case")
        digests.sort()
        digest = digest_bytes(b"".join(part for _, part in digests))
        return CaseFile(source, lines, begun, offsets), digest


@contextmanager
def _complaints(scorer: str, section: str, where: str, prefix: str = "") -> Iterator[None]:
    """Turn what a scorer raises into one line: its complaint, or that it is broken itself."""
    try:
        yield
    except ValueError as error:
        raise SuiteError(f"{prefix}{error}", where=where) from None
    except (Exception, SystemExit) as error:
        what = f"scorer `{scorer}` of section `{section}` crashed: {type(error).__name__}: {error}"
        raise SuiteError(what, where=where) from error


def _cases_file(folder: Path, name: str, where: str) -> Path:
    """The path of a section's cases, which lie in the suite's folder."""
    try:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:  # a NUL, a loop of links
        raise SuiteError(f"cases: cannot be read: {_why(error)}", where=where) from None
    if not inside:
        raise SuiteError(
            f"cases: `{name}` leaves the suite's folder",
            where=where,
            hint="put the file beside suite.yaml",
        )
    return folder / name


def _metrics(
    section: str, written: _SectionFile, book: ScorerBook, where: str
) -> tuple[Metric, ...]:
    """The metrics asked for, or all that the scorer has."""
    with _complaints(written.scorer, section, where, "scorer: "):
        known: dict[str, Metric] = {}
        for metric in book.metrics(written.scorer):
            if not isinstance(metric, str | Metric):  # a plugin may give anything
                raise ValueError(
                    f"`{written.scorer}` has a metric named {metric!r}, which is no text"
                )
            defined = Metric(name=metric) if isinstance(metric, str) else metric
            known[defined.name] = defined
    wanted = written.metrics or tuple(known)
    for name in wanted:
        if name not in known:
            listing = ", ".join(known)
            raise SuiteError(
                f"metrics: `{written.scorer}` has no `{name}`; it has {listing}", where=where
            )
    if len(set(wanted)) < len(wanted):
        raise SuiteError("metrics: one is given twice", where=where)
    return tuple(known[name] for name in wanted)


def _settings(raw: dict[str, Any], where: str) -> dict[str, Any]:
    """What is left of a section for its scorer, once it is known to be plain JSON."""
    settings = {key: value for key, value in raw.items() if key not in _OWN_KEYS}
    try:
        json.dumps(settings, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        what = "settings must be text, finite numbers, lists and mappings with text keys"
        raise SuiteError(what, where=where, hint="put dates and the like in quotes") from None
    return settings


def _digest(
    written: _SuiteFile,
    sections: list[tuple[Section, str]],
    tests: Mapping[str, str],
    data: Mapping[str, str],
) -> str:
    return digest_json(
        {
            # A suite without Python tests has the digest it had before there were any.
            **({"tests": tests} if tests else {}),
            **({"data": data} if data else {}),
            "name": written.name,
            "version": written.version,
            "domain": written.domain,
            "system_prompt": written.system_prompt,
            "sections": {
                section.name: {
                    "scorer": section.scorer,
                    "metrics": sorted(metric.name for metric in section.metrics),
                    "settings": section.settings,
                    "cases": cases,
                }
                for section, cases in sections
            },
        }
    )
