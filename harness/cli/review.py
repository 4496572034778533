"""`harness review`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

from harness.cli.console import table
from harness.cli.options import config_option, json_option, suite_option
from harness.clock import SYSTEM_CLOCK, iso
from harness.config import FOLDER_NAME, SEALED, WORKING, Project, load_project
from harness.data.columns import parse_pairs
from harness.data.convert import SHOWN, rejects_of
from harness.errors import HarnessError, UsageError
from harness.files import short_path
from harness.records.suite import counted
from harness.review.draw import Wanted, changed_answers, draw, newest_run
from harness.review.export import export, write_sheet
from harness.review.import_columns import FIELDS
from harness.review.imports import import_labels
from harness.review.pairs import write_pairs
from harness.review.serve import LOOPBACK, serve
from harness.review.standing import Standing, standing
from harness.review.store import ReviewStore, create, open_store
from harness.sections.review import TaskName
from harness.sections.section_kinds import load_suites
from harness.visible_text import visible

_LONGEST_NAME = 100
_SHARE = click.FloatRange(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options that say what to draw; None where one was not given."""

    task: TaskName | None
    against: str | None
    alone: bool
    sections: tuple[str, ...]
    suites: tuple[str, ...]
    items: int | None
    raters: int | None
    people: tuple[str, ...]
    overlap: float | None
    again: float | None
    seed: int | None
    audit: str | None

    @property
    def kind(self) -> TaskName:
        """The task; that of an audit is the truth of a scorer's decisions."""
        return self.task or ("label" if self.audit else "grade")

    def wanted(self, project: Project, candidate: str) -> Wanted:
        """The draw, with the usual values where none was given.

        Raises:
            UsageError: the task and the targets do not go together.
        """
        task = self.kind
        if self.audit and self.sections:
            raise click.UsageError("--audit and --section exclude each other")
        sections = (self.audit,) if self.audit else self.sections
        against = None if self.alone else self.against or _baseline(project)
        if self.alone and self.against:
            raise click.UsageError("--alone and --against exclude each other")
        if against == candidate:
            against = None
        if task == "prefer" and against is None:
            raise click.UsageError("--task prefer needs another target: --against TARGET")
        audit = self.audit is not None
        wanted = Wanted(task, candidate, against, sections, people=self.people, audit=audit)
        numbers = ("items", "raters", "overlap", "again", "seed")
        chosen = {name: getattr(self, name) for name in numbers if getattr(self, name) is not None}
        wanted = replace(wanted, **chosen)
        for name in self.people:
            if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
                raise click.UsageError(f"--rater: {name!r} is no name of a person")
        # As labels are read: one person is not to be written in two ways.
        if len({" ".join(name.split()).casefold() for name in wanted.names}) < len(wanted.names):
            raise click.UsageError("--rater: two people have one name")
        return wanted

    def given(self) -> list[str]:
        """The names of those that were given."""
        return [
            one.name for one in fields(self) if getattr(self, one.name) not in (None, (), False)
        ]


def _baseline(project: Project) -> str | None:
    """The target that the policy compares with, None where it is sealed or there is none."""
    policy = project.config.gate
    return None if policy is None or policy.baseline.startswith(SEALED) else policy.baseline


