"""`harness compare`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from harness.cli.console import table
from harness.cli.options import baseline_option, config_option, json_option, suite_option
from harness.config import load_project
from harness.files import short_path
from harness.records.leaderboard import Recommendation
from harness.records.verdict import RuleResult
from harness.report import formats
from harness.report.json import render_leaderboard_json
from harness.report.leaderboard_content import (
    NOT_MEASURED,
    LeaderboardContent,
    advantage_words,
    change_rows,
    difference_words,
    is_unmeasured,
    reason_words,
    recommendation_title,
    tests_sentence,
)
from harness.report.losses import slice_numbers
from harness.report.rules import requirement, rule_name
from harness.report.write import write_leaderboard
from harness.session.stored_results import build_leaderboard
from harness.visible_text import one_line

_LISTED = 5


@click.command("compare")
@click.argument("candidates", nargs=-1, required=True, metavar="CANDIDATE...")
@baseline_option
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Also write compare.html, compare.md and compare.json there.",
)
@config_option
@suite_option
@json_option
def command(
    candidates: tuple[str, ...],
    baseline: str | None,
    output: Path | None,
    config: Path,
    suites: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show CANDIDATEs side by side, and which of them the policy speaks for.

    Every name is a candidate; the baseline is the policy's or --baseline, and is left out where it
    is named among the candidates. Works on stored answers. The verdicts are those that a gate would
    give on them; none is kept. The p-value is for being worse than the baseline, Holm-corrected for
    the number of metrics. Without a `gate:` in the configuration nothing is judged or recommended,
    and --baseline is needed. The last table holds quality, time to the first word, tokens and cost
    of all targets; of candidates that pass and cannot be told apart the cheapest is recommended,
    where it is no worse than the others by the policy's margins.
    """
    leaderboard = build_leaderboard(load_project(config), candidates, baseline, suites)
    # Before anything is printed: an error of it is then all that standard output holds.
    written = () if output is None else write_leaderboard(leaderboard, output)
    if as_json:
        click.echo(render_leaderboard_json(leaderboard), nl=False)
    else:
        for line in _lines(LeaderboardContent(leaderboard)):
            click.echo(line)
    for path in written:
        click.echo(short_path(path.absolute()), err=as_json)


def _lines(content: LeaderboardContent) -> Iterator[str]:
    entries = content.leaderboard.entries
    if content.leaderboard.recommendation is not None:
        yield from _recommended(content.leaderboard.recommendation)
        yield ""
        yield from _verdicts(content)
        yield ""
        yield from _rules(content)
        yield ""
    for results in content.sliced:
        yield from _slices(results)
        yield ""
    yield from _metrics(content)
    if content.preferences:
        yield ""
        yield from _preferences(content)
    for entry in entries:
        for section, change in change_rows(entry):
            yield f"{_name(entry.name)}: {section}: {change}"
    for entry in entries:
        if entry.new_critical_failures:
            paths = [one_line(path, 200) for path in entry.new_critical_failures]
            left = len(paths) - _LISTED
            more = f" and {left} more" if left > 0 else ""
            first = ", ".join(paths[:_LISTED])
            yield f"{_name(entry.name)}: newly fails critical cases: {first}{more}"
    yield from (f"note: {note}" for note in content.notes)
    if content.figures:
        yield ""
        yield from _figures(content)


def _name(name: str) -> str:
    return one_line(name, 60)


def _recommended(found: Recommendation) -> Iterator[str]:
    yield recommendation_title(found)
    yield f"  {one_line(found.reason, 800)}"
    for each in found.advantages:
        difference, interval, p_value = advantage_words(each)
        yield (
            f"  {one_line(each.metric, 200)}: {_name(each.better)} before {_name(each.worse)} by "
            f"{difference} [{interval}], p {p_value}"
        )
    notes = (one_line(note, 800) for note in found.notes)
    yield from (f"  note: {note}" for note in (tests_sentence(found), *notes) if note)


def _verdicts(content: LeaderboardContent) -> list[str]:
    rows = [
        (_name(entry.name), entry.verdict.verdict if entry.verdict else "", reason_words(entry))
        for entry in content.leaderboard.entries
    ]
    return table([("candidate", "verdict", "why"), *rows], left=3)


def _rules(content: LeaderboardContent) -> list[str]:
    entries = content.leaderboard.entries
    rows = [("rule", "required", *(_name(entry.name) for entry in entries))]
    for row in content.rules:
        cells = (
            "–"
            if rule is None
            else NOT_MEASURED
            if is_unmeasured(rule) and not entry.doubts
            else rule.outcome
            for entry, rule in zip(entries, row.results, strict=True)
        )
        wanted = requirement(row.wording) if row.wording.metric else ""
        rows.append((one_line(rule_name(row.wording), 200), wanted, *cells))
    return table(rows, left=len(rows[0]))


def _slices(results: Mapping[str, RuleResult]) -> list[str]:
    found = {name: {one.name: one for one in rule.slices or ()} for name, rule in results.items()}
    rows = [("slice", *(_name(name) for name in found))]
    for name in dict.fromkeys(name for slices in found.values() for name in slices):
        cells = (
            f"{slices[name].outcome} {slice_numbers(slices[name])}" if name in slices else "–"
            for slices in found.values()
        )
        rows.append((one_line(name, 200), *cells))
    return table(rows, left=len(rows[0]))


def _preferences(content: LeaderboardContent) -> list[str]:
    names = [_name(row.target) for row in content.preferences]
    rows = [("preferred", "share", "interval", *(f"against {name}" for name in names))]
    for row, name in zip(content.preferences, names, strict=True):
        cells = (cell or formats.NONE for cell in row.cells)
        rows.append((name, row.share, row.interval, *cells))
    return [*table(rows, left=1), f"won / tied / lost; {content.preferences_sentence}"]


def _figures(content: LeaderboardContent) -> list[str]:
    names = (_name(one.target) for one in content.leaderboard.figures)
    rows = ((one_line(row.name, 200), *row.cells) for row in content.figures)
    return [*table([("target", *names), *rows], left=1), content.figures_sentence]


def _metrics(content: LeaderboardContent) -> list[str]:
    head = ("metric", "target", "value", "difference", "interval", "p of a loss, corrected")
    board, rows = content.leaderboard, [head]
    for name, differences in content.metrics.items():
        value = content.baseline_of(name)
        rows.append((one_line(name, 200), _name(board.baseline), value, "", "", ""))
        for entry, found in zip(board.entries, differences, strict=True):
            p_value = formats.p_value(None if found is None else found.p_of_loss)
            rows.append(("", _name(entry.name), *difference_words(found), p_value))
    return table(rows, left=2)
