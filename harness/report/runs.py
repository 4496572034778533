"""What a report says of the two runs: accounting, sections, prompts, provenance."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from typing import Any

from harness.records.comparison import Change, Comparison, PairedCase, PairedMetric
from harness.records.run import Run, RunHeader
from harness.records.summary import Accounting
from harness.records.target import Identity
from harness.report import numbers
from harness.report.model import CountsView, FactTable, MetricView, PromptView, SectionView
from harness.report.tallies import repeats_of, tally
from harness.report.text import clip, one_line


def build_counts(role: str, run: Run, accounting: Accounting, repeats: str) -> CountsView:
    """A run's accounting, the states of its attempts and its recorded times.

    Percentiles are nearest-rank; a failed request ranks as infinity; a reused attempt has no time.
    """
    states = run.summary.states
    live = [attempt for attempt in run.attempts if attempt.reused_from is None]
    lost = [math.inf for attempt in live if attempt.status == "failed"]
    times = [attempt.timing for attempt in live if attempt.status == "answered" and attempt.timing]
    ttft = [time.ttft for time in times if time.ttft is not None] + lost
    e2e = [time.e2e for time in times] + lost
    return CountsView(
        role=role,
        target=one_line(run.header.target, 80),
        planned=numbers.count(accounting.planned),
        scored=numbers.count(accounting.scored),
        unscored=numbers.count(accounting.unscored),
        failed=numbers.count(accounting.failed),
        balanced=accounting.balanced,
        truncated=numbers.count(states.get("truncated", 0)),
        empty=numbers.count(states.get("empty", 0)),
        reused=numbers.count(len(run.attempts) - len(live)),
        retried=numbers.count(sum(attempt.tries > 1 for attempt in run.attempts)),
        ttft_p50=numbers.milliseconds(numbers.quantile(ttft, 0.5)),
        ttft_p95=numbers.milliseconds(numbers.quantile(ttft, 0.95)),
        e2e_p50=numbers.milliseconds(numbers.quantile(e2e, 0.5)),
        e2e_p95=numbers.milliseconds(numbers.quantile(e2e, 0.95)),
        timed=numbers.count(len(times)),
        repeats=repeats,
    )


def build_sections(comparison: Comparison, *, trusted: bool = True) -> tuple[SectionView, ...]:
    """What got better and worse, section by section, in the order of the plan.

    Of evidence that cannot be trusted no metric is given: it would be taken for one that holds.
    """
    repeats = repeats_of(comparison)
    cases: dict[tuple[str, str], list[PairedCase]] = {}
    for case in comparison.cases:
        cases.setdefault((case.suite, case.section), []).append(case)
    scorers = {
        (plan.suite, plan.section): plan.scorer for plan in comparison.candidate.header.sections
    }
    found = [*scorers, *(key for key in cases if key not in scorers)]
    sections: list[SectionView] = []
    for suite, section in found:
        own = cases.get((suite, section), [])
        changes: defaultdict[Change, list[PairedCase]] = defaultdict(list)
        for case in own:
            changes[case.change].append(case)
        failed = changes["new_failure"]
        prefix = f"{suite}.{section}."
        sections.append(
            SectionView(
                name=one_line(f"{suite}/{section}", 120),
                scorer=one_line(scorers.get((suite, section), ""), 60),
                metrics=tuple(
                    _metric(metric, prefix)
                    for name, metric in comparison.metrics.items()
                    if trusted and name.startswith(prefix)
                ),
                cases=tally(own, repeats),
                new_failures=tally(failed, repeats),
                new_critical=len({case.path for case in failed if case.critical}),
                fixed=tally(changes["fixed"], repeats),
                still_failing=tally(changes["still_failing"], repeats),
                still_passing=tally(changes["still_passing"], repeats),
                not_comparable=tally(changes["not_comparable"], repeats),
            )
        )
    return tuple(sections)


def _metric(metric: PairedMetric, prefix: str) -> MetricView:
    candidate, baseline = metric.candidate_value, metric.baseline_value
    gap = None if candidate is None or baseline is None else candidate - baseline
    moved = gap is not None and abs(gap) >= 1e-9
    return MetricView(
        name=one_line(metric.name.removeprefix(prefix), 60),
        candidate=numbers.share(candidate),
        baseline=numbers.share(baseline),
        difference=numbers.points(gap),
        direction=("better" if gap > 0 else "worse") if gap is not None and moved else "same",
    )


def build_prompts(comparison: Comparison) -> tuple[PromptView, ...]:
    """The system prompt of every suite, once where both sides were given the same."""
    ours, theirs = (
        comparison.candidate.header.system_prompts,
        comparison.baseline.header.system_prompts,
    )
    prompts: list[PromptView] = []
    for suite in dict.fromkeys([*ours, *theirs]):
        pair = (ours.get(suite), theirs.get(suite))
        told = (
            [("both", pair[0])]
            if pair[0] == pair[1]
            else [
                ("candidate", pair[0]),
                ("baseline", pair[1]),
            ]
        )
        prompts.extend(
            PromptView(one_line(suite, 80), whose, clip(text or "", 20_000))
            for whose, text in told
            if text is not None or len(told) == 2
        )
    return tuple(prompts)


def build_provenance(comparison: Comparison) -> tuple[FactTable, ...]:
    """Where the numbers come from, both runs side by side."""
    ours, theirs = _facts(comparison.candidate.header), _facts(comparison.baseline.header)
    tables: list[FactTable] = []
    for title in ours:
        names = dict.fromkeys([*ours[title], *theirs[title]])
        rows = tuple(
            (
                one_line(name, 120),
                _fact(ours[title].get(name)),
                _fact(theirs[title].get(name)),
            )
            for name in names
        )
        if rows:
            tables.append(FactTable(title, rows))
    return tuple(tables)


def _facts(header: RunHeader) -> dict[str, dict[str, Any]]:
    identity, proof = header.identity, header.adapter_proof
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
            **_arguments(identity),
        },
        "Adapter proof": {}
        if proof is None
        else {
            "served as": proof.model,
            "parent": proof.parent,
            "probes that differ from the parent": f"{proof.differing} of {proof.probes}",
            "adapter": proof.adapter,
            "largest gap of log-probabilities": f"{numbers.number(proof.largest_gap)} nats",
            "the base's own noise": f"{numbers.number(proof.noise)} nats",
        },
        "Generation": dict(header.generation),
        "Suites": {
            **header.suites,
            **{f"selection: {name}": value for name, value in header.selection.items()},
        },
        "Packages": dict(header.packages),
        "Host": dict(header.host),
    }


def _arguments(identity: Identity) -> dict[str, Any]:
    """The engine's arguments: a process's are options, a bot's say how it is spoken to."""
    dashes = "--" if identity.weights is not None else ""
    return {f"{dashes}{name}": value for name, value in identity.engine_args.items()}


def _fact(value: Any) -> str:
    if value is None or value == "":
        return numbers.NONE
    if isinstance(value, str):
        return one_line(value, 600)
    return one_line(json.dumps(value), 600)
