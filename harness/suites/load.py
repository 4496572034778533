"""`suite.yaml` and its case files, read into a `Suite`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field, ValidationError

from harness.errors import SuiteError, UsageError
from harness.files import digest_json, read_text, read_yaml
from harness.records.base import Record, explain
from harness.records.suite import NAME_PATTERN, Case, Section, Suite

SUITE_FILE = "suite.yaml"
_OWN_KEYS = frozenset({"cases", "scorer", "metrics"})


class ScorerBook(Protocol):
    """What a loader has to know of scorers; each method raises ValueError with what is wrong."""

    def metrics(self, scorer: str) -> tuple[str, ...]:
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
    version: int
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
    file = path / SUITE_FILE if path.is_dir() else path
    if not file.is_file():
        hint = f"a suite is a folder with a {SUITE_FILE}"
        raise SuiteError("no such file", where=str(file), hint=hint)
    try:
        written = _SuiteFile.model_validate(read_yaml(file, SuiteError))
    except ValidationError as error:
        raise SuiteError(explain(error), where=str(file)) from None
    places: dict[str, str] = {}
    sections = tuple(
        _load_section(file, name, raw, book, places) for name, raw in written.sections.items()
    )
    return Suite(
        name=written.name,
        domain=written.domain,
        version=written.version,
        system_prompt=written.system_prompt,
        sections=sections,
        digest=_digest(written, sections),
        folder=str(file.parent),
    )


def _load_section(
    file: Path, name: str, raw: Any, book: ScorerBook, places: dict[str, str]
) -> Section:
    """The section `name` of the suite in `file`; `places` collects where each case id stands."""
    where = f"{file}: sections.{name}"
    if not isinstance(raw, dict):
        raise SuiteError("must hold `cases`, `scorer` and their settings", where=where)
    try:
        written = _SectionFile.model_validate({k: v for k, v in raw.items() if k in _OWN_KEYS})
    except ValidationError as error:
        raise SuiteError(explain(error), where=where) from None
    settings = _settings(raw, where)
    metrics = _metrics(written, book, where)
    try:
        book.check_section(written.scorer, settings)
    except ValueError as error:
        raise SuiteError(str(error), where=where) from None
    source = (file.parent / written.cases).resolve()
    if not source.is_relative_to(file.parent.resolve()):
        raise SuiteError(
            f"cases: `{written.cases}` leaves the suite's folder",
            where=where,
            hint="put the file beside suite.yaml",
        )
    cases = []
    for place, case in _read_cases(file.parent / written.cases):
        if case.id in places:
            raise SuiteError(
                f"id: `{case.id}` is taken by {places[case.id]}",
                where=place,
                hint="ids are unique within a suite",
            )
        places[case.id] = place
        try:
            book.check_case(written.scorer, settings, case)
        except ValueError as error:
            raise SuiteError(f"expect.{error}", where=place) from None
        cases.append(case)
    if not cases:
        raise SuiteError(
            "holds no case", where=str(file.parent / written.cases), hint="add one JSON line a case"
        )
    try:
        return Section(
            name=name,
            scorer=written.scorer,
            metrics=metrics,
            settings=settings,
            cases_file=written.cases,
            cases=tuple(cases),
        )
    except ValidationError as error:
        raise SuiteError(explain(error), where=where) from None


def _metrics(written: _SectionFile, book: ScorerBook, where: str) -> tuple[str, ...]:
    """The metrics asked for, or all that the scorer has."""
    try:
        known = book.metrics(written.scorer)
    except (ValueError, KeyError) as error:
        what = error.args[0] if error.args else "unknown scorer"
        raise SuiteError(f"scorer: {what}", where=where) from None
    wanted = written.metrics or known
    for metric in wanted:
        if metric not in known:
            listing = ", ".join(known)
            raise SuiteError(
                f"metrics: `{written.scorer}` has no `{metric}`; it has {listing}", where=where
            )
    if len(set(wanted)) < len(wanted):
        raise SuiteError("metrics: one is given twice", where=where)
    return wanted


def _read_cases(file: Path) -> Iterator[tuple[str, Case]]:
    """Each case with its `file:line`; blank lines are passed over."""
    try:
        text = read_text(file)
    except UsageError as error:
        raise SuiteError(error.what, where=error.where, hint=error.hint) from None
    # Only a line feed ends a line: str.splitlines would also cut at U+2028 within a string.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{file}:{number}"
        try:
            raw = json.loads(
                line,
                object_pairs_hook=_unique_keys,
                parse_constant=_finite,
                parse_float=_finite,
            )
        except json.JSONDecodeError as error:
            what = f"bad JSON at column {error.colno}: {error.msg}"
            raise SuiteError(what, where=place) from None
        except (ValueError, RecursionError) as error:
            raise SuiteError(f"bad JSON: {error}", where=place) from None
        if not isinstance(raw, dict):
            raise SuiteError("must be a JSON object", where=place)
        try:
            case = Case.model_validate(raw)
        except ValidationError as error:
            raise SuiteError(explain(error), where=place) from None
        yield place, case


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key `{key}` given twice")
        found[key] = value
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def _settings(raw: dict[str, Any], where: str) -> dict[str, Any]:
    """What is left of a section for its scorer, once it is known to be plain JSON."""
    settings = {key: value for key, value in raw.items() if key not in _OWN_KEYS}
    try:
        json.dumps(settings, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        what = "settings must be text, finite numbers, lists and mappings with text keys"
        raise SuiteError(what, where=where, hint="put dates and the like in quotes") from None
    return settings


def _digest(written: _SuiteFile, sections: tuple[Section, ...]) -> str:
    return digest_json(
        {
            "name": written.name,
            "version": written.version,
            "domain": written.domain,
            "system_prompt": written.system_prompt,
            "sections": {
                section.name: {
                    "scorer": section.scorer,
                    "metrics": sorted(section.metrics),
                    "settings": section.settings,
                    "cases": sorted(
                        (case.model_dump(mode="json") for case in section.cases),
                        key=lambda case: str(case["id"]),
                    ),
                }
                for section in sections
            },
        }
    )
