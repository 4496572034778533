"""The two runs for a report: counts, costs, sections, prompts, provenance."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from harness.records.comparison import Change, ComparisonRecord, PairedCase, PairedMetric
from harness.records.cost import Asking, Spending
from harness.records.run import RunHeader, RunRecord
from harness.records.verdict import Regression, Verdict
from harness.report import formats
from harness.report.cases import CaseCount, count_cases, repeats_of
from harness.report.rules import unit_of
from harness.report.text import Clip, clip
from harness.visible_text import one_line

_CHANGES: tuple[Change, ...] = get_args(Change)
UNSTEADY = "at temperature 0 the target does not always give the same answer"


@dataclass(frozen=True, slots=True)
class SectionChanges:
    """What changed in one section.

    With repeats a case is counted under every outcome that one of its answers has.
    """

    name: str
    metrics: tuple[PairedMetric, ...]
    cases: CaseCount
    new_critical: int
    changes: dict[Change, CaseCount]


def section_changes(
    comparison: ComparisonRecord, *, trusted: bool = True
) -> tuple[SectionChanges, ...]:
    """The changes of each section, in the order of the plan.

    Of evidence that cannot be trusted no metric is given: it would be taken for one that holds.
    """
    repeats = repeats_of(comparison)
    cases: defaultdict[tuple[str, str], list[PairedCase]] = defaultdict(list)
    for plan in comparison.candidate.header.sections:
        cases[plan.suite, plan.section] = []
    for case in comparison.cases:
        cases[case.suite, case.section].append(case)
    return tuple(
        SectionChanges(
            name=one_line(f"{suite}/{section}", 120),
            metrics=tuple(
                metric
                for name, metric in comparison.metrics.items()
                if trusted and name.startswith(f"{suite}.{section}.")
            ),
            cases=count_cases(own, repeats),
            new_critical=len(
                {case.path for case in own if case.critical and case.change == "new_failure"}
            ),
            changes={
                change: count_cases([case for case in own if case.change == change], repeats)
                for change in _CHANGES
            },
        )
        for (suite, section), own in cases.items()
    )


def system_prompts(comparison: ComparisonRecord) -> list[tuple[str, str, Clip]]:
    """Suite, side and text of each system prompt, with the side `both` where it is the same."""
    runs = (comparison.candidate, comparison.baseline)
    ours, theirs = (run.header.system_prompts for run in runs)
    prompts: list[tuple[str, str, Clip]] = []
    for suite in dict.fromkeys([*ours, *theirs]):
        sides = [("candidate", ours.get(suite)), ("baseline", theirs.get(suite))]
        if sides[0][1] == sides[1][1]:
            sides = [("both", sides[0][1])]
        prompts += (
            (one_line(suite, 80), whose, clip(text or "", 20_000))
            for whose, text in sides
            if text is not None or len(sides) == 2
        )
    return prompts


def provenance(comparison: ComparisonRecord) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Where the numbers come from: titles with rows of name, candidate and baseline."""
    ours, theirs = _facts(comparison.candidate.header), _facts(comparison.baseline.header)
    tables: list[tuple[str, list[tuple[str, str, str]]]] = []
    for title, facts in ours.items():
        others = theirs[title]
        rows = [
            (one_line(name, 120), _fact(facts.get(name)), _fact(others.get(name)))
            for name in dict.fromkeys([*facts, *others])
        ]
        if rows:
            tables.append((title, rows))
    return tables


def _facts(header: RunHeader) -> dict[str, dict[str, Any]]:
    identity, proof = header.identity, header.adapter_proof
    # The arguments of a process are options, those of a bot say how it is spoken to.
    dashes = "--" if identity.weights is not None else ""
    return {
        "Run": {
            "run": header.run_id,
            "target": header.target,
            "created": header.created,
            "finished": header.finished,
            "planned": header.planned,
            "config": header.config_digest,
            "git commit": header.git_commit,
        },
        "Model and server": {
            "server": identity.server,
            "server version": identity.server_version,
            "model": identity.model,
            "weights": identity.weights,
            "adapter": identity.adapter,
            "chat template": identity.chat_template,
            **{f"{dashes}{name}": value for name, value in identity.engine_args.items()},
            **({"form of requests": identity.request.written()} if identity.request else {}),
            **({"few-shot examples": identity.few_shot} if identity.few_shot else {}),
            **({"retrieval": identity.retrieval} if identity.retrieval else {}),
        },
        "Adapter proof": {}
        if proof is None
        else {
            "served as": proof.model,
            "parent": proof.parent,
            "probes that differ from the parent": f"{proof.differing} of {proof.probes}",
            "adapter": proof.adapter,
            "largest gap of log-probabilities": f"{formats.number(proof.largest_gap)} nats",
            "the base's own noise": f"{formats.number(proof.noise)} nats",
        },
        "Generation": {
            **header.generation,
            **{name: "not sent" for name in identity.request.omit if name in header.generation},
            **{f"{name}, the server's": it for name, it in header.sampling_defaults.items()},
            # Of a server that is not ours, what was sent is all that can be stated.
            **({} if identity.weights else {"any other field": "the server's own, not known"}),
        },
        "Suites": {
            **header.suites,
            **{f"selection: {name}": value for name, value in header.selection.items()},
        },
        "Packages": dict(header.packages),
        "Host": dict(header.host),
    }


