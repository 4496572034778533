"""`harness augment`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from harness.cli.console import Console
from harness.cli.options import (
    as_record,
    config_option,
    encoding_option,
    form_option,
    map_option,
)
from harness.config import Project, load_project
from harness.data.augment import augment
from harness.data.collect.proposals import entries_of, write_proposals
from harness.data.columns import form_of
from harness.data.convert import rejects_of
from harness.data.generate.documents import Drafter, passages
from harness.data.generate.kept_target import KeptTarget
from harness.data.generate.paraphrase import Paraphraser
from harness.data.ledger import open_ledger
from harness.errors import UsageError
from harness.files import short_path
from harness.records.suite import counted
from harness.sections.section_kinds import load_suites
from harness.targets.live_target import open_targets
from harness.targets.models import fetch_models
from harness.visible_text import one_line

KEPT = Path(".harness") / "cache" / "augment"
_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class FormOptions:
    """By which forms of asking variants are made, and how many."""

    names: tuple[str, ...]
    most: int
    seed: int


@dataclass(frozen=True, slots=True)
class GeneratorOptions:
    """Which targets write and judge, and the documents that drafts come from."""

    generator: str | None
    judge: str | None
    documents: Path | None
    config: Path


_form_options = as_record(
    "forms",
    FormOptions,
    click.option(
        "--by", "names", multiple=True, metavar="FORM",
        help="A form of asking, such as typos or chat; repeatable. All without it; with "
        "--generator none.",
    ),
    click.option(
        "--variants", "most", type=click.IntRange(min=1), default=2, show_default=True,
        help="At most so many of each conversation; of a passage, drafts.",
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the draws."),
)  # fmt: skip
_generator_options = as_record(
    "writing",
    GeneratorOptions,
    click.option(
        "--generator", metavar="TARGET", help="A target that writes paraphrases, or drafts.",
    ),
    click.option(
        "--judge", metavar="TARGET", help="The target that checks them; the generator without it.",
    ),
    click.option(
        "--from-documents", "documents", metavar="PATH",
        type=click.Path(path_type=Path, exists=True),
        help="Draft questions and answers from a document, or from a folder of them; OUT is a file "
        "of proposals for `harness collect --apply`.",
    ),
    config_option,
)  # fmt: skip


@click.command("augment")
@click.argument("files", nargs=-1, type=_FILE)
@click.option(
    "--output", "-o", type=_FILE, metavar="OUT", required=True,
    help="Where the conversations and their variants go, as JSON Lines.",
)  # fmt: skip
@_form_options
@_generator_options
@form_option
@map_option
@encoding_option
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def command(
    files: tuple[Path, ...],
    output: Path,
    forms: FormOptions,
    writing: GeneratorOptions,
    form: str | None,
    columns: tuple[str, ...],
    encoding: str,
    force: bool,
) -> None:
    """Ask the questions of training conversations in other forms too, with the same answer.

    The forms are those of a suite's `perturb:`. With --generator a target writes paraphrases, and a
    judge must say in both orders that they have the same answer. Variants are in the group of
    their source, so that no split and no validation takes them for independent, and say by what
    they were derived.

    With --from-documents a target drafts new questions with answers from passages. Those whose
    answer is not in the passage are dropped, and those that ask what a suite asks. Each passage is
    for a suite or for training, as data/ledger.jsonl says, and a person accepts.
    """
    if output.exists() and not force:
        raise UsageError(
            "is there already", where=str(output), hint="`--force` replaces it, or name another"
        )
    if writing.documents is not None:
        _draft(writing, forms, output, files)
        return
    if not files:
        raise UsageError("name a file of training data, or `--from-documents`")
    known = form_of(form, columns)
    run = partial(augment, files, output, forms.names, most=forms.most, seed=forms.seed,
                  form=known, encoding=encoding)  # fmt: skip
    dropped: Counter[str] = Counter()
    if writing.generator is None:
        done = run()
    else:
        project = load_project(writing.config)
        with _targets(project, writing) as (generator, judge):
            paraphraser = Paraphraser(generator, judge, forms.most, forms.seed)
            done = run(paraphraser=paraphraser)
            dropped = paraphraser.dropped + _failures(generator, judge)
    for name, count in sorted(done.added.items()):
        click.echo(f"{name}: {count}")
    if done.first_rejected is not None:
        first, where = done.first_rejected, short_path(rejects_of(output).absolute())
        click.echo(one_line(f"rejected: {first.place}: {first.why}", 300))
        click.echo(f"{done.rejected} rejected: {where}")
    _say_dropped(dropped)
    total = done.added.total()
    click.echo(
        f"{counted(done.conversations, 'conversation')} and {counted(total, 'variant')} in "
        f"{short_path(output.absolute())}"
    )


def _draft(
    writing: GeneratorOptions, forms: FormOptions, output: Path, files: tuple[Path, ...]
) -> None:
    assert writing.documents is not None
    if files or forms.names:
        raise UsageError("`--from-documents` goes without files and `--by`")
    if writing.generator is None:
        raise UsageError("`--from-documents` needs `--generator TARGET`, which writes the drafts")
    project = load_project(writing.config)
    suites, ledger = load_suites(project), open_ledger(project.root, 0.5)
    parts = passages(writing.documents)
    with _targets(project, writing) as (generator, judge):
        drafter = Drafter(generator, judge, forms.most, forms.seed)
        drafts = drafter.of(parts, ledger, suites)
        dropped = drafter.dropped + _failures(generator, judge)
    write_proposals(output, drafts)
    ledger.add(entries_of(drafts, ledger))
    _say_dropped(dropped)
    sides = Counter(one.side for one in drafts)
    click.echo(
        f"{counted(len(drafts), 'draft')} from {counted(len(parts), 'passage')} in "
        f"{short_path(output.absolute())}: {sides['suite']} for a suite, {sides['training']} for "
        "training; accept them there, then `harness collect --apply`"
    )


@contextmanager
def _targets(
    project: Project, writing: GeneratorOptions
) -> Iterator[tuple[KeptTarget, KeptTarget]]:
    """Generator and judge, their answers kept.

    Raises:
        UsageError: one of them is asked with examples, which are drawn for the cases of a suite.
    """
    assert writing.generator is not None
    names = [writing.generator, writing.judge or writing.generator]
    for name in names:
        if project.target(name).few_shot is not None:
            raise UsageError(
                f"`{name}` is shown examples of its own before each question",
                where=project.place(f"targets.{name}.few_shot"),
                hint="name a target without `few_shot`",
            )
    if names[0] == names[1]:
        click.echo(
            f"warning: `{names[0]}` judges what it writes itself: name another with --judge",
            err=True,
        )
    with Console() as console:
        fetch_models(project, list(dict.fromkeys(names)), console)
        log = project.root / ".harness" / "augment.log"
        with open_targets(project, names, log, console.say) as live:
            folder = project.root / KEPT
            yield KeptTarget(live[0], folder), KeptTarget(live[1], folder)


def _failures(*targets: KeptTarget) -> Counter[str]:
    """The requests without a whole answer, by their target and cause."""
    return Counter(
        {
            f"`{one.name}`: {cause}": count
            for one in targets
            for cause, count in one.failures.items()
        }
    )


def _say_dropped(dropped: Counter[str]) -> None:
    for reason, count in dropped.most_common():
        click.echo(f"dropped: {one_line(reason, 80)}: {count}")
