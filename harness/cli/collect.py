"""`harness collect`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from harness.cli.options import (
    as_record,
    config_option,
    encoding_option,
    form_option,
    json_option,
    map_option,
    suite_option,
)
from harness.config import Project, load_project
from harness.data.collect.drift import Drift, drift_from_before, drift_from_suite
from harness.data.collect.groups import Collected, group_requests
from harness.data.collect.proposals import (
    Proposal,
    apply_proposals,
    between,
    entries_of,
    propose,
    write_proposals,
)
from harness.data.collect.requests import Columns, Log, read_log
from harness.data.columns import form_of
from harness.data.ledger import LEDGER, check_suites, open_ledger
from harness.errors import UsageError
from harness.files import short_path
from harness.records.suite import counted
from harness.review.serve import LOOPBACK, serve_proposals
from harness.sections.section_kinds import load_suites
from harness.stats import Interval
from harness.visible_text import one_line

PROPOSALS = Path("data/proposals.yaml")
CASES, TRAINING = Path("data/collected-cases.jsonl"), Path("data/collected-training.jsonl")
TOO_LITTLE, NOT_KNOWN = 1, 4
SHOWN = 10
_FILE = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class LogOptions:
    """How logs are read."""

    form: str | None
    columns: tuple[str, ...]
    rating: str
    low: float
    correction: str
    user: str
    regions: tuple[str, ...]
    encoding: str

    def read(self, files: tuple[Path, ...]) -> Log:
        """The requests of the files, without their personal data."""
        columns = Columns(self.rating, self.low, self.correction, self.user)
        form = form_of(self.form, self.columns)
        return read_log(files, columns, form=form, regions=self.regions, encoding=self.encoding)


@dataclass(frozen=True, slots=True)
class ProposalOptions:
    """What is proposed, and where it goes."""

    output: Path
    least: int
    most: int
    suite_share: float
    force: bool


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What is taken up, by whom, and into which files."""

    apply: Path | None
    review: Path | None
    port: int
    by: str | None
    cases: Path
    training: Path


_log_options = as_record(
    "reading",
    LogOptions,
    form_option,
    map_option,
    click.option("--rating", metavar="COLUMN", default="", help="The column of users' ratings."),
    click.option(
        "--low", type=float, default=0.0, show_default=True,
        help="A rating of this or less is a bad one.",
    ),
    click.option(
        "--correction", metavar="COLUMN", default="", help="The column of better answers."
    ),
    click.option("--user", metavar="COLUMN", default="", help="The column of who asked."),
    click.option(
        "--region", "regions", multiple=True, metavar="CODE",
        help="A country whose telephone numbers are recognised, such as DE; repeatable.",
    ),
    encoding_option,
)  # fmt: skip
_proposal_options = as_record(
    "proposing",
    ProposalOptions,
    click.option(
        "--output", "-o", type=_FILE, default=PROPOSALS, show_default=True,
        help="Where the proposals go.",
    ),
    click.option(
        "--least", type=click.IntRange(min=1), default=3, show_default=True,
        help="Requests of a question before it is proposed as uncovered.",
    ),
    click.option(
        "--most", type=click.IntRange(min=1), default=50, show_default=True,
        help="Groups that are proposed.",
    ),
    click.option(
        "--suite-share", type=click.FloatRange(0.01, 0.99), default=0.5,
        show_default=True, help=f"Of groups, for suites; with the first line of {LEDGER} for good.",
    ),
    click.option("--force", is_flag=True, help="Replace a file of proposals that is there."),
)  # fmt: skip
_apply_options = as_record(
    "taking",
    ApplyOptions,
    click.option(
        "--apply", "apply", type=_FILE, metavar="PROPOSALS",
        help="Take up what a person has accepted in this file.",
    ),
    click.option(
        "--review", "review", type=_FILE, metavar="PROPOSALS",
        help="Let a person accept what is in this file, on a page of this machine.",
    ),
    click.option(
        "--port", type=click.IntRange(0, 65535), default=0,
        help="With --review; a free one without it.",
    ),
    click.option("--by", metavar="NAME", help="With --apply: who accepted it."),
    click.option(
        "--cases", type=_FILE, default=CASES, show_default=True,
        help="With --apply: the file of cases.",
    ),
    click.option(
        "--training", type=_FILE, default=TRAINING, show_default=True,
        help="With --apply: the file of training data.",
    ),
)  # fmt: skip


