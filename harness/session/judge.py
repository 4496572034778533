"""From a candidate's name to its comparison, its verdict and its report."""

from __future__ import annotations

from collections.abc import Sequence

from harness.config import Project
from harness.gate.history import past_gate
from harness.latency.judge import latency_rules
from harness.latency.measure import Contest
from harness.records.comparison import Comparison
from harness.records.progress import Watcher
from harness.records.verdict import Verdict
from harness.report.write import write_report
from harness.run.engine import run
from harness.run.plan import Selection
from harness.run.ray_cluster import RayCluster
from harness.run.rescore import rescore
from harness.run.resume import Reuse
from harness.session.evidence import Bench, open_bench
from harness.session.latency_evidence import contest, measured, stored_section, with_section
from harness.session.partial_report import reported_in_part
from harness.session.python_tests import tell_of_unfinished, with_python_tests
from harness.session.stored_noise import with_noise
from harness.storage.gate_log import keep_gate


def open_gate(
    project: Project, candidate: str, baseline: str | None, suite_names: Sequence[str] = ()
) -> Bench:
    """The bench on which the candidate is judged, its latency among the rest if it is to be.

    Raises:
        UsageError: a name that does not exist, or two that cannot be measured against each other.
        ConfigError: there is no policy, or a rule of it cannot be judged.
    """
    bench = open_bench(project, [candidate], baseline, tuple(suite_names))
    if latency_rules(bench.policy):
        _contest(bench, candidate)  # what cannot be measured is said before anything is asked
    return bench


def evidence(
    bench: Bench,
    candidate: str,
    selection: Selection,
    watcher: Watcher,
    *,
    stored: bool = False,
    anew: bool = False,
    cluster: RayCluster | None = None,
) -> Comparison:
    """The candidate against the baseline, with what the policy's rules on latency are judged by.

    What is missing is asked first, all of it `anew` where wanted, and pytest runs what there is of
    Python tests; where everything is `stored`, no server is asked. Ctrl-C leaves a partial report.

    Raises:
        UsageError: a file, model or stored measurement does not exist.
        EvidenceError: an adapter has no effect, or a stored answer or a score is missing.
        InfrastructureError: a server cannot be started or reached, or is gone for good, or pytest
            does not get to its end.
    """
    targets = (*bench.live_baseline, candidate)
    if stored:
        runs = rescore(bench.project, targets, bench.suites, selection)
        tell_of_unfinished(bench, runs, watcher)
        return timed(bench, bench.compare(candidate, runs), watcher, stored=True)
    reuse: Reuse = "begun" if anew else "stored"
    with reported_in_part(bench, candidate, selection, reuse, watcher.say):
        runs = run(
            bench.project, targets, bench.suites, watcher, selection, reuse=reuse, cluster=cluster
        )
        runs = with_python_tests(bench, candidate, runs, selection, watcher)
        return timed(bench, bench.compare(candidate, runs), watcher, anew=anew)


def timed(
    bench: Bench, found: Comparison, watcher: Watcher, *, stored: bool = False, anew: bool = False
) -> Comparison:
    """The comparison with what the policy's rules on latency are judged by, measured where needed.

    Raises:
        UsageError: there is no stored measurement, or the server refuses a prompt.
        EvidenceError: the candidate's adapter has no effect, or vanishes.
        ServerError: the server does not start, refuses, or is gone.
    """
    if not latency_rules(bench.policy) or bench.doubts(found):
        # Where the answers cannot be trusted, nothing would be made of a measurement.
        return found
    wanted = _contest(bench, found.candidate.header.target)
    section = (
        stored_section(bench.project, wanted)
        if stored
        else measured(bench.project, wanted, watcher, anew=anew)
    )
    return with_section(found, section, bench.project)


def judge(bench: Bench, comparison: Comparison, watcher: Watcher) -> Verdict:
    """The verdict on the comparison; its report is written, and it is kept among past gates.

    Raises:
        StorageError: the report cannot be written.
    """
    verdict = with_noise(bench.project, bench.judge(comparison), comparison.baseline, watcher.say)
    write_report(verdict, comparison, bench.folder(comparison.candidate.header.target))
    keep_gate(bench.project.gates, past_gate(verdict, comparison, bench.suites))
    return verdict


def _contest(bench: Bench, candidate: str) -> Contest:
    return contest(bench.project, candidate, bench.policy.baseline, bench.project.config.latency)
