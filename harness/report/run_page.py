"""One run by itself: its metrics, and every answer with what its scorer said."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from harness.records.attempt import Attempt, Score
from harness.records.run import RunRecord, SectionPlan
from harness.records.suite import Case, Suite
from harness.report import formats
from harness.report.card import labels
from harness.report.cases import AnswerText, TurnText, build_answer, expected
from harness.report.text import anchor, clip
from harness.visible_text import one_line

MOST = 2_000  # answers on a page; the run's own files have all
_LONGEST = 2_000
_GROUPS = (
    ("fail", "Failing"), ("none", "Without a score"), ("graded", "Graded"), ("pass", "Passing"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunCase:
    """One answer of the run; without `turns` the suites of today do not have the case."""

    anchor: str
    path: str
    repeat: str
    critical: bool
    preview: str
    turns: tuple[TurnText, ...]
    expected: str
    answer: AnswerText


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Answers of one outcome; `total` counts those as well that the page leaves out."""

    title: str
    total: int
    cases: tuple[RunCase, ...]


@dataclass(frozen=True)
class RunPage:
    """A run with the suites as they are now, from which the prompts come."""

    run: RunRecord
    suites: tuple[Suite, ...]

    @cached_property
    def metrics(self) -> tuple[tuple[str, str, str, str], ...]:
        """Title, full name, value and labels of each metric; labels once a section."""
        titles = {
            f"{suite.name}.{section.name}.{metric}": title
            for suite in self.suites
            for section in suite.sections
            for metric, title in section.titles.items()
        }
        rows = []
        for plan in self.run.header.sections:
            told = labels(score for score in self.run.scores if score.place == plan_place(plan))
            for metric in plan.metrics:
                name = f"{plan.suite}.{plan.section}.{metric.name}"
                value = self.run.summary.metrics.get(name)
                shown = formats.unit_named(metric.unit).value(value)
                rows.append(
                    (one_line(titles.get(name, name), 120), one_line(name, 120), shown, told)
                )
                told = ""
        return tuple(rows)

    @property
    def changed(self) -> tuple[str, ...]:
        """The suites that are not what they were when the run was made."""
        now = {suite.name: suite.digest for suite in self.suites}
        known = self.run.header.suites.items()
        return tuple(one_line(name, 80) for name, digest in known if now.get(name) != digest)

    @cached_property
    def groups(self) -> tuple[RunGroup, ...]:
        """The answers by outcome, failing ones first, critical ones first in each."""
        attempts = {attempt.key: attempt for attempt in self.run.attempts}
        found: dict[str, list[tuple[Score, Attempt]]] = {key: [] for key, _ in _GROUPS}
        for score in self.run.scores:
            if score.key in attempts:
                found[_outcome(score)].append((score, attempts[score.key]))
        cases, room = self._cases(), MOST
        groups = []
        for key, title in _GROUPS:
            rows = sorted(found[key], key=lambda row: not row[0].critical)
            built = tuple(self._built(score, attempt, cases) for score, attempt in rows[:room])
            room -= len(built)
            if rows:
                groups.append(RunGroup(title, len(rows), built))
        return tuple(groups)

    def _cases(self) -> dict[tuple[str, str, str], Case]:
        asked = {
            (suite.name, section.name, case.id): case
            for suite in self.suites
            for section, case in suite.cases()
        }
        recorded = {
            (one.score.suite, one.score.section, one.case.id): one.case for one in self.run.recorded
        }
        return {**asked, **recorded}

    def _built(
        self, score: Score, attempt: Attempt, cases: dict[tuple[str, str, str], Case]
    ) -> RunCase:
        case = cases.get((score.suite, score.section, score.case))
        messages = () if case is None else case.messages
        repeats = int(self.run.header.generation.get("repeats", 1))
        text = clip(attempt.text or "", _LONGEST)
        return RunCase(
            anchor=anchor(score.path, score.repeat),
            path=one_line(score.path, 200),
            repeat=f"repeat {score.repeat + 1} of {repeats}" if repeats > 1 else "",
            critical=score.critical,
            preview=one_line(messages[-1].content, 80) if messages else "",
            turns=tuple(TurnText(one.role, clip(one.content, _LONGEST)) for one in messages),
            expected="" if case is None else one_line(expected(case.expect), 600),
            answer=build_answer(attempt, score, self._unit(score), text, (), _LONGEST),
        )

    def _unit(self, score: Score) -> formats.Unit:
        plans = (one for one in self.run.header.sections if plan_place(one) == score.place)
        return formats.unit_named(next((one.metrics[0].unit for one in plans), "share"))


def plan_place(plan: SectionPlan) -> tuple[str, str]:
    """The suite and the section of a plan."""
    return plan.suite, plan.section


def _outcome(score: Score) -> str:
    if score.status != "scored":
        return "none"
    return "graded" if score.passed is None else "pass" if score.passed else "fail"
