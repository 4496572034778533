"""The view model of a measurement of latency."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from harness.records.latency import ARMS, LatencySection, LoadResult, is_latency
from harness.records.verdict import RuleResult
from harness.report import numbers
from harness.report.latency import words
from harness.report.latency.figures import figure_rows, unfinished
from harness.report.latency.metrics import families, findings, ratio_rows, unbound
from harness.report.latency.model import Curve, LatencyView, LoadView
from harness.report.rules import SYMBOLS, build_rule
from harness.report.text import one_line


def build_latency(
    section: LatencySection, candidate: str, baseline: str, rules: Sequence[RuleResult]
) -> LatencyView:
    """Everything the section shows; of the rules only those on latency."""
    own = [rule for rule in rules if is_latency(rule.metric)]
    shown = tuple(map(build_rule, own))
    outcome = words.overall(section, shown)
    return LatencyView(
        candidate=one_line(candidate, 80),
        baseline=one_line(baseline, 80),
        outcome=outcome,
        symbol=SYMBOLS[outcome] if outcome else "",
        meaning=words.meaning(outcome),
        problems=words.problems(section),
        rules=shown,
        loads=tuple(_build_load(load, section, own) for load in section.loads),
        facts=words.facts(section),
        infinite=any(arm.failed for load in section.loads for arm in load.arms),
    )


def _build_load(load: LoadResult, section: LatencySection, rules: Sequence[RuleResult]) -> LoadView:
    rate = f"{numbers.number(load.rate)} requests/s" if load.rate is not None else ""
    told = rate if load.load.rate is None else ""
    arms = sorted(load.arms, key=lambda arm: ARMS.index(arm.arm))
    ecdf = _ecdf(load)
    return LoadView(
        title=words.load_title(load.load),
        confidence=f"{100 * (1 - 2 * load.alpha):g}%",
        facts=", ".join(filter(None, (told, numbers.counted(load.rounds, "round")))),
        findings=findings(load, rules),
        problems=tuple(one_line(problem, 600) for problem in load.problems),
        notes=tuple(one_line(note, 600) for note in load.notes),
        families=families(load.metrics),
        arms=tuple(arm.arm for arm in arms),
        figures=figure_rows(arms, words.slo_words(section)),
        ecdf=ecdf,
        course=_course(load),
        ratios=ratio_rows(load, rules),
        slo=section.settings.slo.ttft if section.settings.slo else None,
        unfinished=unfinished(arms, [curve.arm for curve in ecdf]),
        trusted=not load.problems,
    )


def _ecdf(load: LoadResult) -> tuple[Curve, ...]:
    """The arms' curves of TTFT, each as far as it is finite."""
    curves: list[Curve] = []
    for arm in ARMS:
        values = load.ecdf.get(arm, ())
        last = max(len(values) - 1, 1)
        points = [(unbound(value), place / last) for place, value in enumerate(values)]
        finite = tuple(point for point in points if isfinite(point[0]))
        if len(finite) > 1:
            curves.append(Curve(arm, finite))
    return tuple(curves)


def _course(load: LoadResult) -> tuple[Curve, ...]:
    """The arms' block medians in the order of time."""
    curves: list[Curve] = []
    for arm in ARMS:
        own = sorted((m for m in load.medians if m.arm == arm), key=lambda m: m.at)
        if own:
            curves.append(Curve(arm, tuple((m.at, unbound(m.ttft)) for m in own)))
    return tuple(curves)
