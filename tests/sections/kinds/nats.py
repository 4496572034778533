"""`nats`: how surprised a model is by texts, in nats per token, from a file that was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from harness.records.attempt import Term
from harness.records.base import Record
from harness.records.metric import Metric
from harness.records.suite import Section
from harness.sections.work import CaseResult, SectionWork
from harness.suites import LoadedSection, SectionSource

NATS = Metric(name="nats", unit="nats per token", direction="lower", low=None, high=None)


class NatsKeys(Record):
    """The texts, and the file with `{target: {text: [nats, tokens]}}`."""

    texts: str
    measured: str


class NatsSection(Section):
    """Texts with what was measured of them."""

    kind: ClassVar[str] = "nats"

    measured: str


class NatsKind:
    """Reads what was measured elsewhere."""

    name = "nats"
    key = "texts"
    keys = NatsKeys
    needs_baseline = False

    def load(self, source: SectionSource) -> LoadedSection:
        """The section with its texts; what was measured belongs to the targets, not to it."""
        keys = source.read(NatsKeys)
        cases, digest = source.cases(keys.texts, key="texts")
        section = source.build(
            NatsSection,
            scorer="nats",
            metrics=(NATS,),
            cases=cases,
            measured=str(source.path(keys.measured, "measured")),
        )
        return LoadedSection(section, digest, files=(keys.texts, keys.measured))

    def run(self, work: SectionWork) -> None:
        """Take what was measured of each target."""
        for job in work.jobs:
            measured = json.loads(Path(job.section.measured).read_text())[job.target]
            results = []
            for case in job.cases:
                nats, tokens = measured[case.id]
                terms = {"nats": Term(num=nats, den=tokens)}
                shown = f"{nats:g} nats over {tokens} tokens"
                results.append(CaseResult(case, nats / tokens, terms=terms, text=shown))
            work.keep(job, results)
