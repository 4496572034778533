"""`harness merge`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.console import Console
from harness.cli.options import config_option
from harness.config import load_project
from harness.files import short_path
from harness.run.plan import probe_conversations
from harness.sections.section_kinds import load_suites
from harness.serving.merge import BYTES
from harness.targets.merged import BASE_DTYPE, configuration, merge, notes, prepare
from harness.targets.models import fetch_models


@click.command("merge")
@click.argument("candidate")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where the merged model goes; .harness/models/<candidate>-merged by default.",
)
@click.option(
    "--dtype",
    type=click.Choice([*BYTES, BASE_DTYPE]),
    default="float32",
    show_default=True,
    help="The type of the merged weights; `base` is that of the base's.",
)
@click.option(
    "--base",
    metavar="MODEL",
    help="A folder or ORG/NAME of a hub, instead of the model of the candidate's server.",
)
@config_option
def command(
    candidate: str, output: Path | None, dtype: str, base: str | None, config: Path
) -> None:
    """Merge CANDIDATE's adapter into its base, and prove that the result is the same model.

    The folder holds the weights as safetensors, the tokenizer, the chat template and the
    generation settings, and can be a server's `model`; the lines for the configuration are printed.
    Prompts of the suites are put to the adapter and to the merged files, in transformers: the
    answers must be the same within a tolerance that is measured. Otherwise nothing is left, and
    the exit code is 3.
    """
    project = load_project(config)
    with Console() as console:
        asked = probe_conversations(project, candidate, load_suites(project))
        if base is None:
            fetch_models(project, [candidate], console)
        merging = prepare(project, candidate, base, output, dtype)
        for note in notes(merging):
            console.say(note)
        proof = merge(project, merging, asked, console.say)
    click.echo(f"{candidate}: merged into {short_path(merging.folder)}, {merging.dtype}")
    click.echo(
        f"proved on {proof.probes} probes: {proof.same_texts} answers the same word for word, "
        f"log-probabilities within {proof.largest:.2g} nats ({proof.threshold:.2g} allowed, noise "
        f"{proof.noise:.2g}); the adapter changes {proof.changed} of {proof.probes}"
    )
    click.echo(f"to test it, add to {project.file}:\n\n{configuration(project, merging)}")
