"""`program`: a child process gives each case points from 0 to 5."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import ClassVar

from harness.errors import InfrastructureError
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Section
from harness.sections.work import CaseResult, SectionJob, SectionWork
from harness.suites import LoadedSection, SectionSource

POINTS = Metric(name="points", unit="points", low=0.0, high=5.0)


class ProgramKeys(Record):
    """The program, and the cases that it is given."""

    program: str
    given: str


class ProgramSection(Section):
    """Cases that a program of the suite grades for a target."""

    kind: ClassVar[str] = "program"

    program: str


class ProgramKind:
    """Runs `python PROGRAM TARGET`, cases as JSON on its standard input."""

    name = "program"
    key = "program"
    keys = ProgramKeys
    needs_baseline = False

    def load(self, source: SectionSource) -> LoadedSection:
        """The section with its cases, and the code of its program in the digest."""
        keys = source.read(ProgramKeys)
        cases, digest = source.cases(keys.given, key="given")
        code = hashlib.sha256(source.path(keys.program, "program").read_bytes()).hexdigest()
        section = source.build(
            ProgramSection,
            scorer="program",
            metrics=(POINTS,),
            cases=cases,
            program=str(source.path(keys.program, "program")),
        )
        return LoadedSection(section, [code, digest], files=(keys.program, keys.given))

    def run(self, work: SectionWork) -> None:
        """One child a target."""
        for job in work.jobs:
            work.keep(job, self._results(job))

    def _results(self, job: SectionJob) -> list[CaseResult]:
        given = json.dumps([case.id for case in job.cases])
        child = subprocess.run(
            [sys.executable, job.section.program, job.target],
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode:
            raise InfrastructureError(
                f"the program left with exit code {child.returncode}: {child.stderr.strip()}",
                where=job.section.program,
            )
        points = json.loads(child.stdout)
        return [
            CaseResult(case, float(points[case.id]), text=f"{job.target}: {points[case.id]}")
            for case in job.cases
        ]
