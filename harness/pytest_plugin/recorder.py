"""The recorder: gathers what Python tests came to, and keeps the sections that were run whole."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable

from harness.pytest_plugin.needs import Tested
from harness.pytest_plugin.workbench import Workbench
from harness.records.recording import RecordedCase, RecordedSection, Recording
from harness.sections.evidence import configured_judge
from harness.sections.python import METRICS
from harness.storage import RunFolder

Place = tuple[str, str, str]


class Recorder:
    """What has come of the tests of each target and section so far.

    A section counts once every one of its tests has been run in one session: a part of them, chosen
    by whoever looks at the answers, is no evidence.
    """

    def __init__(self, workbench: Workbench, tested: Iterable[Tested]) -> None:
        self._workbench = workbench
        self._session = secrets.token_hex(8)
        self._tested = {each.place: each for each in tested}
        self._found: defaultdict[Place, dict[str, RecordedCase]] = defaultdict(dict)
        self._lost: dict[Place, str] = {}
        self.kept: list[Place] = []

    def begin(self) -> None:
        """Note on the disk that sections are tested anew, should this session not get to its end.

        A part of a section cannot, whatever comes of it.

        Raises:
            JournalError: what was recorded before is damaged, or another process writes the run.
            StorageError: the folder cannot be written.
        """
        begun: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
        for target, suite, section in self._tested:
            begun[target].append((suite, section, self._session))
        for target, each in begun.items():
            self._write(target, begun=tuple(each))

    def lose(self) -> None:
        """Wait no more for any section: a worker died.

        What it had left goes to the others behind their own, and rules would wait for tests that
        wait for them.
        """
        for place in self.pending:
            self._lost[place] = f"a worker died, {self._ran(place)}"

    def hear(self, target: str, found: RecordedCase) -> None:
        """Take note of one test; keep its section if it was the last."""
        place = target, found.score.suite, found.score.section
        self._found[place][found.case.id] = found
        wanted = self._tested.get(place)
        if wanted is not None and wanted.whole and set(wanted.cases) == set(self._found[place]):
            self._keep(place, wanted)

    def give_up(self, target: str, found: RecordedCase, why: str) -> None:
        """Wait no more for the section of that test: it cannot be kept."""
        self._lost[target, found.score.suite, found.score.section] = why

    @property
    def pending(self) -> list[Place]:
        """The sections that are to be kept and are not yet."""
        over = {*self.kept, *self._lost}
        return [place for place, each in self._tested.items() if each.whole and place not in over]

    def unkept(self) -> dict[Place, str]:
        """Why nothing was kept of a section, by section."""
        told = {}
        for place, each in self._tested.items():
            if place not in self.kept:
                told[place] = each.part or self._lost.get(place) or self._ran(place)
        return told

    def outcomes(self) -> dict[Place, str]:
        """By section, why nothing was kept of it; empty where it was."""
        unkept = self.unkept()
        return {
            place: f"{unkept[place]}, so none is recorded" if place in unkept else ""
            for place in self._tested
        }

    def notes(self) -> list[str]:
        """What was kept, and what was not and why, a line each."""
        outcomes, lines = self.outcomes(), []
        for place, each in self._tested.items():
            target, suite, section = place
            count = len(each.cases)
            recorded = f"{count} Python test{'s' if count > 1 else ''} recorded"
            lines.append(f"{suite}.{section} of {target}: {outcomes[place] or recorded}")
        return lines

    def _ran(self, place: Place) -> str:
        return f"{len(self._found[place])} of {len(self._tested[place].cases)} Python tests ran"

    def _keep(self, place: Place, wanted: Tested) -> None:
        target, suite, section = place
        cases = tuple(self._found[place][name] for name in wanted.cases)
        judged = any(case.judge is not None for case in cases)
        kept = RecordedSection(
            suite=suite,
            section=section,
            metrics=METRICS,
            cases=cases,
            session=self._session,
            judge=configured_judge(self._workbench.project) if judged else None,
        )
        self._write(target, sections=(kept,))
        self.kept.append(place)

    def _write(
        self,
        target: str,
        sections: tuple[RecordedSection, ...] = (),
        begun: tuple[tuple[str, str, str], ...] = (),
    ) -> None:
        findings = self._workbench.findings
        assert findings is not None
        where = findings.tested[target]
        folder = RunFolder(self._workbench.project.runs / where.run)
        folder.record(Recording(freshness=where.freshness, sections=sections, begun=begun))