@click.command("review")
@click.argument("candidate")
@click.option(
    "--task",
    type=click.Choice(["label", "grade", "prefer"]),
    help="Right or wrong; a scale by criteria (the default); or the better of two answers.",
)
@click.option("--against", metavar="TARGET", help="The other side; the policy's baseline else.")
@click.option("--alone", is_flag=True, help="The candidate's answers only.")
@click.option(
    "--section", "sections", multiple=True, metavar="SUITE.SECTION", help="Only this; repeatable."
)
@click.option(
    "--audit", metavar="SUITE.SECTION",
    help="Label this one, and draw more of the answers where its scorer may be wrong.",
)  # fmt: skip
@suite_option
@click.option("--items", type=click.IntRange(min=1), help="How many to draw, about; 100.")
@click.option("--raters", type=click.IntRange(min=1), help="How many people see an item; 3.")
@click.option(
    "--rater", "people", multiple=True, metavar="NAME", help="A person who grades; repeatable."
)
@click.option("--overlap", type=_SHARE, help="The share of items that so many see; 1.")
@click.option("--again", type=_SHARE, help="The share that a rater sees a second time; 0.05.")
@click.option("--seed", type=int, help="Of the draw; 0.")
@click.option("--name", metavar="NAME", help="Of the review; CANDIDATE-TASK without it.")
@click.option("--host", default=LOOPBACK, show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="A free one without it.")
@click.option("--status", is_flag=True, help="Who has done what, and how far they agree.")
@click.option(
    "--export", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write what people said: .jsonl are labels, .csv is for a spreadsheet.",
)  # fmt: skip
@click.option(
    "--pairs", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write what most people prefer as training pairs, for `method: dpo`.",
)  # fmt: skip
@click.option(
    "--sheet", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write what is still open as CSV, to grade it elsewhere and import it.",
)  # fmt: skip
@click.option(
    "--import", "source", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Take what people said in a spreadsheet, or in an export of Label Studio or Argilla.",
)  # fmt: skip
@click.option(
    "--map", "columns", multiple=True, metavar="FIELD=COLUMN",
    help=f"With --import, the column of a criterion, or of {', '.join(FIELDS)}. Repeatable.",
)  # fmt: skip
@click.option(
    "--alias", "aliases", multiple=True, metavar="GIVEN=NAME",
    help="With --import, the rater whom the file calls otherwise. Repeatable.",
)  # fmt: skip
@click.option("--encoding", default="utf-8", help="Of the file to import.")
@config_option
@json_option
def command(candidate: str, config: Path, as_json: bool, **given: Any) -> None:
    """Let people grade the stored answers of CANDIDATE on a page of this machine.

    Answers are drawn once, whole groups of cases, and everything that people choose is kept in
    .harness/review/NAME.sqlite. Each rater has a link of their own. Ctrl-C ends the page; the same
    command goes on.
    """
    project = load_project(config)
    wanted = _Asked(**{one.name: given[one.name] for one in fields(_Asked)})
    name = given["name"] or f"{candidate}-{wanted.kind}"
    path = review_file(project, name)
    tasks = ("status", "file", "pairs", "sheet", "source")
    status, file, pairs, sheet, source = (given[key] for key in tasks)
    if source is None and (given["columns"] or given["aliases"]):
        raise click.UsageError("--map and --alias go with --import")
    if not any(given[key] for key in tasks):
        store = _opened(project, path, candidate, wanted)
        serve(store, given["host"], given["port"], lambda text: click.echo(text))
        return
    store = open_store(path)
    _tell_changes(project, store)
    if source is not None:
        _import(store, source, given, as_json=as_json)
    if sheet is not None:
        count = write_sheet(store, sheet)
        click.echo(f"{short_path(sheet.absolute())}: {counted(count, 'question')}", err=as_json)
    if file is not None:
        count = export(store, file)
        click.echo(f"{short_path(file.absolute())}: {counted(count, 'label')}", err=as_json)
    if pairs is not None:
        _write_pairs(store, pairs, as_json=as_json)
    if status:
        found = standing(store)
        click.echo(json.dumps(found.as_json(), indent=2) if as_json else _words(found))


def _import(store: ReviewStore, file: Path, given: Mapping[str, Any], *, as_json: bool) -> None:
    """Take the replies of a file into the review, and say what became of its rows."""
    done = import_labels(
        *(store, file, iso(SYSTEM_CLOCK.utc())),
        columns=parse_pairs(given["columns"], "--map", "FIELD=COLUMN"),
        aliases=parse_pairs(given["aliases"], "--alias", "GIVEN=NAME"),
        encoding=given["encoding"],
    )
    for one in done.rejected[:SHOWN]:
        click.echo(visible(f"rejected: {one.place}: {one.why}"), err=True)
    more = f", {done.known} known before" if done.known else ""
    more += f", {counted(done.empty, 'row')} left empty" if done.empty else ""
    click.echo(
        f"{short_path(file.absolute())}: {counted(done.added, 'new label')} "
        f"of {counted(done.rows, 'row')}{more}",
        err=as_json,
    )
    if done.rejected:
        kept = short_path(rejects_of(file).absolute())
        click.echo(f"{len(done.rejected)} rejected: {kept}", err=True)


