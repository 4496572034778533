"""`prompts`: cases from a file, each one request to the target, its answer scored by a scorer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from harness.errors import SuiteError
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Case, Section, Title, titles_of
from harness.scorers.registry import Registry, book, fingerprint, get
from harness.suites.cases import case_lines
from harness.suites.source import LoadedSection, SectionSource
from harness.validation import KeyProblem
from harness.yaml_files import model_schema


class PromptsKeys(Record):
    """The keys of a section; all others are settings of its scorer."""

    cases: str = Field(min_length=1)
    scorer: str = Field(min_length=1)
    metrics: tuple[str, ...] | None = Field(default=None, min_length=1)
    # What people call the metrics, all of them or each by its name.
    title: Title | dict[str, Title] | None = None
    lint_ignore: tuple[str, ...] = ()


class PromptsSection(Section):
    """Cases that one scorer scores with the same settings."""

    kind: ClassVar[str] = "prompts"
    one_request: ClassVar[bool] = True

    settings: dict[str, Any] = Field(default_factory=dict)
    cases_file: str

    def judge(self, answer: str, case: Case) -> object:
        """The scorer's judgement of the answer."""
        return get(self.scorer).score(answer, case, self.settings)

    def judge_filtered(self, answer: str, case: Case) -> object:
        """The scorer's judgement, where it has one of what a content filter stopped."""
        judge = getattr(get(self.scorer), "score_filtered", None)
        return None if judge is None else judge(answer, case, self.settings)

    @property
    def silence_passes(self) -> bool:
        """Whether the scorer only forbids."""
        return bool(getattr(get(self.scorer), "forbids", False))

    def remarks(self, case: Case) -> Iterable[tuple[str, str]]:
        """What the scorer has to say of the case, where it says anything."""
        lint = getattr(get(self.scorer), "lint", None)
        return () if lint is None else lint(case, self.settings)

    def section_remarks(self) -> Iterable[tuple[str, str]]:
        """What the scorer has to say of the cases together, where it says anything."""
        lint = getattr(get(self.scorer), "lint_section", None)
        return () if lint is None else lint(self.cases, self.settings)

    def fingerprint(self) -> str | None:
        """A digest of the scorer's code, None where it is not built in."""
        return fingerprint((self.scorer,))

    def locate(self, folder: Path, wanted: Collection[str]) -> dict[str, tuple[Path, int | None]]:
        """The line of each wanted case in the file of cases."""
        return dict(case_lines(folder / self.cases_file, wanted))


class PromptsKind:
    """Reads sections of cases and a scorer; without `scorers`, by the process's own."""

    name = "prompts"
    key = "cases"
    keys = PromptsKeys

    def __init__(self, scorers: Registry | None = None) -> None:
        self._scorers = scorers

    def schemas(self) -> list[dict[str, Any]]:
        """The JSON schema of a section for each scorer that is installed."""
        return [_schema(name) for name in book().names()]

    def judged(self, case: Case) -> Iterable[Case]:
        """The answers of a case that the scorer judges, each as a case: it has one.

        Raises:
            ValueError: it is a conversation.
        """
        if isinstance(case.expect.get("turns"), list):
            raise ValueError("turns: are for a section of `kind: conversation`")
        return (case,)

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, its settings and every one of its cases checked by its scorer.

        Raises:
            SuiteError: one line that names file and key, or file and line.
        """
        scorers = book() if self._scorers is None else self._scorers
        written = source.read(PromptsKeys, rest=True)
        scorer, settings = written.scorer, source.rest(PromptsKeys)
        with _complaints(scorer, source.name, source.place):
            scorers.check_section(scorer, settings)
        metrics = _metrics(source, written, scorers, settings)

        def check(case: Case, place: str) -> None:
            try:
                parts = self.judged(case)
            except ValueError as error:
                raise SuiteError(str(error), where=place) from None
            with _complaints(scorer, source.name, lambda *_: place, "expect."):
                for part in parts:
                    scorers.check_case(scorer, settings, part)

        cases, digest = source.cases(written.cases, check)
        section = source.build(
            PromptsSection,
            scorer=scorer,
            metrics=metrics,
            settings=settings,
            cases_file=written.cases,
            lint_ignore=written.lint_ignore,
            titles=titles_in(source, written.title, metrics),
            cases=cases,
        )
        part = {
            "scorer": scorer,
            # A share is written as its name alone, any other metric with its definition.
            "metrics": [each.model_dump() for each in sorted(metrics, key=lambda one: one.name)],
            "settings": settings,
            "cases": digest,
        }
        return LoadedSection(section, part, files=(written.cases,))


def titles_in(
    source: SectionSource, given: str | dict[str, str] | None, metrics: tuple[Metric, ...]
) -> dict[str, str]:
    """What the section calls its metrics, by name.

    Raises:
        SuiteError: a title is for a metric that it does not have.
    """
    try:
        return titles_of(given, metrics)
    except ValueError as error:
        raise SuiteError(f"title: {error}", where=source.place("title")) from None


def _metrics(
    source: SectionSource, written: PromptsKeys, scorers: Registry, settings: dict[str, Any]
) -> tuple[Metric, ...]:
    """The metrics asked for, or all that the scorer has with these settings."""
    known: dict[str, Metric] = {}
    with _complaints(written.scorer, source.name, source.place, "scorer: "):
        for metric in scorers.metrics(written.scorer, settings):
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
                f"metrics: `{written.scorer}` has no `{name}`; it has {listing}",
                where=source.place("metrics"),
            )
    if len(set(wanted)) < len(wanted):
        raise SuiteError("metrics: one is given twice", where=source.place("metrics"))
    return tuple(known[name] for name in wanted)


def _schema(scorer: str) -> dict[str, Any]:
    """The keys of a section that this scorer scores, its settings among them."""
    model = book().settings_model(scorer)
    settings = {} if model is None else model_schema(model, f"{scorer}.")
    schema = model_schema(PromptsKeys)
    schema["title"] = f"{scorer} cases"
    names = [getattr(metric, "name", metric) for metric in book().metrics(scorer)]
    open_ended = hasattr(book().get(scorer), "section_metrics")
    items: dict[str, Any] = {"type": "string"} if open_ended else {"enum": names}
    metrics = {"type": "array", "minItems": 1, "items": items}
    schema["properties"] |= {"scorer": {"const": scorer}, "metrics": metrics}
    schema["properties"] |= settings.get("properties", {})
    schema["required"] += settings.get("required", [])
    if model is None:  # whatever is written goes to the scorer
        schema["additionalProperties"] = True
    return {**schema, "$defs": settings.get("$defs", {})}


@contextmanager
def _complaints(
    scorer: str, section: str, place: Callable[..., str], prefix: str = ""
) -> Iterator[None]:
    """Turn what a scorer raises into one line: its complaint, or that it is broken itself.

    `place` gives the place of a key.
    """
    try:
        yield
    except ValueError as error:
        keys = error.keys if isinstance(error, KeyProblem) else ()
        raise SuiteError(f"{prefix}{error}", where=place(*keys)) from None
    except (Exception, SystemExit) as error:
        what = f"scorer `{scorer}` of section `{section}` crashed: {type(error).__name__}: {error}"
        raise SuiteError(what, where=place()) from error
