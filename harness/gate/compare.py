"""Pair a candidate run with a baseline run, and list the problems with the evidence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.gate.duplicates import Merged, merged_groups
from harness.gate.paired_metric import paired_metric
from harness.gate.probed_answers import contradictions
from harness.gate.retries import without_uneven_retries
from harness.gate.stopping import look_of_cases
from harness.records.attempt import Attempt, Score
from harness.records.comparison import (
    Change,
    ComparisonRecord,
    PairedCase,
    PairedMetric,
    Weigh,
)
from harness.records.plan import conversation
from harness.records.run import LOOK, RunHeader, RunRecord
from harness.records.suite import Case, Section, Suite
from harness.records.target import SAMPLING
from harness.records.verdict import EvidenceWarning

Place = tuple[str, str, str, int]


def compare(
    candidate: RunRecord,
    baseline: RunRecord,
    suites: Sequence[Suite],
    *,
    askings: bool = False,
    weigh: Weigh = "cases",
    looks: bool = False,
) -> ComparisonRecord:
    """Both runs paired by case and repeat, with every problem of the evidence.

    Nothing is dropped in silence: a pair that lacks a score on either side stays among the cases
    as `not_comparable` and is missing from the metrics, which the gate's accounting then sees. So
    does a pair that one side was asked again for, where the sides differ in that beyond chance.
    With `askings` the two are askings of one target: being the same is nothing against them, and
    no Python test was run for either. `weigh` says what counts once in the metrics, and `looks`
    that cases are asked in looks, so that some may not be asked.
    """
    merged = merged_groups(suites)
    pairs = _pairs(candidate, baseline, suites, merged)
    cases = without_uneven_retries(tuple(pairs))
    signs = tuple(_signs(cases, suites))
    return ComparisonRecord(
        candidate=candidate,
        baseline=baseline,
        metrics=_metrics(cases, suites, weigh),
        cases=cases,
        problems=(
            *(() if askings else _untested(candidate, baseline, suites)),
            *_problems(candidate, baseline, cases, suites, looks=looks),
            *_judged_otherwise(candidate, baseline, suites),
            *(() if askings else _sameness(candidate, baseline, cases)),
            *(f"{sign.place}: {sign.what}" for sign in signs if not sign.code),
        ),
        merged=merged,
        titles={
            f"{suite.name}.{section.name}.{metric}": title
            for suite in suites
            for section in suite.sections
            for metric, title in section.titles.items()
        },
        signs=tuple(sign for sign in signs if sign.code),
        weigh=weigh,
        look_of=look_of_cases(suites, int(candidate.header.generation["seed"])) if looks else {},
    )


def _signs(cases: Sequence[PairedCase], suites: Sequence[Suite]) -> Iterator[EvidenceWarning]:
    """What the sections say of how the two sides' answers were scored."""
    by_section: defaultdict[tuple[str, str], list[PairedCase]] = defaultdict(list)
    for case in cases:
        by_section[case.suite, case.section].append(case)
    for suite in suites:
        for section in suite.sections:
            pairs = by_section[suite.name, section.name]
            ours = [(each.candidate_score, each.candidate_attempt) for each in pairs]
            theirs = [(each.baseline_score, each.baseline_attempt) for each in pairs]
            for code, what in section.signs(ours, theirs):
                yield EvidenceWarning(code=code, place=f"{suite.name}.{section.name}", what=what)


def _pairs(
    candidate: RunRecord, baseline: RunRecord, suites: Sequence[Suite], merged: Merged
) -> Iterator[PairedCase]:
    cases = _cases(suites)
    lower_is_better = {
        (suite.name, section.name)
        for suite in suites
        for section in suite.sections
        if section.metrics[0].lower_is_better
    }
    for recorded in (*baseline.recorded, *candidate.recorded):
        cases[recorded.score.suite, recorded.score.section, recorded.case.id] = recorded.case
    theirs = {_place(score): (score, attempt) for score, attempt in _scored(baseline)}
    for ours, attempt in _scored(candidate):
        other = theirs.get(_place(ours))
        case = cases.get((ours.suite, ours.section, ours.case))
        if other is None or case is None:
            continue
        lower = ours.place in lower_is_better
        yield PairedCase(
            suite=ours.suite,
            section=ours.section,
            case=ours.case,
            repeat=ours.repeat,
            group=merged.get(f"{ours.suite}.{ours.section}", {}).get(case.group, case.group),
            critical=case.critical,
            tags=case.tags,
            messages=conversation(case, candidate.header.system_prompts.get(ours.suite)),
            candidate_attempt=attempt,
            baseline_attempt=other[1],
            candidate_score=ours,
            baseline_score=other[0],
            change=_change(ours, other[0], lower=lower),
            expect=case.expect,
        )


