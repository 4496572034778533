"""Several candidates side by side: their rules and differences in words, and the drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from harness.records.comparison import ComparisonRecord
from harness.records.latency import is_latency
from harness.records.leaderboard import (
    Advantage,
    Leaderboard,
    LeaderboardEntry,
    PairedDifference,
    Recommendation,
    TargetFigures,
)
from harness.records.preferences import Preferences
from harness.records.verdict import Decision, RuleResult
from harness.report import formats
from harness.report.rules import completed, cut_words, numbers_of, unit_of
from harness.visible_text import one_line

_TITLES = {
    "none": "No candidate is recommended",
    "one": "Recommended: {names}",
    "cheapest": "Recommended: {names}, the cheapest of equals",
    "equal": "Recommended equally: {names}",
    "trade_off": "No candidate is recommended over the others",
    "not_compared": "No candidate is recommended over the others",
}
NOT_MEASURED, NOT_JUDGED = "not measured", "not judged"
Direction = Literal["better", "worse", ""]
Differences = tuple[PairedDifference | None, ...]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule for all candidates, in their order; None where a candidate has no such result.

    `wording` is the result that states the requirement.
    """

    wording: RuleResult
    results: tuple[RuleResult | None, ...]


@dataclass(frozen=True, slots=True)
class PreferenceRow:
    """A target's share of wins against the others, its bounds, and its cell against each of them.

    A cell says how many pairs were won, tied and lost; empty against itself, or without any.
    """

    target: str
    share: str
    interval: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of all targets, in their order: quality, time, tokens, cost or passages."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class LeaderboardContent:
    """A leaderboard, arranged once for all formats."""

    leaderboard: Leaderboard

    @cached_property
    def rules(self) -> tuple[RuleRow, ...]:
        """The rules of the policy in its order; one that only some verdicts add comes last."""
        tables = [_by_rule(entry) for entry in self.leaderboard.entries]
        rows = []
        for key in dict.fromkeys(key for table in tables for key in table):
            results = tuple(table.get(key) for table in tables)
            # An unjudged rule has no limit, so its requirement is taken from another result.
            wording = max((one for one in results if one), key=lambda one: one.limit is not None)
            rows.append(RuleRow(wording, results))
        return tuple(rows)

    @cached_property
    def metrics(self) -> dict[str, Differences]:
        """Each metric's difference for all candidates, in their order."""
        entries = self.leaderboard.entries
        names = dict.fromkeys(name for entry in entries for name in entry.differences)
        return {name: tuple(entry.differences.get(name) for entry in entries) for name in names}

    @cached_property
    def sliced(self) -> tuple[dict[str, RuleResult], ...]:
        """The results of each rule on many slices, by candidate."""
        entries = self.leaderboard.entries
        found = [
            {entry.name: rule for entry, rule in zip(entries, row.results, strict=True)
             if rule is not None and rule.slices}
            for row in self.rules
        ]  # fmt: skip
        return tuple(results for results in found if results)

    def baseline_of(self, name: str) -> str:
        """The baseline's value of a metric, by the first candidate that has it."""
        found = next(each for each in self.metrics[name] if each is not None)
        return formats.unit_named(found.metric.unit).value(found.baseline)

    def direction(self, found: PairedDifference | None) -> Direction:
        """Whether the difference is significantly for the better or for the worse."""
        if found is None or found.estimate is None:
            return ""
        if found.p_of_loss is not None and found.p_of_loss <= self.leaderboard.alpha:
            return "worse"
        return "better" if found.is_gain else ""

    @cached_property
    def figures(self) -> tuple[FigureRow, ...]:
        """What each target is worth and takes; what is known of none is left out.

        Quality is that of the metrics with a rule, or of all where there is no policy.
        """
        board = self.leaderboard
        if not board.figures:
            return ()
        ruled = {row.wording.metric for row in self.rules}
        places = {entry.name: place for place, entry in enumerate(board.entries)}
        rows = [
            FigureRow(
                name,
                tuple(
                    self.baseline_of(name)
                    if one.target not in places
                    else difference_words(found[places[one.target]])[0]
                    for one in board.figures
                ),
            )
            for name, found in self.metrics.items()
            if not ruled or name in ruled
        ]
        return (*rows, *_figure_rows(board.figures))

    @property
    def figures_sentence(self) -> str:
        """How the figures are to be read."""
        words = (
            "times to the first word are those while the runs were asked, with what was under way "
            "at once: `harness latency` compares them"
        )
        if any(one.judged for one in self.leaderboard.figures):
            words += (
                "; an answer is grounded where its numbers, its names and two thirds of its other "
                "words stand in its passages"
            )
        return words

    @cached_property
    def preferences(self) -> tuple[PreferenceRow, ...]:
        """What people prefer, a row a target; nothing where they were not asked."""
        found = self.leaderboard.preferences
        return () if found is None else tuple(_preference_rows(found))

    @property
    def preferences_sentence(self) -> str:
        """What the preferences rest on, and why no shares can be computed where that is so."""
        found = self.leaderboard.preferences
        if found is None:
            return ""
        raters, items = formats.counted(found.raters, "rater"), formats.counted(found.items, "pair")
        groups = formats.counted(found.groups, "group")
        why = f"; no share of all: {found.reason}" if found.reason else ""
        return f"{items} of answers in {groups}, by {raters}{why}"

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What stands below the tables."""
        return tuple(_notes(self.leaderboard))


def _figure_rows(figures: Sequence[TargetFigures]) -> Iterator[FigureRow]:
    share, seconds = formats.unit_named("share").value, formats.duration
    forms: dict[str, Callable[[TargetFigures], str]] = {
        "time to first word, median": lambda one: seconds(one.ttft_p50),
        "time to first word, p95": lambda one: seconds(one.ttft_p95),
        "tokens in, an answer": lambda one: formats.number(one.tokens_in),
        "tokens out, an answer": lambda one: formats.number(one.tokens_out),
        "cost of 1,000 answers": lambda one: formats.amount(one.per_thousand),
        "grounded in its passages": lambda one: share(one.grounded),
        "sources among its passages": lambda one: share(one.recall),
    }
    for name, form in forms.items():
        cells = tuple(form(one) for one in figures)
        if any(cell != formats.NONE for cell in cells):
            yield FigureRow(name, cells)


def _by_rule(entry: LeaderboardEntry) -> dict[tuple[str, str | None, int], RuleResult]:
    """The results by rule; the number tells two rules of one kind on one metric apart."""
    found: dict[tuple[str, str | None, int], RuleResult] = {}
    for rule in () if entry.verdict is None else entry.verdict.rules:
        place = sum((rule.require, rule.metric) == key[:2] for key in found)
        found[rule.require, rule.metric, place] = completed(rule)
    return found


def rule_words(entry: LeaderboardEntry, rule: RuleResult) -> str:
    """A rule's numbers for a candidate, or why there are none."""
    if entry.doubts:
        return NOT_JUDGED
    if is_unmeasured(rule):
        return NOT_MEASURED
    return one_line(rule.reason, 600) if rule.estimate is None else numbers_of(rule)