def _fact(value: Any) -> str:
    if value is None or value == "":
        return formats.NONE
    return one_line(value if isinstance(value, str) else json.dumps(value), 600)


def spending_sentence(spent: Spending, asking: Asking | None) -> str:
    """A run's tokens and cost, without a full stop; empty where there is no answer."""
    if not spent.answers:
        return ""
    parts = []
    if spent.counted:
        parts.append(
            f"tokens {formats.count(spent.tokens_in)} in, {formats.count(spent.tokens_out)} out"
        )
    if spent.cost is not None:
        each = formats.amount(spent.per_thousand)
        parts.append(f"cost {formats.amount(spent.cost)}, {each} per 1,000 answers")
    elif asking is not None and asking.price is not None:
        parts.append("cost unknown")
    return "; ".join(filter(None, (*parts, usage_sentence(spent))))


def usage_sentence(spent: Spending) -> str:
    """How many answers came without their usage; empty where all came with it."""
    lost = spent.answers - spent.counted
    if not lost:
        return ""
    of = formats.counted(spent.answers, "answer")
    return f"usage of {formats.count(lost)} of {of} unknown"


def repeats_sentences(runs: Sequence[RunRecord]) -> list[str]:
    """For each run in how many cases its repeats' texts differ, empty for one repeat.

    No sentence has a full stop. The first one on differences at temperature 0, where there should
    be none, says so; the others do not repeat it.
    """
    sentences = [_sentence(run) for run in runs]
    for place, run in enumerate(runs):
        if sentences[place] and run.summary.repeats.differ and run.header.temperature == 0.0:
            sentences[place] += f"; {UNSTEADY}"
            break
    return sentences


def _sentence(run: RunRecord) -> str:
    repeats = int(run.header.generation.get("repeats", 1))
    if repeats < 2 or not run.summary.repeats.cases:
        return ""
    differ, cases = run.summary.repeats.differ, run.summary.repeats.cases
    found = formats.count(differ) if differ else "none"
    warmth = run.header.temperature
    at = "the server's own temperature" if warmth is None else f"temperature {warmth:g}"
    return (
        f"{formats.count(repeats)} repeats a case at {at}: "
        f"texts differ in {found} of {formats.counted(cases, 'case')}"
    )


def metric_value(metric: PairedMetric, value: float | None) -> str:
    """A value of the metric on one side."""
    return formats.unit_named(metric.metric.unit).value(value)


def metric_difference(metric: PairedMetric) -> str:
    """The difference of both sides' values."""
    return formats.unit_named(metric.metric.unit).difference(metric.gap)


def metric_direction(metric: PairedMetric) -> Literal["better", "worse", "same"]:
    """Whether the number rose or fell, whether or not that is significant."""
    gap = metric.gap
    if gap is None or abs(gap) < 1e-9:
        return "same"
    return "better" if (gap > 0) is not metric.metric.lower_is_better else "worse"


def regressions_sentence(verdict: Verdict) -> str:
    """How regressions were looked for and how many were found."""
    looked = verdict.metrics_compared
    if looked is None:
        return "No regression was looked for."
    if not looked:
        return "No metric could be computed on both sides, so no regression was looked for."
    found = len(verdict.regressions)
    first = "No metric is significantly worse than the baseline's."
    if found:
        worse = "1 metric is" if found == 1 else f"{found} metrics are"
        first = f"{worse} significantly worse than the baseline's, whatever the rules ask."
    many = "1 metric" if looked == 1 else f"{looked} metrics"
    return (
        f"{first} Compared: {many}. The p-values are corrected for their number (Holm): the chance "
        f"that any metric is listed wrongly is at most {100 * verdict.alpha:g}%."
    )


def regression_numbers(found: Regression) -> tuple[str, str]:
    """The difference and its interval."""
    form = formats.unit_named(unit_of(found.metric, found.definition)).difference
    return form(found.estimate), formats.interval(found.ci_low, found.ci_high, form)
