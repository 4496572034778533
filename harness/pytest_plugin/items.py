"""Collectors and items: a file of a suite, its sections and cases, and the rules of the policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.pytest_plugin.names import CRITICAL, RULE, Marks, safe
from harness.pytest_plugin.reporting import (
    Failing,
    Inconclusive,
    NoEvidence,
    Tolerated,
    answer_section,
    printable,
    prompt_sections,
    why,
)
from harness.pytest_plugin.session import SessionState
from harness.records.attempt import Score
from harness.records.rule import Rule
from harness.records.suite import Case, Section, Suite
from harness.visible_text import one_line
from harness.yaml_files import line_of

if TYPE_CHECKING:
    from harness.pytest_plugin.findings import CandidateResult
    from harness.records.verdict import RuleResult

_PROPERTY = 500
_RULE_PROPERTIES = (
    "require", "outcome", "candidate", "baseline", "estimate", "ci_low", "ci_high", "limit", "n",
    "groups",
)  # fmt: skip


class HarnessItem(pytest.Item):
    """An item whose outcome is looked up: everything was asked before the first one runs."""

    def __init__(
        self,
        *,
        state: SessionState,
        target: str,
        place: tuple[Path, int | None],
        name: str,
        parent: pytest.Collector,
        **given: Any,
    ) -> None:
        # Given as text, it is taken apart as pytest takes apart what it reads from its cache.
        super().__init__(name=name, parent=parent, nodeid=f"{parent.nodeid}::{name}", **given)
        self.state = state
        self.target = target
        self.file, self.line = place

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file and the line, counted from 0 and if known, where the item is, and a title."""
        # A title that ended the node id would have its dots replaced wherever pytest prints that.
        title = self.name if self.parent is None else f"{self.parent.name} {self.name}"
        return self.file, None if self.line is None else self.line - 1, title

    def note(self, **properties: object) -> None:
        """Note properties for reports such as JUnit's; what is not known is left out."""
        for name, value in properties.items():
            if value is not None and value != "":
                text = one_line(value, _PROPERTY) if isinstance(value, str) else value
                self.user_properties.append((name, text))


class CaseItem(HarnessItem):
    """One case of a suite, all its repeats judged together."""

    def __init__(self, *, suite: Suite, section: Section, case: Case, **given: Any) -> None:
        super().__init__(**given)
        self.suite, self.section = suite, section.name
        self.case = case
        self.case_path = f"{suite.name}/{section.name}/{case.id}"
        self._scores: tuple[Score, ...] = ()

    def setup(self) -> None:
        """Look the scores up; without them there is no evidence, which is an error."""
        self._scores = self.state.scores(self.target, self.case_path)
        values = [score.value for score in self._scores if score.value is not None]
        self.note(
            target=self.target,
            suite=self.suite.name,
            section=self.section,
            group=self.case.group,
            tags=", ".join(self.case.tags),
            critical=True if self.case.critical else None,
            repeats=len(self._scores) if len(self._scores) > 1 else None,
            score=sum(values) / len(values) if values else None,
        )
        if not self._scores:
            raise NoEvidence("no evidence, it was not asked", self._sections(None))
        if lost := [score for score in self._scores if score.status != "scored"]:
            message = f"no evidence, {lost[0].status}: {lost[0].reason}{self._which(lost)}"
            raise NoEvidence(message, self._sections(lost[0]))

    def runtest(self) -> None:
        """Judge the scores: a failure of an ordinary case is left to the rules."""
        failing = [score for score in self._scores if score.passed is False]
        if not failing:
            return
        reason = why(failing[0]) or "the answer does not pass"
        message, sections = f"{reason}{self._which(failing)}", self._sections(failing[0])
        if not self.case.critical:
            raise Tolerated(message, sections)
        news = self._news(failing)
        raise Failing(f"critical case fails: {message}{news}", sections)

    def _sections(self, score: Score | None) -> Iterator[tuple[str, str]]:
        yield from prompt_sections(self.case)
        if score is None:
            return
        yield answer_section(self.target, score, self.state.attempt(self.target, score))
        same = self._baseline_scores().get(score.repeat)
        if self._other is not None and same is not None:
            yield answer_section(self._other, same, self.state.attempt(self._other, same))

    @property
    def _other(self) -> str | None:
        """What the target is shown beside, None for the baseline itself."""
        found = self.state.findings
        return None if found is None or found.compared == self.target else found.compared

    def _baseline_scores(self) -> dict[int, Score]:
        """The scores of what the target is shown beside, by repeat."""
        return {one.repeat: one for one in self.state.scores(self._other, self.case_path)}

    def _news(self, failing: list[Score]) -> str:
        """Whether the failure is new, as far as the baseline was asked."""
        theirs = self._baseline_scores()
        known = [theirs[score.repeat] for score in failing if score.repeat in theirs]
        if not known:
            return ""
        if any(one.passed for one in known):
            return f" (new: {self._other} passes it)"
        return f" (not new: {self._other} fails it too)"

    def _which(self, some: list[Score]) -> str:
        total = len(self._scores)
        if total == 1:
            return ""
        numbers = ", ".join(str(score.repeat + 1) for score in some)
        return f" (repeat{'s' if len(some) > 1 else ''} {numbers} of {total})"