def _cases(suites: Sequence[Suite]) -> dict[tuple[str, str, str], Case]:
    return {
        (suite.name, section.name, case.id): case
        for suite in suites
        for section, case in suite.cases()
    }


def _scored(run: RunRecord) -> Iterator[tuple[Score, Attempt]]:
    attempts = {attempt.key: attempt for attempt in run.attempts}
    for score in run.scores:
        if score.key in attempts:
            yield score, attempts[score.key]


def _change(ours: Score, other: Score, *, lower: bool) -> Change:
    if ours.value is None or other.value is None:
        return "not_comparable"
    if ours.passed is None or other.passed is None:
        gain = other.value - ours.value if lower else ours.value - other.value
        return "same" if gain == 0.0 else "better" if gain > 0.0 else "worse"
    if ours.passed:
        return "still_passing" if other.passed else "fixed"
    return "new_failure" if other.passed else "still_failing"


def _metrics(
    cases: Sequence[PairedCase], suites: Sequence[Suite], weigh: Weigh
) -> dict[str, PairedMetric]:
    by_section: defaultdict[str, list[PairedCase]] = defaultdict(list)
    for case in cases:
        by_section[f"{case.suite}.{case.section}"].append(case)
    paired = (
        paired_metric(name, metric, by_section[name.removesuffix(f".{metric.name}")], weigh)
        for suite in suites
        for name, metric in suite.definitions()
    )
    return {each.name: each for each in paired if each is not None}


def _problems(
    candidate: RunRecord,
    baseline: RunRecord,
    cases: Sequence[PairedCase],
    suites: Sequence[Suite],
    *,
    looks: bool,
) -> Iterator[str]:
    current = {suite.name: suite.digest for suite in suites}
    planned = _cases(suites)
    for role, run in (("candidate", candidate), ("baseline", baseline)):
        who = f"{role} `{run.header.target}`"
        yield from _problems_of_run(who, run, current, looks=looks)
        yield from contradictions(who, run, planned)
    # What people said of one side only is compared with nothing, and no rule goes by it.
    optional = {
        (one.name, section.name) for one in suites for section in one.sections if section.optional
    }
    ours = {_place(score) for score in candidate.scores if score.place not in optional}
    theirs = {_place(score) for score in baseline.scores if score.place not in optional}
    if ours != theirs:
        example = "/".join(str(part) for part in min(ours ^ theirs))
        yield f"{len(ours ^ theirs)} attempts exist on one side only, {example} among them"
    yield from _one_sided_terms(cases)


def _sameness(
    candidate: RunRecord, baseline: RunRecord, cases: Sequence[PairedCase]
) -> Iterator[str]:
    """Signs that candidate and baseline are the same model."""
    if _asked(candidate) == _asked(baseline):
        name = candidate.header.target
        if name == baseline.header.target:  # which only a sealed baseline can be
            yield f"`{name}` is the baseline itself: model, prompts and sampling are the same"
            return
        yield "candidate and baseline are the same model under the same prompt and sampling"
    if _swapped(candidate.header, baseline.header):
        yield (
            f"the server lists the baseline `{baseline.header.identity.model}` as an adapter of "
            f"the candidate `{candidate.header.identity.model}`: they are swapped, or the "
            "baseline's target must name its files in `adapter`"
        )
    answered = [
        case
        for case in cases
        if "failed" not in (case.candidate_score.state, case.baseline_score.state)
    ]
    same = (case.candidate_attempt.text == case.baseline_attempt.text for case in answered)
    if answered and all(same):
        yield (
            f"candidate and baseline gave the same text in all {len(answered)} cases: "
            "the candidate was not what answered"
        )


def _swapped(candidate: RunHeader, baseline: RunHeader) -> bool:
    """Whether a server that is not ours lists the baseline as an adapter of the candidate.

    Where the project itself names the adapter's files, that is what it means to compare.
    """
    proof, ours, theirs = baseline.adapter_proof, candidate.identity, baseline.identity
    if proof is None or ours.weights is not None or theirs.adapter is None:
        return False
    named = theirs.adapter.startswith("sha256:")
    return not named and (ours.server, ours.model) == (theirs.server, proof.parent)