def is_unmeasured(rule: RuleResult) -> bool:
    """Whether a rule on latency has no measurement to be judged by."""
    return is_latency(rule.metric) and rule.reason.endswith("was not measured")


def difference_words(found: PairedDifference | None) -> tuple[str, str, str]:
    """The candidate's value, its difference to the baseline, and the interval of that.

    The interval is empty without a candidate's value.
    """
    if found is None:
        return formats.NONE, formats.NONE, ""
    unit = formats.unit_named(found.metric.unit)
    span = formats.interval(found.low, found.high, unit.difference)
    interval = "not computed" if found.estimate is None else span
    return unit.value(found.candidate), unit.difference(found.estimate), interval


def recommendation_title(found: Recommendation) -> str:
    """What is recommended, as a heading."""
    names = ", ".join(one_line(name, 60) for name in found.candidates)
    if names and found.unjudged:
        others = ", ".join(one_line(name, 60) for name in found.unjudged)
        return f"Passes: {names}. Not judged: {others}"
    return _TITLES[found.choice].format(names=names)


def recommendation_tone(found: Recommendation) -> Decision:
    """The verdict whose colour and sign the recommendation has.

    Where candidates could not be judged, nobody is recommended over them.
    """
    if found.choice == "none":
        return "INVALID" if len(found.unjudged) == found.tried else "BLOCK"
    sure = found.choice in ("one", "cheapest", "equal") and not found.unjudged
    return "PROMOTE" if sure else "INCONCLUSIVE"