class RuleItem(HarnessItem):
    """One rule of the policy, held against one candidate; `rule` is its place in the policy."""

    def __init__(self, *, rule: int, **given: Any) -> None:
        super().__init__(**given)
        self.rule = rule
        # There once the item is set up.
        self._judged: CandidateResult
        self._result: RuleResult

    def setup(self) -> None:
        """Look the result up; one that the evidence does not carry is an error."""
        found = self.state.findings
        judged = None if found is None else found.judged.get(self.target)
        if judged is None or (not judged.rules and not judged.problems):
            raise NoEvidence("no evidence, it was not judged")
        if judged.problems:
            problems = "problems with the evidence", "\n".join(map(printable, judged.problems))
            raise NoEvidence(f"no evidence: {judged.problems[0]}", [problems])
        self._judged = judged
        result = self._result = judged.rules[self.rule]
        self.note(target=self.target, **{name: getattr(result, name) for name in _RULE_PROPERTIES})
        if result.outcome == "invalid":
            raise NoEvidence(f"no evidence: {result.reason}")

    def runtest(self) -> None:
        """Judge the result."""
        result, sections = self._result, self._sections()
        if result.outcome == "fail":
            raise Failing(result.reason, sections)
        if result.outcome == "inconclusive":
            raise Inconclusive(f"inconclusive: {result.reason}", sections)

    def _sections(self) -> Iterator[tuple[str, str]]:
        from harness.report import formats
        from harness.report import rules as worded

        rule = worded.completed(self._result)
        numbers = (
            ("required", worded.requirement(rule)),
            (self.target, worded.own_value(rule, rule.candidate)),
            (str(self.state.baseline), worded.own_value(rule, rule.baseline)),
            ("estimate", f"{worded.estimate_of(rule)} ({worded.interval_of(rule)})"),
            ("cases", f"{formats.count(rule.n)} in {formats.count(rule.groups)} groups"),
        )
        lines = numbers if rule.metric else numbers[:1]
        yield "rule", "\n".join(f"{name}: {text}" for name, text in lines)
        if warning := worded.shortfall(rule):
            yield "note", warning
        key = (rule.metric or "critical").rpartition(".")[0] or "critical"
        if listed := self._judged.new_failures.get(key):
            yield "new failures", "\n".join(map(one_line, listed))


class SuiteFile(pytest.File):
    """A `suite.yaml`: a collector for each of its sections, and one for its rules."""

    def __init__(self, *, state: SessionState, marks: Marks, **given: Any) -> None:
        super().__init__(**given)
        self.state, self.marks = state, marks

    def collect(self) -> Iterator[pytest.Collector]:
        """The sections in their order, then the rules."""
        try:
            suite = self.state.suite_at(self.path)
        except HarnessError as error:
            raise self.CollectError(self.state.error_line(error)) from None
        self.state.collected[suite.name] = None
        for section in suite.sections:
            if not section.cases:
                continue
            yield SectionNode.from_parent(self, name=section.name, suite=suite, section=section)
        if self.state.wide_owner in (None, self.path):
            # Rules on no suite in particular belong to the first that is collected.
            self.state.wide_owner = self.path
        taken = any(section.name == RULE for section in suite.sections)
        yield RuleNode.from_parent(self, name=f"{RULE}~policy" if taken else RULE, suite=suite)


class SectionNode(pytest.Collector):
    """A section: an item for each case and target."""

    parent: SuiteFile

    def __init__(self, *, suite: Suite, section: Section, **given: Any) -> None:
        super().__init__(**given)
        self.suite, self.section = suite, section
        self.add_marker(self.parent.marks.of(section.name, "a section of a suite"))

    def collect(self) -> Iterator[pytest.Item]:
        """The items of a case stand together, in the order of the targets."""
        state, marks = self.parent.state, self.parent.marks
        try:
            cases = list(self.section.cases)
        except HarnessError as error:
            raise self.CollectError(state.error_line(error)) from None
        lines = self.section.locate(Path(self.suite.folder), [case.id for case in cases])
        for case in cases:
            name = safe(case.id)
            found = [marks.of(tag, "a tag of cases") for tag in case.tags]
            if case.critical:
                found.append(marks.own(CRITICAL))
            for target in state.options.targets:
                item = CaseItem.from_parent(
                    self,
                    name=f"{name}[{target}]",
                    state=state,
                    target=target,
                    place=lines.get(case.id, (self.path, 1)),
                    suite=self.suite,
                    section=self.section,
                    case=case,
                )
                for mark in found:
                    item.add_marker(mark)
                yield item


class RuleNode(pytest.Collector):
    """The rules on a suite: an item for each rule and candidate."""

    parent: SuiteFile

    def __init__(self, *, suite: Suite, **given: Any) -> None:
        super().__init__(**given)
        self.suite = suite
        self.add_marker(self.parent.marks.own(RULE))

    def collect(self) -> Iterator[pytest.Item]:
        """The rules in the order of the policy, each for all candidates."""
        state = self.parent.state
        if state.policy is None:
            return
        config = state.options.config
        for place, rule in enumerate(state.policy.rules):
            if not self._is_here(rule):
                continue
            for candidate in state.candidates:
                yield RuleItem.from_parent(
                    self,
                    name=f"{state.rule_names[place]}[{candidate}]",
                    state=state,
                    target=candidate,
                    place=(config, line_of(config, f"gate.rules[{place}]") or 1),
                    rule=place,
                )

    def _is_here(self, rule: Rule) -> bool:
        suite = rule.suite_of(rule.metric_name)
        if suite is None:
            return self.parent.state.wide_owner == self.parent.path
        return suite == self.suite.name
