"""The stored runs and gates that tell something of the suites as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.errors import EvidenceError
from harness.records.comparison import ComparisonRecord
from harness.records.run import RunRecord
from harness.session.context import GateContext
from harness.session.measurements import APART
from harness.storage import runs_of
from harness.storage.working_files import kept_gates


def runs_of_all(context: GateContext) -> Iterator[RunRecord]:
    """Every finished run of a configured target on suites as they are now, those of --aa too."""
    now = {suite.name: suite.digest for suite in context.suites}
    for place in (context.project, replace(context.project, working=APART)):
        for name in context.project.config.targets:
            for folder, header in runs_of(place.runs, name):
                known = header.suites.items() & now.items()
                if header.finished and known == header.suites.items():
                    yield folder.load()


def last_comparisons(context: GateContext) -> Iterator[ComparisonRecord]:
    """Each candidate's last gate against the policy's baseline, where its runs are still there."""
    now = {suite.name: suite.digest for suite in context.suites}
    last = {
        gate.verdict.candidate: gate.verdict
        for gate in kept_gates(context.project.gates)
        if gate.suites == now and gate.verdict.baseline == context.policy.baseline
    }
    for verdict in last.values():
        try:
            compared = context.compare(verdict.candidate, context.judged_runs(verdict))
        except EvidenceError:  # a run is gone
            continue
        if not context.doubts(compared):
            yield compared
