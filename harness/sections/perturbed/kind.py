"""`perturbed`: cases with a scorer, asked in other forms too, or by different people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field

from harness.errors import SuiteError
from harness.files import digest_json
from harness.perturb import counterfactuals, perturbations
from harness.plugins import PluginRegistry
from harness.records.attempt import Attempt
from harness.records.metric import Metric
from harness.records.suite import Case, Section, Suite
from harness.run.score import Scoring
from harness.scorers.registry import book
from harness.sections.evidence import SCORER
from harness.sections.perturbed.result import Answer, together
from harness.sections.perturbed.section import (
    MARK,
    NAME,
    OF_ASKERS,
    OF_FORMS,
    PerturbedSection,
    metric_of,
)
from harness.sections.prompts import PromptsKeys, PromptsKind, PromptsSection, titles_in
from harness.sections.work import CaseResult, SectionJob, SectionRequest, SectionWork
from harness.suites.source import LoadedSection, SectionSource
from harness.validation import nearest
from harness.yaml_files import model_schema

_CLAIMS = ("perturb", "counterfactual")
_NOUNS = ("perturbation", "counterfactual")


class PerturbedKeys(PromptsKeys):
    """The keys of a section of cases with variants; all others are settings of its scorer."""

    perturb: tuple[str, ...] = ()
    counterfactual: tuple[str, ...] = ()
    # Another seed draws other typos, remarks and names.
    perturb_seed: int = Field(default=0, ge=0)


class PerturbedKind:
    """Reads sections of cases with variants, and asks each case and all its variants."""

    name = NAME
    key = "perturb"
    claims = _CLAIMS
    keys = PerturbedKeys
    needs_baseline = False

    def schemas(self) -> list[dict[str, Any]]:
        """The JSON schema of a section for each scorer that is installed."""
        return [_schema(part) for part in PromptsKind().schemas()]

    def load(self, source: SectionSource) -> LoadedSection:
        """The section, its cases checked by the scorer and each variant made once.

        Raises:
            SuiteError: one line that names file and key, or file and line.
        """
        _check_perturbable(source)
        keys = source.read(PerturbedKeys, rest=True)
        _check_names(source, keys)
        cases, part = _cases(source, keys)
        section = PerturbedSection(
            **{name: getattr(cases, name) for name in PromptsSection.model_fields},
            perturb=keys.perturb,
            counterfactual=keys.counterfactual,
            perturb_seed=keys.perturb_seed,
        )
        digest, counts = _make_variants(section, source)
        metrics = _metrics(source, keys, cases, counts)
        titles = titles_in(source, keys.title, metrics)
        added = sum(counts.values())
        tried = len(_variant_metrics(keys)) * len(section.cases)
        update = {"metrics": metrics, "titles": titles, "added": added, "unchanged": tried - added}
        return LoadedSection(
            section.model_copy(update=update),
            {**part, "metrics": sorted(one.name for one in metrics), "variants": digest},
            files=(keys.cases,),
        )

    def run(self, work: SectionWork) -> None:
        """Ask every target each case and its variants, and score all answers."""
        asked = [
            SectionRequest(job, one, job.conversation(one), repeat)
            for job in work.jobs
            for case in job.cases
            for repeat in range(job.repeats)
            for one in (case, *(variant.case for variant in _section(job).variants(case)))
        ]
        attempts = iter(work.ask(asked))
        for job in work.jobs:
            section, scoring = _section(job), Scoring((job.suite,))
            results: list[CaseResult] = []
            for case in job.cases:
                for _ in range(job.repeats):
                    own = [next(attempts) for _ in (case, *section.variants(case))]
                    results += _results(job.suite, section, scoring, case, own)
            work.rests_on(job, f"{SCORER}{section.scorer}")
            work.keep(job, results)

    def results_again(
        self, suite: Suite, section: Section, attempts: Mapping[tuple[str, int], Attempt]
    ) -> Iterator[CaseResult]:
        """The results that follow from stored answers, each by its case's id and repeat.

        Where some of the answers to a case are missing, those that are there have their own alone.
        """
        assert isinstance(section, PerturbedSection)
        scoring, repeats = Scoring((suite,)), sorted({repeat for _, repeat in attempts})
        for case in section.cases:
            ids = [one.id for one in (case, *(each.case for each in section.variants(case)))]
            for repeat in repeats:
                own = [attempts.get((name, repeat)) for name in ids]
                yield from _results(suite, section, scoring, case, own)


def _section(job: SectionJob) -> PerturbedSection:
    assert isinstance(job.section, PerturbedSection)
    return job.section


def _results(
    suite: Suite,
    section: PerturbedSection,
    scoring: Scoring,
    case: Case,
    attempts: Sequence[Attempt | None],
) -> Iterator[CaseResult]:
    """The results of a case and its variants, of whose answers any may be missing.

    They are one each, and where all answers are there those of all together.
    """
    answers = []
    for variant, attempt in zip((None, *section.variants(case)), attempts, strict=True):
        if attempt is not None:
            one = case if variant is None else variant.case
            score = scoring.score_answer((suite.name, section.name), one, attempt)
            answers.append(Answer(one, attempt, score, variant))
    yield from (one.result() for one in answers)
    if len(answers) == len(attempts):
        original, *others = answers
        yield from together(section, original, others)


def _check_perturbable(source: SectionSource) -> None:
    """Refuse a section of another kind: what has no cases and scorer has no variants."""
    key = next(key for key in _CLAIMS if key in source.written)
    scorer = source.written.get("scorer")
    if "cases" not in source.written or scorer == "judge":
        raise SuiteError(
            f"{key}: only a section of `cases` with a `scorer` that reads answers has variants",
            where=source.place(key),
            hint=f"take `{key}` out here, or give a section of cases a scorer such as `gold`",
        )


def _check_names(source: SectionSource, keys: PerturbedKeys) -> None:
    """Refuse unknown perturbations and counterfactuals, one named twice, and none at all."""
    registries: tuple[PluginRegistry[Any], ...] = (perturbations(), counterfactuals())
    for key, noun, registry in zip(_CLAIMS, _NOUNS, registries, strict=True):
        named = getattr(keys, key)
        for place, name in enumerate(named):
            where = source.place(key, place)
            if name not in registry.names():
                hint = nearest(name, registry.names())
                raise SuiteError(f"{key}: no {noun} `{name}`{hint}", where=where)
            if name in named[:place]:
                raise SuiteError(f"{key}: names `{name}` twice", where=where)
            try:
                registry.get(name)
            except ValueError as error:
                raise SuiteError(f"{key}: {error}", where=where) from None
    if not keys.perturb + keys.counterfactual:
        key = next(key for key in _CLAIMS if key in source.written)
        raise SuiteError(f"{key}: names nothing", where=source.place(key))


def _cases(source: SectionSource, keys: PerturbedKeys) -> tuple[PromptsSection, dict[str, Any]]:
    """The section without variants as its scorer reads it, and its part of the digest."""
    own = [metric.name for metric in _own_metrics(keys)]
    left_out = {*_CLAIMS, "perturb_seed", "title"}
    written = {key: value for key, value in source.written.items() if key not in left_out}
    if keys.metrics is not None:
        its_own = [name for name in keys.metrics if name not in own]
        written["metrics"] = its_own
        if not its_own:
            del written["metrics"]
        known = _scorer_metrics(keys.scorer)
        for place, name in enumerate(keys.metrics):
            if known and name not in {*own, *known}:
                what = f"metrics: there is no `{name}`{nearest(name, [*known, *own])}"
                raise SuiteError(what, where=source.place("metrics", place))
    loaded = PromptsKind().load(replace(source, written=written))
    section = loaded.section
    assert isinstance(section, PromptsSection)
    first = section.metrics[0]
    if (first.low, first.high, first.lower_is_better) != (0.0, 1.0, False):
        raise SuiteError(
            f"scorer: variants are compared by what is right, from 0 to 1, and `{keys.scorer}` "
            f"gives {first.name} in {first.unit}",
            where=source.place("scorer"),
        )
    doubled = {one.name for one in section.metrics} & set(own)
    if doubled:
        what = f"scorer: `{keys.scorer}` has a metric `{doubled.pop()}` as variants have"
        raise SuiteError(what, where=source.place("scorer"))
    return section, dict(loaded.digest)


def _scorer_metrics(scorer: str) -> list[str]:
    """The names of a scorer's metrics; none where it cannot be had, which its reader tells."""
    try:
        return [one if isinstance(one, str) else one.name for one in book().metrics(scorer)]
    except ValueError:
        return []