def tests_sentence(found: Recommendation) -> str:
    """How many differences between candidates were tested; empty where none was."""
    if not found.tested:
        return ""
    return (
        f"{formats.counted(found.tested, 'difference')} between candidates that pass tested "
        "together (Holm), on the metrics that have a rule and no cap"
    )


def advantage_words(found: Advantage) -> tuple[str, str, str]:
    """The difference between two candidates, its interval and its p-value."""
    form = formats.unit_named(unit_of(found.metric, found.definition)).difference
    span = formats.interval(found.ci_low, found.ci_high, form)
    return form(found.estimate), span, formats.p_value(found.p_value)


def changes(comparison: ComparisonRecord) -> dict[str, dict[str, int]]:
    """How many answers of each section changed, and how."""
    found: dict[str, Counter[str]] = {}
    for case in comparison.cases:
        section = found.setdefault(f"{case.suite}.{case.section}", Counter())
        section[case.change.replace("_", " ")] += 1
    return {section: dict(counts) for section, counts in found.items()}


def change_rows(entry: LeaderboardEntry) -> list[tuple[str, str]]:
    """Each section with its changes in words; nothing where there are doubts."""
    if entry.doubts:
        return []
    return [
        (section, ", ".join(_change_words(kind, count) for kind, count in counts.items()))
        for section, counts in changes(entry.comparison).items()
    ]


def _change_words(kind: str, count: int) -> str:
    return formats.counted(count, kind) if kind.endswith("failure") else f"{count:,} {kind}"


def reason_words(entry: LeaderboardEntry) -> str:
    """Why the candidate's verdict is what it is, or why its evidence cannot be trusted."""
    verdict = entry.verdict
    return one_line(verdict.reason if verdict is not None else next(iter(entry.doubts), ""), 400)


def _preference_rows(found: Preferences) -> Iterator[PreferenceRow]:
    names = dict.fromkeys(name for duel in found.duels for name in (duel.one, duel.other))
    known = {share.target: share for share in found.shares}
    form = formats.unit_named("share").value
    for name in names:
        cells = []
        for other in names:
            duel = found.between(name, other)
            numbers = () if duel is None else (duel.won, duel.tied, duel.lost)
            cells.append(" / ".join(f"{number:.3g}" for number in numbers))
        share = known.get(name)
        if share is None:
            yield PreferenceRow(name, formats.NONE, "", tuple(cells))
        else:
            span = formats.interval(share.low, share.high, form)
            yield PreferenceRow(name, form(share.estimate), span, tuple(cells))


def _notes(leaderboard: Leaderboard) -> Iterator[str]:
    for entry in leaderboard.entries:
        name = one_line(entry.name, 60)
        if entry.doubts:
            more = f" (and {len(entry.doubts) - 1} more)" if len(entry.doubts) > 1 else ""
            yield f"{name}: {one_line(entry.doubts[0], 400)}{more}"
        elif entry.verdict is not None and any(map(is_unmeasured, entry.verdict.rules)):
            yield f"{name}: its latency was not measured, `harness latency {name}` does that"
        for metric, found in entry.differences.items():
            if found.cap is not None and found.cut:
                words = cut_words(found.cut, found.cap, found.metric.unit)
                yield f"{name}: {one_line(metric, 200)}: {words}"
            elif found.reason and not found.metric.bounded:
                yield f"{name}: {one_line(metric, 200)} is not computed: {found.reason}"
    if any(
        metric.missing.size
        for entry in leaderboard.entries
        if not entry.doubts
        for metric in entry.comparison.metrics.values()
    ):
        yield (
            "where a case has no score on a side, a candidate's difference is over the cases that "
            "both have, and the baseline's value is that of the first candidate's cases"
        )