def _asked(run: RunRecord) -> list[Any]:
    """What the answers depend on: equal for two runs of the same model and settings."""
    sampling = {name: run.header.generation.get(name) for name in SAMPLING}
    return [run.header.identity, run.header.system_prompts, sampling]


def _one_sided_terms(cases: Sequence[PairedCase]) -> Iterator[str]:
    """Metrics that a scorer gave for one answer of a case and not for the other.

    Whether a case says something about a metric must not depend on the answer: a scorer that
    leaves out what went wrong would hide it.
    """
    found: Counter[str] = Counter()
    for case in cases:
        if case.change != "not_comparable":
            lonely = set(case.candidate_score.terms) ^ set(case.baseline_score.terms)
            found.update(f"{case.suite}.{case.section}.{metric}" for metric in lonely)
    for metric, count in sorted(found.items()):
        yield f"the scorer gave {metric} for one of two answers in {count} cases"


def _problems_of_run(
    who: str, run: RunRecord, current: Mapping[str, str], *, looks: bool
) -> Iterator[str]:
    header = run.header
    chosen = {key: value for key, value in header.selection.items() if key != LOOK}
    if chosen:
        part = ", ".join(f"--{key} {value}" for key, value in chosen.items())
        yield f"{who} was asked only a part of the project's suites ({part})"
    if LOOK in header.selection and not looks:
        yield f"{who} was asked only up to look {header.selection[LOOK]}, and `sequential` is off"
    for name, digest in current.items():
        if header.suites.get(name) != digest:
            yield f"{who} was run on another version of suite `{name}`"
    if header.finished is None:
        yield f"{who} is not finished"
    accounting = run.summary.accounting
    if not accounting.balanced:
        found = accounting.scored + accounting.unscored + accounting.failed
        yield f"{who} planned {accounting.planned} attempts and accounts for {found}"
    if len({_place(score) for score in run.scores}) != len(run.scores):
        yield f"{who} has a case twice"
    keys = {attempt.key for attempt in run.attempts}
    if any(score.key not in keys for score in run.scores):
        yield f"{who} has scores without attempts"
    if header.identity.adapter is not None:
        yield from _problems_of_adapter(who, run)


def _judged_otherwise(
    candidate: RunRecord, baseline: RunRecord, suites: Sequence[Suite]
) -> Iterator[str]:
    """Cases whose two answers were judged by different judges."""
    sections = {(suite.name, one.name): one for suite in suites for one in suite.sections}
    theirs = {(case.score.path): case.judge for case in baseline.recorded}
    differing = [
        case.score
        for case in candidate.recorded
        if theirs.get(case.score.path, case.judge) != case.judge
    ]
    if differing:
        first = differing[0]
        section = sections.get(first.place)
        kind = Section if section is None else type(section)
        noun, remedy = kind.judged_again
        yield (
            f"{kind.another_judge} the baseline in {len(differing)} {noun}, {first.path} "
            f"among them: {remedy}"
        )


def _untested(candidate: RunRecord, baseline: RunRecord, suites: Sequence[Suite]) -> Iterator[str]:
    """Sections of more than one request a case that a run has no scores of."""
    for run in (candidate, baseline):
        who = run.header.target
        known = {(section.suite, section.section) for section in run.header.sections}
        for suite in suites:
            for section in suite.worked:
                place = suite.name, section.name
                if place not in known and not section.optional:
                    what, hint = section.missing(".".join(place))
                    yield f"`{who}` has no scores of {what}: {run.unrecorded.get(place, hint)}"


def _problems_of_adapter(who: str, run: RunRecord) -> Iterator[str]:
    proof = run.header.adapter_proof
    if proof is None:
        yield f"{who} carries no proof that its adapter was applied"
    elif proof.adapter != run.header.identity.adapter:
        yield f"{who}: the proof of the adapter is for other weights"
    elif not proof.applied:
        yield (
            f"{who}: the adapter is not applied, its log-probabilities are the base's on "
            f"{proof.probes - proof.differing} of {proof.probes} probes"
        )


def _place(score: Score) -> Place:
    return score.suite, score.section, score.case, score.repeat
