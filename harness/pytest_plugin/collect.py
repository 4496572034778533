"""Collectors: a suite's file, its sections, and the rules of the policy that concern it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.pytest_plugin.items import CaseItem, RuleItem
from harness.pytest_plugin.names import CRITICAL, RULE, Marks, parametrized, safe
from harness.pytest_plugin.session import Workbench
from harness.records.rule import Rule
from harness.records.suite import Section, Suite
from harness.yaml_files import line_of


class SuiteFile(pytest.File):
    """A `suite.yaml`: a collector for each of its sections, and one for its rules."""

    def __init__(self, *, workbench: Workbench, marks: Marks, **given: Any) -> None:
        super().__init__(**given)
        self.workbench, self.marks = workbench, marks

    def collect(self) -> Iterator[pytest.Collector]:
        """The sections in their order, then the rules."""
        try:
            suite = self.workbench.suite_at(self.path)
        except HarnessError as error:
            raise self.CollectError(self.workbench.told(error)) from None
        self.workbench.collected[suite.name] = None
        for section in suite.sections:
            if not section.cases:
                continue
            yield SectionNode.from_parent(self, name=section.name, suite=suite, section=section)
        if self.workbench.wide_owner in (None, self.path):
            # Rules on no suite in particular belong to the first that is collected.
            self.workbench.wide_owner = self.path
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
        workbench, marks = self.parent.workbench, self.parent.marks
        try:
            cases = list(self.section.cases)
        except HarnessError as error:
            raise self.CollectError(workbench.told(error)) from None
        lines = self.section.locate(Path(self.suite.folder), [case.id for case in cases])
        for case in cases:
            name = safe(case.id)
            found = [marks.of(tag, "a tag of cases") for tag in case.tags]
            if case.critical:
                found.append(marks.own(CRITICAL))
            for target in workbench.options.targets:
                item = CaseItem.from_parent(
                    self,
                    name=parametrized(name, target),
                    workbench=workbench,
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
        workbench = self.parent.workbench
        if workbench.policy is None:
            return
        config = workbench.options.config
        for place, rule in enumerate(workbench.policy.rules):
            if not self._is_here(rule):
                continue
            for candidate in workbench.candidates:
                yield RuleItem.from_parent(
                    self,
                    name=parametrized(workbench.rule_names[place], candidate),
                    workbench=workbench,
                    target=candidate,
                    place=(config, line_of(config, f"gate.rules[{place}]") or 1),
                    rule=place,
                )

    def _is_here(self, rule: Rule) -> bool:
        suite = rule.suite_of(rule.metric_name)
        if suite is None:
            return self.parent.workbench.wide_owner == self.parent.path
        return suite == self.suite.name