@click.command("collect")
@click.argument("logs", nargs=-1, type=_FILE)
@click.option("--drift", is_flag=True, help="Say how the mix of questions has moved.")
@click.option(
    "--before", multiple=True, type=_FILE, metavar="LOG",
    help="With --drift: what is compared with, such as last month's log; repeatable.",
)  # fmt: skip
@_log_options
@_proposal_options
@_apply_options
@config_option
@suite_option
@json_option
def command(
    logs: tuple[Path, ...],
    drift: bool,
    before: tuple[Path, ...],
    reading: LogOptions,
    proposing: ProposalOptions,
    taking: ApplyOptions,
    config: Path,
    suites: tuple[str, ...],
    as_json: bool,
) -> None:
    """Propose what suites and training lack, from production LOGS in any form of data.

    Personal data is replaced first. Requests that ask nearly the same are a group; proposed are
    groups that no case covers, whose answers were corrected or rated down, or that were refused
    though they are in scope. Each is for a suite or for training, decided once and for good in
    data/ledger.jsonl. A person accepts them in the file of proposals, or on the page that
    `--review` serves; `--apply` takes them up.

    The exit code is 0, or where `collect: {coverage: SHARE}` in harness.yaml demands that the
    suites speak for a share of the requests: 1 where they do not, 4 where that cannot be told.
    """
    project = load_project(config)
    if taking.review is not None:
        _review(taking, logs)
        return
    if taking.apply is not None:
        _apply(project, taking, logs)
        return
    _check(logs, before, proposing, drift=drift)
    asked = load_suites(project, suites)
    ledger = open_ledger(project.root, proposing.suite_share)
    log = reading.read(logs)
    earlier = reading.read(before) if before else None
    found = group_requests(log, asked, ledger, earlier)
    data: dict[str, Any] = {**_counts(found, log), "coverage": _interval(found.coverage)}
    lines = [*_count_lines(found, log), _coverage_line(found)]
    if drift:
        data |= {key: _drift_data(one) for key, one in _drifts(found, before).items()}
        data["new"] = _interval(found.new()) if before else None
        lines += _drift_lines(found, before)
    else:
        proposals = propose(found, ledger, least=proposing.least, most=proposing.most)
        write_proposals(proposing.output, proposals)
        ledger.add(entries_of(proposals, ledger))
        data["proposals"] = [one.model_dump(mode="json", exclude={"given"}) for one in proposals]
        lines += _proposal_lines(found, proposals, proposing.output)
    code, demanded = _demand(project, found)
    if as_json:
        click.echo(json.dumps({**data, "demanded": demanded}, indent=2, ensure_ascii=False))
    else:
        for line in lines:
            click.echo(" " * (len(line) - len(line.lstrip(" "))) + one_line(line, 300))
    if demanded is not None:
        outcome = {0: "met", TOO_LITTLE: "not met", NOT_KNOWN: "cannot be told"}[code]
        click.echo(f"coverage of at least {demanded:.0%}: {outcome}", err=True)
    raise click.exceptions.Exit(code)


def _check(
    logs: tuple[Path, ...], before: tuple[Path, ...], proposing: ProposalOptions, *, drift: bool
) -> None:
    if not logs:
        raise UsageError("name a log, or `--apply PROPOSALS`")
    if before and not drift:
        raise UsageError("`--before` goes with `--drift`")
    if not drift and proposing.output.exists() and not proposing.force:
        raise UsageError(
            "is there already",
            where=str(proposing.output),
            hint="take it up with `--apply`, replace it with `--force`, or name another with `-o`",
        )


def _review(taking: ApplyOptions, logs: tuple[Path, ...]) -> None:
    if logs or taking.apply is not None:
        raise UsageError("`--review` goes without logs and `--apply`")
    assert taking.review is not None
    serve_proposals(taking.review, LOOPBACK, taking.port, click.echo)


