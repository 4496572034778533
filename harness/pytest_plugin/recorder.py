"""The recorder: gathers what Python tests came to, and keeps the sections that were run whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from harness.journal import RunFolder
from harness.pytest_plugin.needs import Tested
from harness.pytest_plugin.workbench import Workbench
from harness.records.recording import RecordedCase, RecordedSection, Recording
from harness.records.suite import PythonSection

Place = tuple[str, str, str]


class Recorder:
    """What has come of the tests of each target and section so far.

    A section counts once every one of its tests has been run in one session: a part of them, chosen
    by whoever looks at the answers, is no evidence.
    """

    def __init__(self, workbench: Workbench, tested: Iterable[Tested]) -> None:
        self._workbench = workbench
        self._tested = {each.place: each for each in tested}
        self._found: defaultdict[Place, dict[str, RecordedCase]] = defaultdict(dict)
        self._lost: set[Place] = set()
        self.kept: list[Place] = []

    def lose(self) -> None:
        """Wait no more for any section: a worker died.

        What it had left goes to the others behind their own, and rules would wait for tests that
        wait for them.
        """
        self._lost |= set(self._tested)

    def hear(self, target: str, found: RecordedCase) -> None:
        """Take note of one test; keep its section if it was the last."""
        place = target, found.score.suite, found.score.section
        self._found[place][found.case.id] = found
        wanted = self._tested.get(place)
        if wanted is not None and wanted.whole and set(wanted.cases) == set(self._found[place]):
            self._keep(place, wanted)

    def give_up(self, target: str, found: RecordedCase) -> None:
        """Wait no more for the section of that test: it cannot be kept."""
        self._lost.add((target, found.score.suite, found.score.section))

    @property
    def pending(self) -> list[Place]:
        """The sections that are to be kept and are not yet."""
        over = {*self.kept, *self._lost}
        return [place for place, each in self._tested.items() if each.whole and place not in over]

    def notes(self) -> list[str]:
        """What was kept, and what was not and why, a line each."""
        lines = []
        for place, each in self._tested.items():
            target, suite, section = place
            count = len(each.cases)
            if place in self.kept:
                told = f"{count} Python test{'s' if count > 1 else ''} recorded"
            elif each.whole:
                ran = len(self._found[place])
                told = f"{ran} of {count} Python tests ran, so none is recorded"
            else:
                told = "only a part of its Python tests was selected, so none is recorded"
            lines.append(f"{suite}.{section} of {target}: {told}")
        return lines

    def _keep(self, place: Place, wanted: Tested) -> None:
        target, suite, section = place
        cases = tuple(self._found[place][name] for name in wanted.cases)
        metrics = PythonSection.metrics
        kept = RecordedSection(suite=suite, section=section, metrics=metrics, cases=cases)
        findings = self._workbench.findings
        assert findings is not None
        where = findings.tested[target]
        folder = RunFolder(self._workbench.project.runs / where.run)
        folder.record(Recording(freshness=where.freshness, sections=(kept,)))
        self.kept.append(place)
