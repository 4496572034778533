"""`harness promote`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from harness.cli.console import Console
from harness.cli.options import config_option
from harness.config import FOLDER_NAME, load_project
from harness.files import short_path
from harness.gate.looks import check_looks
from harness.gate.seal import check_run, promote, sealed_moments
from harness.gate.successor import successor_lines
from harness.receipt.keys import checked_key
from harness.receipt.write import Promoted, write_receipt
from harness.records.history import Promotion, PromotionException
from harness.report.formats import moment
from harness.session.context import open_context
from harness.session.gate import check_holdout
from harness.session.measurements import as_judged
from harness.session.past_gates import check_asked_here, entry_of, looks_before
from harness.storage.working_files import keep_gate
from harness.visible_text import one_line


@click.command("promote")
@click.argument("candidate")
@click.option("--name", metavar="NAME", help="What to call the baseline; the candidate's name.")
@click.option(
    "--despite-looks",
    metavar="REASON",
    default="",
    help="Promote although the candidate was asked afresh and judged more than `max_looks` times; "
    "the reason goes into the seal.",
)
@click.option(
    "--trust-stored",
    is_flag=True,
    help="Promote although answers were not asked for in this project's folder but come from a "
    "cache, a bucket or an earlier version; their runs are named in the seal.",
)
@config_option
def command(
    candidate: str, name: str | None, despite_looks: str, trust_stored: bool, config: Path
) -> None:
    """Seal CANDIDATE's run into baselines/<suite>/<name>.json, if its verdict is PROMOTE.

    The verdict is that against the policy's own baseline. An earlier baseline of that name is
    replaced. A receipt, which `harness verify` checks, and its evidence are written beside it; the
    key in HARNESS_SIGNING_KEY signs it.

    Refused where the verdict is another, or where suites, configuration, runs, adapter or harness
    are no longer what they were when it was given, and where the candidate was asked afresh and
    judged more often than the policy's `max_looks` allows. Without HARNESS_RUNS_KEY, so are answers
    that this project's folder did not ask for itself.
    """
    chosen = name or candidate
    _check_name(chosen)
    context = open_context(load_project(config), [candidate], None, ())
    verdict = context.stored_verdict(candidate)
    runs = context.judged_runs(verdict)
    comparison = as_judged(context.project, verdict, context.compare(candidate, runs))
    for judged in runs.values():
        check_run(context.project, judged)
    looked = looks_before(context.project, entry_of(context, verdict, comparison))
    if verdict.verdict == "PROMOTE":  # of another verdict, that is what is to be said
        check_looks(looked, context.policy, despite_looks.strip())
        check_holdout(context, verdict, comparison, Console())
        foreign = check_asked_here(context.project, runs, candidate, trusted=trust_stored)
    else:
        foreign = ()
    exception = PromotionException(
        looks=len(looked) + 1, despite_looks=despite_looks.strip(), trusted_runs=foreign
    )
    now = replace(context.circumstances(comparison), exception=exception)
    folder = context.project.baselines
    for found in verdict.changed_since:
        click.echo(f"warning: {one_line(found.place)}: {one_line(found.what, 300)}", err=True)
    key = checked_key(folder)
    earlier = sealed_moments(chosen, tuple(comparison.candidate.header.suites), folder)
    again = context.given_again(verdict, comparison)
    paths = promote(verdict, again, comparison.candidate, now, chosen, folder)
    again = again.model_copy(update={"hashes": verdict.hashes})
    promoted = Promoted(comparison, context.suites, context.policy, again, now)
    receipt = write_receipt(context.project, promoted, paths, key)
    made = Promotion(name=chosen, sealed=now.created)
    keep_gate(context.project.gates, entry_of(context, again, comparison, made))
    for path in paths:
        click.echo(f"sealed {short_path(path)}{_replaced(earlier.get(path))}")
    click.echo(
        f"receipt {short_path(receipt)}, {'without a signature' if key is None else 'signed'}; "
        "`harness verify` checks it"
    )
    click.echo(f"use it with `baseline: sealed:{chosen}` under `gate:`, and commit it")
    for line in successor_lines(context.policy, verdict, f"sealed:{chosen}"):
        click.echo(line)


def _replaced(sealed: str | None) -> str:
    if sealed is None:
        return ""
    when = f"the baseline sealed on {moment(sealed)}" if sealed else "a file that cannot be read"
    return f", replaces {when}"


def _check_name(name: str) -> None:
    if not FOLDER_NAME.fullmatch(name):
        raise click.BadParameter(
            f"`{name}`: use letters, digits, `.`, `_` and `-`", param_hint="--name"
        )