def _write_pairs(store: ReviewStore, file: Path, *, as_json: bool) -> None:
    count, others = write_pairs(store, file)
    undecided = f"; most people prefer none in {counted(others, 'item')}" if others else ""
    click.echo(f"{short_path(file.absolute())}: {counted(count, 'pair')}{undecided}", err=as_json)
    click.echo(
        "note: their questions are the suites': of a candidate that trains on them, every gate "
        "leaves those groups out",
        err=True,
    )


def review_file(project: Project, name: str) -> Path:
    """Where the review of that name is kept.

    Raises:
        UsageError: no file can be called so.
    """
    if not FOLDER_NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` is no name of a review", hint="use letters, digits, `.`, `_` and `-`"
        )
    return project.root / WORKING / "review" / f"{name}.sqlite"


def _opened(project: Project, path: Path, candidate: str, asked: _Asked) -> ReviewStore:
    """The review of that file, drawn now where there is none."""
    if path.exists():
        store = open_store(path)
        made = store.draw()
        # The default name has the task in it.
        again = [one for one in asked.given() if one != "task" or asked.kind != made.task]
        if again or made.candidate != candidate:
            raise UsageError(
                f"was drawn before: {made.task}, {made.candidate}, seed {made.seed}",
                where=str(short_path(path)),
                hint="leave out the options of a draw to go on, or give another --name",
            )
        _tell_changes(project, store)
        return store
    suites = load_suites(project, asked.suites)
    wanted = asked.wanted(project, candidate)
    sides = [name for name in (candidate, wanted.against) if name is not None]
    runs = [newest_run(project, name) for name in sides]
    drawn = draw(suites, wanted, runs, iso(SYSTEM_CLOCK.utc()))
    click.echo(
        f"drawn: {counted(len(drawn.items), 'item')} of {' and '.join(sides)}, "
        f"{counted(len(drawn.assignments), 'grading')} for {counted(len(wanted.names), 'rater')}, "
        f"in {short_path(path)}"
    )
    for reason, (some, among) in drawn.looks.items():
        click.echo(f"  {reason}: {some} of {counted(among, 'group')}")
    return create(path, drawn.draw, drawn.items, wanted.names, drawn.assignments)


def _tell_changes(project: Project, store: ReviewStore) -> None:
    """Say of each side how many of its answers are others now than those that were drawn."""
    items = store.items().values()
    for target in store.draw().runs:
        try:
            changed, drawn = changed_answers(items, newest_run(project, target))
        except HarnessError as error:  # what people said is there all the same
            click.echo(f"note: {error.line}", err=True)
            continue
        if changed:
            click.echo(
                f"note: {changed} of {counted(drawn, 'answer')} of `{target}` changed since the "
                "draw: what people say of those is not used; draw anew with another --name",
                err=True,
            )


def _words(found: Standing) -> str:
    """The standing as lines of a terminal."""
    raters = [
        [one.name, f"{one.done} of {one.total}", str(one.untold), one.distance_words,
         one.again_words]
        for one in found.raters
    ]  # fmt: skip
    agreement = [
        [one.criterion, one.measurement, one.estimate_words, one.interval_words, str(one.units)]
        for one in found.agreement
    ]
    lines = table([["rater", "done", "cannot tell", "distance", "same again"], *raters], 1)
    if agreement:
        head = ["criterion", "scale", "alpha", "interval", "answers"]
        lines += ["", *table([head, *agreement], 2)]
    if found.to_adjudicate:
        lines += ["", "To look at again:"]
        lines += [
            visible(f"  {one.path} ({one.target}), {one.criterion}: {one.words}")
            for one in found.to_adjudicate[:20]
        ]
        if len(found.to_adjudicate) > 20:
            lines.append(f"  and {len(found.to_adjudicate) - 20} more: the overview has them")
    return "\n".join(lines)