def _apply(project: Project, taking: ApplyOptions, logs: tuple[Path, ...]) -> None:
    assert taking.apply is not None
    if logs or not (taking.by or "").strip():
        raise UsageError("`--apply` goes with `--by NAME`, and without logs")
    ledger = open_ledger(project.root, 0.5)
    if not ledger.groups:
        raise UsageError("knows no proposal", where=str(ledger.path), hint="propose first")
    done = apply_proposals(taking.apply, ledger, taking.cases, taking.training, str(taking.by))
    for number, path in ((done.suite, taking.cases), (done.training, taking.training)):
        if number:
            click.echo(f"{counted(number, 'group')} taken up in {short_path(path.absolute())}")
    click.echo(f"{counted(done.dismissed, 'group')} dismissed, {done.left} left")
    check_suites(project.root, load_suites(project))


def _demand(project: Project, found: Collected) -> tuple[int, float | None]:
    """The exit code by what the configuration demands, and the share that it demands."""
    settings = project.config.collect
    if settings is None or settings.coverage is None:
        return 0, None
    if found.coverage is None:
        return NOT_KNOWN, settings.coverage
    codes = {"pass": 0, "fail": TOO_LITTLE, "inconclusive": NOT_KNOWN}
    return codes[found.coverage.at_least(settings.coverage)], settings.coverage


def _counts(found: Collected, log: Log) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "requests": found.requests,
        "users": found.users,
        "before": found.before,
        "groups": len(found.groups),
        "not_compared": found.left,
        "rejected": dict(log.rejected),
        "empty_columns": list(log.empty_columns),
    }


def _count_lines(found: Collected, log: Log) -> Iterator[str]:
    of_users = f" of {counted(found.users, 'user')}" if found.users < found.requests else ""
    yield f"{counted(found.requests, 'request')}{of_users} in {counted(len(found.groups), 'group')}"
    if log.first_rejected is not None:
        yield (
            f"{counted(log.rejected.total(), 'row')} could not be read, the first at "
            f"{log.first_rejected.place}: {log.first_rejected.why}"
        )
    for column in log.empty_columns:
        yield f"warning: no row has anything in a column `{column}`"
    if found.left:
        yield f"warning: {counted(found.left, 'request')} more were read, and not compared"


def _coverage_line(found: Collected) -> str:
    if found.coverage is None:
        return "the share that the suites speak for cannot be told: all is of one user"
    return f"the suites speak for {_words(found.coverage)} of the requests"


def _proposal_lines(found: Collected, proposals: list[Proposal], output: Path) -> Iterator[str]:
    for one in proposals[:SHOWN]:
        why = ", ".join(f"{reason} {count}" for reason, count in one.why.items())
        first = one.asked[0] if isinstance(one.asked[0], str) else one.asked[0][-1]
        yield f"  {one.side:8}  {why}: {one_line(first, 100)}"
    if len(proposals) > SHOWN:
        yield f"  and {len(proposals) - SHOWN} more"
    for group in between(found):
        names = ", ".join(entry.group for entry in group.known)
        yield f"warning: {counted(len(group.requests), 'request')} lie between {names}: left out"
    yield f"{counted(len(proposals), 'group')} proposed in {short_path(output.absolute())}"


def _drifts(found: Collected, before: tuple[Path, ...]) -> dict[str, Drift | None]:
    drifts = {"from_suite": drift_from_suite(found)}
    return drifts | {"from_before": drift_from_before(found)} if before else drifts


def _drift_lines(found: Collected, before: tuple[Path, ...]) -> Iterator[str]:
    if before:
        new = found.new()
        if new is not None:
            yield f"new: {_words(new)} of the requests ask what none of {found.before} before asked"
    names = {"from_before": "from before", "from_suite": "covered requests, from the suites' cases"}
    examples = {one.name: " ".join(one.asked()[0]) for one in found.groups}
    for key, one in _drifts(found, before).items():
        if one is None:
            yield f"drift {names[key]}: too few users to tell"
            continue
        yield f"drift {names[key]}: at least {_words(one.least)}"
        for moved in one.moved:
            text = one_line(examples.get(moved.group, moved.group), 80)
            yield f"  {moved.before:.1%} -> {moved.share:.1%}  {text}"


def _words(interval: Interval) -> str:
    return f"{interval.estimate:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else {
        name: getattr(interval, name) for name in ("estimate", "low", "high", "n", "groups")
    }  # fmt: skip


def _drift_data(drift: Drift | None) -> dict[str, Any] | None:
    return None if drift is None else {
        "least": _interval(drift.least), "moved": [asdict(one) for one in drift.moved]
    }  # fmt: skip
