"""A sitting: one Python test put to one target."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.config import SEALED
from harness.errors import UsageError
from harness.pytest_plugin.marking import Mark, TestCase
from harness.pytest_plugin.switchboard import Switchboard
from harness.pytest_plugin.talks import Heard, Talker
from harness.pytest_plugin.workbench import Workbench
from harness.records.suite import Suite
from harness.records.target import Generation
from harness.run.llm_judge import Opinion, judge_digest, opinion
from harness.sections.evidence import baseline_digest


@dataclass(slots=True)
class Sitting:
    """What belongs to one run of one test: the case it is, what it hears, the score it gives."""

    workbench: Workbench
    switchboard: Switchboard
    suite: Suite
    target: str
    case: TestCase
    heard: Heard = field(default_factory=Heard)
    mark: Mark = field(default_factory=Mark)
    judged_by: str | None = None
    against: str | None = None

    def talker(self) -> Talker:
        """The target under test; what it answers is kept."""
        return self._talker(self.target, self.heard)

    def base_talker(self) -> Talker:
        """The baseline.

        Raises:
            UsageError: it cannot be asked.
        """
        baseline = self.workbench.baseline
        if baseline is None or baseline.startswith(SEALED):
            what = "there is no baseline" if baseline is None else f"`{baseline}` answers no more"
            raise UsageError(what, hint="name a live target with --baseline")
        line, generation = self.switchboard.line(baseline), self._generation(baseline)
        self.against = baseline_digest(line.identity, generation, self._system(baseline))
        return self._talker(baseline, None)

    def judge(self, answer: object, requirement: str) -> Opinion:
        """What the configured judge says of an answer.

        Raises:
            UsageError: none is configured.
            EvidenceError: it does not answer, or not in the form that was asked for.
        """
        project = self.workbench.project
        name = project.config.judge
        if name is None:
            raise UsageError(
                "no judge is configured", where=project.file, hint="name a target: `judge: NAME`"
            )
        line = self.switchboard.line(name)
        self.judged_by = judge_digest(line.identity, self._generation(name))
        return opinion(line, str(answer), requirement, self.suite.domain)

    def _talker(self, target: str, heard: Heard | None) -> Talker:
        return Talker(self.switchboard.line(target), self._system(target), heard)

    def _system(self, target: str) -> str | None:
        own = self.workbench.project.target(target).system_prompt
        return self.suite.system_prompt if own is None else own

    def _generation(self, target: str) -> Generation:
        return self.workbench.project.generation(target)


_KEY = pytest.StashKey[Sitting]()


def seat(item: pytest.Item, sitting: Sitting) -> None:
    """Let an item's fixtures find its sitting."""
    item.stash[_KEY] = sitting


def sitting_of(item: pytest.Item) -> Sitting | None:
    """The item's sitting, None where it is no test of a suite."""
    return item.stash.get(_KEY, None)
