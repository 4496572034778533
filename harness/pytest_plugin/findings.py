"""What the selected items require, and what was found: records that all processes read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from pydantic import Field

from harness.records.base import Record
from harness.records.verdict import Decision, RuleResult
from harness.run.plan import Selection

T = TypeVar("T")
# Target, suite and section.
SectionKey = tuple[str, str, str]


class SectionTests(Record):
    """The Python tests of one section that were collected for one target.

    They are `whole` where all that the section has are selected; there are none where the file
    could not be collected.
    """

    target: str
    suite: str
    section: str
    cases: tuple[str, ...]
    whole: bool

    @property
    def place(self) -> SectionKey:
        """Target, suite and section."""
        return self.target, self.suite, self.section

    @property
    def part(self) -> str:
        """Why they cannot be kept, whatever they come to; empty where they are whole."""
        if self.whole:
            return ""
        if not self.cases:
            return "its Python tests could not be collected"
        return "only a part of its Python tests was selected"


class Requirements(Record):
    """What the selected items ask for: cases by target, places of rules by candidate, tests.

    `suites` are the names of those that were collected, whether or not their items were selected:
    a rule is judged on all of them.
    """

    suites: tuple[str, ...] = ()
    cases: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    rules: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    tests: tuple[SectionTests, ...] = ()

    @property
    def late(self) -> bool:
        """Whether rules have to wait for what Python tests come to."""
        return bool(self.rules) and any(each.whole for each in self.tests)

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target that an item is about."""
        return tuple(dict.fromkeys([*self.rules, *self.cases]))

    def selection(
        self, target: str, total: int, project_suites: int, repeats: int | None
    ) -> Selection:
        """The part of the suites, which hold `total` cases, that the target has to be asked."""
        suites = self.suites if len(self.suites) < project_suites else ()
        wanted = self.cases.get(target, ())
        cases = () if target in self.rules or len(wanted) == total else wanted
        return Selection(suites=suites, cases=cases, repeats=repeats)


def requirements_of(
    suites: Iterable[str],
    cases: Iterable[tuple[str, str]],
    rules: Iterable[tuple[str, int]],
    tests: tuple[SectionTests, ...] = (),
) -> Requirements:
    """The needs of items: pairs of a target and the path of a case, or the place of a rule."""
    of_tests = [each.suite for each in tests]
    return Requirements(
        suites=tuple(dict.fromkeys([*suites, *of_tests])),
        cases=_gathered(cases),
        rules=_gathered(rules),
        tests=tests,
    )


def _gathered(pairs: Iterable[tuple[str, T]]) -> dict[str, tuple[T, ...]]:
    found: dict[str, dict[T, None]] = {}
    for target, thing in pairs:
        found.setdefault(target, {})[thing] = None
    return {target: tuple(things) for target, things in found.items()}


class CandidateResult(Record):
    """What the policy makes of one candidate.

    `rules` stand as in the policy. `verdict` and `report`, the folder, are there where everything
    was judged as `harness gate` does it. `new_failures` are the paths of cases by `suite.section`,
    the critical ones again under `critical`.
    """

    problems: tuple[str, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    verdict: Decision | None = None
    reason: str = ""
    report: str | None = None
    new_failures: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class TestedRun(Record):
    """The run that a target's Python tests belong to, and how often it was asked anew."""

    run: str
    freshness: int


class Findings(Record):
    """The finished runs by target, and what became of each candidate.

    `compared` names the run that the others are shown beside: a target among `runs`, or a sealed
    baseline. Where Python tests are still to be run, judging is `late`; `tested_runs` are their
    runs by target.
    """

    runs: dict[str, str] = Field(default_factory=dict)
    compared: str | None = None
    judged: dict[str, CandidateResult] = Field(default_factory=dict)
    late: bool = False
    tested_runs: dict[str, TestedRun] = Field(default_factory=dict)