def _variant_metrics(keys: PerturbedKeys) -> list[str]:
    """The metric of each form and of each asker."""
    askers = [
        metric_of(name, asker)
        for name in keys.counterfactual
        for asker in counterfactuals().get(name).askers
    ]
    return [*keys.perturb, *askers]


def _own_metrics(keys: PerturbedKeys) -> list[Metric]:
    """The metrics that variants add: of forms and askers together, then of each."""
    joint = (OF_FORMS if keys.perturb else ()) + (OF_ASKERS if keys.counterfactual else ())
    return [*joint, *(Metric(name=name) for name in _variant_metrics(keys))]


def _metrics(
    source: SectionSource, keys: PerturbedKeys, cases: PromptsSection, counts: Mapping[str, int]
) -> tuple[Metric, ...]:
    """The metrics asked for that any case has a part in, a scorer's own first.

    Raises:
        SuiteError: no variant of any case has a part in one.
    """
    there = set(counts)
    if any(counts.get(name) for name in keys.perturb):
        there |= {metric.name for metric in OF_FORMS}
    if there - {metric.name for metric in OF_FORMS} - set(keys.perturb):
        there |= {metric.name for metric in OF_ASKERS}
    own = [metric for metric in _own_metrics(keys) if metric.name in there]
    asked = keys.metrics
    found = [one for one in (*cases.metrics, *own) if asked is None or one.name in asked]
    if not counts or not found:
        key = next(key for key in _CLAIMS if key in source.written)
        raise SuiteError(
            f"{key}: changes none of its cases",
            where=source.place(key),
            hint="name others, or take the key out",
        )
    return tuple(found)


def _make_variants(section: PerturbedSection, source: SectionSource) -> tuple[str, Counter[str]]:
    """A digest of all variants, and in how many cases each metric has a part.

    Raises:
        SuiteError: a case's id looks like a variant's.
    """
    counts: Counter[str] = Counter()
    digests = []
    for case in section.cases:
        if MARK in case.id:
            what = f"cases: the id `{case.id}` holds `{MARK}`, which marks variants"
            raise SuiteError(what, where=source.place("cases"))
        for variant in section.variants(case):
            counts[variant.metric] += 1
            digests.append(digest_json([variant.case.id, variant.case.messages[-1].content]))
    return digest_json(sorted(digests)), counts


def _schema(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of a section without variants, with the keys that variants have."""
    own = model_schema(PerturbedKeys)["properties"]
    listed = {"perturb": perturbations().names(), "counterfactual": counterfactuals().names()}
    properties = {**part["properties"], "perturb_seed": own["perturb_seed"]}
    for key, names in listed.items():
        properties[key] = {**own[key], "items": {"enum": list(names)}}
    properties["metrics"] = own["metrics"]
    claimed = [{"required": [key]} for key in _CLAIMS]
    title = f"{part['title']} with variants"
    return {**part, "title": title, "properties": properties, "anyOf": claimed}
