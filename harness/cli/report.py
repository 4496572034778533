"""`harness report`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.bench.evidence import open_bench
from harness.bench.timing import as_judged
from harness.cli.console import shown
from harness.cli.options import config_option, open_project, suite_option
from harness.errors import EvidenceError
from harness.records.verdict import Verdict
from harness.report.write import write_report


@click.command("report")
@click.argument("candidate")
@click.option(
    "--baseline", metavar="NAME", help="Instead of the policy's: a target or sealed:NAME."
)
@config_option
@suite_option
def command(
    candidate: str, baseline: str | None, config: Path, suite_names: tuple[str, ...]
) -> None:
    """Write the report on CANDIDATE's last verdict again, from stored records.

    Where the records no longer match the verdict, or do not lead to it, that is an error.
    """
    bench = open_bench(open_project(config), [candidate], baseline, suite_names)
    verdict = bench.stored_verdict(candidate)
    runs = bench.judged_runs(verdict)
    comparison = as_judged(bench.project, verdict, bench.compare(candidate, runs))
    # The noise was measured apart from these records, and perhaps once more since then.
    again = bench.judge(comparison).model_copy(update={"created": verdict.created})
    again = again.with_noise(verdict.noise_by_metric())
    if again != verdict:
        parts = [
            name for name in Verdict.model_fields if getattr(again, name) != getattr(verdict, name)
        ]
        raise EvidenceError(
            f"the stored records do not lead to this verdict: {', '.join(parts)} differ",
            where=str(shown(bench.folder(candidate) / "verdict.json")),
            hint=f"harness gate {candidate}",
        )
    paths = write_report(verdict, comparison, bench.folder(candidate))
    for path in (paths.html, paths.markdown, paths.junit, paths.verdict):
        click.echo(shown(path))
