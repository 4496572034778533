"""`harness verify`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from harness.cli.options import json_option
from harness.files import short_path
from harness.receipt.verify import Draw, Sampled, Verified, check_weights, verify_receipt
from harness.report.formats import moment
from harness.visible_text import one_line


@click.command("verify")
@click.argument("receipt", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Check N answers drawn by chance instead of all, and say what that would have seen.",
)
@click.option("--seed", type=int, help="Draw the same sample again.")
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The public keys that may have signed, in PEM; keys.pem of the baselines.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="A folder that must be the adapter, or the model, that was promoted.",
)
@json_option
def command(
    receipt: Path,
    sample: int | None,
    seed: int | None,
    key: Path | None,
    weights: Path | None,
    as_json: bool,
) -> None:
    """Check a promotion's RECEIPT, offline and without a configuration.

    Every file that it speaks of must be the one that was written. Scores, bounds and the verdict
    are worked out again from the sealed records, and must be the same. With --sample N only as many
    answers are read and scored again; neither bounds nor verdict are worked out.

    A signature must be that of a known key; without one the receipt says so, and where the project
    has keys it is refused.

    The exit code is 0 where all of it holds; 3 where something does not, where a file is gone, and
    where nothing can be worked out again here, as with scorers of another version.
    """
    if seed is not None and sample is None:
        raise click.UsageError("--seed goes with --sample")
    found = verify_receipt(receipt, None if sample is None else Draw(sample, seed), key)
    what = None if weights is None else check_weights(weights, found.predicate.candidate)
    if as_json:
        click.echo(json.dumps(_as_json(found), indent=2))
        return
    made = found.predicate
    click.echo(
        f"{'verified' if found.sample is None else 'sampled'} {short_path(receipt)}: "
        f"{one_line(made.verdict.decision)} for "
        f"`{one_line(made.candidate.target)}` against `{one_line(made.baseline.target)}`, sealed "
        f"on {moment(made.sealed)}"
    )
    click.echo(
        "unsigned: it shows that the verdict follows from the records, not who sealed them"
        if found.signed_by is None
        else f"signed by the key {found.signed_by[:12]}"
    )
    if found.sample is None:
        click.echo(
            f"every file is as it was written; {found.scored} answers were scored again, and the "
            "bounds and the verdict worked out again: all the same"
        )
    else:
        for line in _of_sample(found.sample, found):
            click.echo(line)
    if weights is not None:
        click.echo(f"{short_path(weights)} is the {what} that was promoted")
    if found.recorded:
        which = "more answers" if found.sample is None else "of those drawn"
        click.echo(
            f"{found.recorded} {which} are not scored again, such as those of tests, judges and "
            "people; their scores stand as they were sealed"
        )


def _of_sample(sample: Sampled, found: Verified) -> Iterator[str]:
    earned = f", and {found.scored} earn their scores" if found.recorded else " and earns its score"
    yield (
        f"{sample.drawn} of {sample.records} answers were drawn: each stands in the tree{earned}"
    )
    chances = ", ".join(f"of {many} {100 * chance:.3g} %" for many, chance in sample.seen.items())
    sure = "" if sample.sure is None else f"; of {sample.sure} or more at least 95 %"
    yield f"the chance that a change of so many answers would have been seen: {chances}{sure}"
    yield "the other answers, the bounds and the verdict were not checked"


def _as_json(found: Verified) -> dict[str, object]:
    return {
        "verified": found.sample is None,
        "signed_by": found.signed_by,
        "scored": found.scored,
        "recorded": found.recorded,
        "sample": None if found.sample is None else asdict(found.sample),
        "predicate": found.predicate.model_dump(mode="json"),
    }
