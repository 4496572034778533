"""A measurement of latency for reports, and the names of loads and metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from harness.records.latency import LatencySection, Load, LoadResult, is_latency
from harness.records.verdict import Outcome, RuleResult
from harness.report import formats
from harness.report.rules import completed
from harness.report.text import one_line

TERMS = (
    "TTFT: time to first token, from the moment a request was due; service TTFT: from its sending; "
    "ITL: between two chunks; TPOT: for each token after the first chunk; E2E: to the end of the "
    "answer."
)
CONTROL = (
    "The control is the baseline measured once more, in blocks of its own: its ratio to the "
    "baseline is the noise of this measurement."
)
INFINITE = (
    "∞: beyond every bound. Failed requests and timeouts count as infinitely late and as misses "
    "of the SLO."
)
_RANKED: tuple[Outcome, ...] = ("invalid", "fail", "inconclusive", "pass")
_FAMILIES = {
    "ttft": "TTFT",
    "service_ttft": "Service TTFT",
    "itl": "ITL",
    "tpot": "TPOT",
    "e2e": "E2E",
}
_METRIC = re.compile(r"(\w+)_(p\d+)")
_MEANING: dict[Outcome, str] = {
    "pass": "Every rule on latency passes.",
    "fail": "A rule on latency fails.",
    "inconclusive": "The measurement cannot tell.",
    "invalid": "The measurement cannot be trusted, so nothing follows from it.",
}


@dataclass(frozen=True)
class LatencyContent:
    """A measurement of two targets with the rules of a verdict, of which those on latency count."""

    section: LatencySection
    candidate: str
    baseline: str
    all_rules: tuple[RuleResult, ...]

    @cached_property
    def rules(self) -> tuple[RuleResult, ...]:
        """The results of the rules on latency, with infinity for what is beyond every bound."""
        return tuple(completed(rule) for rule in self.all_rules if is_latency(rule.metric))

    @cached_property
    def outcome(self) -> Outcome | None:
        """The worst outcome of the rules, invalid where there is a problem at any load.

        None where no rule is on latency.
        """
        if any(load.problems for load in self.section.loads):
            return "invalid"
        found = {rule.outcome for rule in self.rules}
        return next((outcome for outcome in _RANKED if outcome in found), None)

    @property
    def meaning(self) -> str:
        """The meaning of the outcome, in one sentence."""
        if self.outcome is None:
            return "No rule of the policy asks for latency: it was measured and not judged."
        return _MEANING[self.outcome]

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong with the measurement, each problem with the name of its load."""
        return tuple(
            one_line(f"{load_title(load.load)}: {problem}", 600)
            for load in self.section.loads
            for problem in load.problems
        )

    @property
    def infinite(self) -> bool:
        """Whether anything in the measurement is beyond every bound."""
        return any(arm.failed for load in self.section.loads for arm in load.arms)


def split_metric(metric: str) -> tuple[str, str]:
    """The family of a metric and which value of it, as people write them: `TTFT`, `p95`."""
    found = _METRIC.fullmatch(metric)
    if found is None or found[1] not in _FAMILIES:
        return one_line(metric.replace("_", " "), 60), ""
    return _FAMILIES[found[1]], found[2]


def load_title(load: Load) -> str:
    """What a load is, as a heading."""
    if load.kind == "single":
        return "One request at a time"
    if load.kind == "closed":
        return f"{formats.counted(load.concurrency, 'request')} at a time"
    if load.share is not None:
        return f"Poisson arrivals at {100 * load.share:g}% of the baseline's capacity"
    return f"Poisson arrivals, {load.rate:g} requests/s"


def load_facts(load: LoadResult) -> str:
    """The rate that a load was given at, where its name does not say it, and its rounds."""
    shows_rate = load.rate is not None and load.load.rate is None
    rate = f"{formats.number(load.rate)} requests/s" if shows_rate else ""
    return ", ".join(filter(None, (rate, formats.counted(load.rounds, "round"))))


def measurement_facts(section: LatencySection) -> tuple[tuple[str, str], ...]:
    """How it was measured, by name."""
    settings = section.settings
    length = "each" if settings.length == "fixed" else "at most, as the model ends"
    rows = [
        ("Requests", f"{formats.count(settings.requests)} of each arm at each load"),
        ("Rounds", f"{formats.count(settings.rounds)}, the arms in an order drawn for each"),
        ("Answers", f"{formats.counted(settings.max_tokens, 'token')} {length}"),
        ("SLO", slo_words(section) or "none"),
        ("Seed", str(settings.seed)),
        ("Measurement", one_line(section.measurement, 120)),
        ("Digest", one_line(section.digest, 120)),
    ]
    if section.stopped_early:
        rows.insert(2, ("Stopped early", "further rounds could no longer change the outcome"))
    return tuple(rows)


def slo_words(section: LatencySection) -> str:
    """What a good request keeps: `TTFT ≤ 500 ms, E2E ≤ 4.00 s`; empty without an SLO."""
    slo = section.settings.slo
    if slo is None:
        return ""
    limits = (("TTFT", slo.ttft), ("E2E", slo.e2e))
    return ", ".join(
        f"{name} ≤ {formats.duration(limit)}" for name, limit in limits if limit is not None
    )
