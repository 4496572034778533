"""Results of Python tests: gathered, and kept where a section was run whole."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from harness.errors import HarnessError
from harness.pytest_plugin.findings import SectionKey, SectionTests
from harness.pytest_plugin.session import SessionState
from harness.records.attempt import Term
from harness.records.recording import RecordedCase, RecordedSection, Recording
from harness.sections.evidence import FILE, configured_judge
from harness.sections.python import BESIDE, METRICS, PythonSection
from harness.storage import RunFolder
from harness.suites.data import reads_cases


class ResultRecorder:
    """What has come of the tests of each target and section so far.

    A section counts once every one of its tests has been run in one session: a part of them, chosen
    by whoever looks at the answers, is no evidence. Nor is one with an outcome that was changed.
    `files` has the digests of what else pytest loaded, on which the results rest.
    """

    def __init__(
        self,
        state: SessionState,
        tested: Iterable[SectionTests],
        files: Mapping[str, str] | None = None,
    ) -> None:
        self._state = state
        self._files = dict(files or {})
        self._session = secrets.token_hex(8)
        self._tested = {each.place: each for each in tested}
        self._found: defaultdict[SectionKey, dict[str, RecordedCase]] = defaultdict(dict)
        self._lost: dict[SectionKey, str] = {}
        self.kept: list[SectionKey] = []

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

    def worker_died(self) -> None:
        """Wait no more for any section: a worker died.

        What it had left goes to the others behind their own, and rules would wait for tests that
        wait for them.
        """
        self._lost |= {place: f"a worker died, {self._ran(place)}" for place in self.pending}

    def add(self, target: str, found: RecordedCase, change: str = "") -> None:
        """Take note of one test; keep its section if it was the last.

        A `change` says how its outcome was changed, so that its section cannot be kept.

        Where the section cannot be kept, that is noted too: in the middle of a session nobody could
        catch an error.
        """
        place = target, found.score.suite, found.score.section
        self._found[place][found.case.id] = found
        wanted = self._tested.get(place)
        if change:
            self._lost.setdefault(place, change)
        if wanted is None or place in self._lost:
            return
        if wanted.whole and set(wanted.cases) == set(self._found[place]):
            try:
                self._keep(place, wanted)
            except HarnessError as error:
                self._lost[place] = self._state.error_line(error)

    @property
    def pending(self) -> list[SectionKey]:
        """The sections that are to be kept and are not yet."""
        over = {*self.kept, *self._lost}
        return [place for place, each in self._tested.items() if each.whole and place not in over]

    def unkept(self) -> dict[SectionKey, str]:
        """Why nothing was kept of a section, by section."""
        return {
            place: each.part or self._lost.get(place) or self._ran(place)
            for place, each in self._tested.items()
            if place not in self.kept
        }

    def outcomes(self) -> dict[SectionKey, str]:
        """By section, why nothing was kept of it; empty where it was."""
        unkept = self.unkept()
        return {
            place: f"{unkept[place]}, so none is recorded" if place in unkept else ""
            for place in self._tested
        }

    def failing(self) -> list[str]:
        """The critical tests that a target fails, the baseline left out, each in a few words."""
        return [
            f"{target}: critical cases fail: {found.score.path}"
            for (target, _, _), tests in self._found.items()
            for found in tests.values()
            if found.score.critical
            and found.score.passed is False
            and target != self._state.baseline
        ]

    def notes(self) -> list[str]:
        """A line on each section: that it was kept, or why not."""
        lines = []
        for (target, suite, section), why in self.outcomes().items():
            count = len(self._tested[target, suite, section].cases)
            recorded = f"{count} Python test{'s' if count > 1 else ''} recorded"
            lines.append(f"{suite}.{section} of {target}: {why or recorded}")
        return lines

    def _ran(self, place: SectionKey) -> str:
        return f"{len(self._found[place])} of {len(self._tested[place].cases)} Python tests ran"

    def _keep(self, place: SectionKey, wanted: SectionTests) -> None:
        target, suite, section = place
        repetitions: defaultdict[str, list[RecordedCase]] = defaultdict(list)
        for name in wanted.cases:
            repetitions[wanted.repeated.get(name, name)].append(self._found[place][name])
        cases = tuple(averaged(name, found) for name, found in repetitions.items())
        judged = any(case.judge is not None for case in cases)
        kept = RecordedSection(
            suite=suite,
            section=section,
            metrics=METRICS,
            cases=cases,
            session=self._session,
            judge=configured_judge(self._state.project) if judged else None,
            rests_on=self._rests_on(suite),
            parts=self._parts(suite, section),
        )
        self._write(target, sections=(kept,))
        self.kept.append(place)

    def _rests_on(self, suite: str) -> dict[str, str]:
        """The digests of the files, without the suite's own: that is in the suite's digest."""
        suites, root = self._state.suites.values(), self._state.project.root
        own = {(Path(one.folder) / BESIDE).resolve() for one in suites if one.name == suite}
        return {
            name: digest
            for name, digest in self._files.items()
            if (root / name.removeprefix(FILE)).resolve() not in own
        }

    def _parts(self, suite: str, section: str) -> dict[str, str]:
        """The section's parts; none where other code that pytest loaded may read other files."""
        root = self._state.project.root
        sections = next(each.sections for each in self._state.suites.values() if each.name == suite)
        others = {
            one.file.removesuffix(".py")
            for one in sections
            if isinstance(one, PythonSection) and one.name != section
        }
        if reads_cases((root / name.removeprefix(FILE) for name in self._files), others):
            return {}
        return next(one.parts for one in sections if one.name == section)

    def _write(
        self,
        target: str,
        sections: tuple[RecordedSection, ...] = (),
        begun: tuple[tuple[str, str, str], ...] = (),
    ) -> None:
        findings = self._state.findings
        assert findings is not None
        where = findings.tested_runs[target]
        folder = RunFolder(self._state.project.runs / where.run)
        folder.record(Recording(freshness=where.freshness, sections=sections, begun=begun))


def rerun(ended: Sequence[RecordedCase]) -> RecordedCase:
    """What all runs of one test come to: the mean of those with a score, else the last."""
    scored = [each for each in ended if each.score.status == "scored"]
    return averaged(ended[-1].case.id, scored or ended[-1:])


def averaged(case_id: str, repetitions: Sequence[RecordedCase]) -> RecordedCase:
    """One case made of its repetitions: the mean of their scores, or one that has no score.

    Running a case more often makes its score steadier; it gives no more cases. It passes from a
    mean of 0.5 on, a critical one where every repetition does.
    """
    lost = [each for each in repetitions if each.score.status != "scored"]
    failing = [each for each in repetitions if not each.score.passed]
    shown = next(iter([*lost, *failing, *repetitions]))
    score = shown.score
    if len(repetitions) > 1 and not lost:
        value = fmean(each.score.value or 0.0 for each in repetitions)
        passing = len(repetitions) - len(failing)
        score = score.model_copy(
            update={
                "value": value,
                "passed": not failing if score.critical else value >= 0.5,
                "terms": {name: Term(num=value, den=1.0) for name in score.terms},
                "reason": f"{passing} of {len(repetitions)} repetitions pass; {score.reason}",
            }
        )
    named = {"case": case_id}
    return shown.model_copy(
        update={
            "case": shown.case.model_copy(update={"id": case_id}),
            "attempt": shown.attempt.model_copy(update=named),
            "score": score.model_copy(update=named),
        }
    )
