"""`harness baselines` and `harness rollback`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from harness.cli.options import config_option, json_option
from harness.clock import SYSTEM_CLOCK, iso
from harness.config import SEALED, load_project
from harness.errors import UsageError
from harness.files import short_path
from harness.gate.ledger import BESIDE, LEDGER, Entry, files_of, history_of, names, roll_back
from harness.gate.sealed_file import read_sealed
from harness.receipt.keys import KEYS
from harness.receipt.write import UNSIGNED
from harness.report.formats import moment
from harness.visible_text import one_line

_DONE = {"found": "sealed", "promote": "promoted", "rollback": "rolled back to"}


@click.command("baselines")
@click.argument("name", required=False)
@config_option
@json_option
def command(name: str | None, config: Path, as_json: bool) -> None:
    """List the sealed baselines, or NAME alone, each with its history.

    A name stands for the promotion that is marked with `*`. Those that were replaced are kept, and
    `harness rollback` makes one of them the baseline again.
    """
    project = load_project(config)
    folder, policy = project.baselines, project.config.gate
    known = names(folder)
    if name is not None and name not in known:
        raise UsageError(
            f"no sealed baseline `{name}`", hint=f"there is {', '.join(known) or 'none'}"
        )
    wanted = known if name is None else (name,)
    found = [_baseline(folder, one) for one in wanted]
    for one in found:
        one["policy"] = policy is not None and policy.baseline == f"{SEALED}{one['name']}"
    if as_json:
        click.echo(json.dumps({"baselines": found}, indent=2))
        return
    if not found:
        click.echo("no baseline is sealed: `harness promote CANDIDATE` seals one")
    for one in found:
        for line in _lines(one):
            click.echo(one_line(line, 300))


def _baseline(folder: Path, name: str) -> dict[str, Any]:
    """A baseline with its promotions and its history, as JSON has them."""
    history = history_of(folder, name)
    promoted: dict[str, Entry] = {}
    for one in history:
        if one.action != "rollback":
            promoted.setdefault(one.id, one)
    return {
        "name": name,
        "current": history[-1].id if history else None,
        "promotions": [_promotion(folder, one) for one in promoted.values()],
        "history": [
            {"moment": one.moment, "action": one.action, "id": one.id, "reason": one.reason}
            for one in history
        ],
    }


def _promotion(folder: Path, entry: Entry) -> dict[str, Any]:
    files = files_of(folder, entry)
    receipt = _receipt(folder, entry)
    candidate = read_sealed(next(iter(files.values()))).verdict.candidate if files else None
    return {
        "id": entry.id,
        "sealed": entry.moment,
        "suites": list(entry.seals),
        "candidate": candidate,
        "there": files.keys() == entry.seals.keys(),
        "receipt": None if receipt is None else str(short_path(receipt)),
    }


def _receipt(folder: Path, entry: Entry) -> Path | None:
    """The receipt of a promotion, None where there is none or its seals are gone."""
    seal = next(iter(files_of(folder, entry).values()), None)
    if seal is None:
        return None
    beside = (seal.parent.parent / f"{entry.name}{suffix}" for suffix in BESIDE[:2])
    return next((one for one in beside if one.is_file()), None)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield found["name"] + (", the policy's baseline" if found["policy"] else "")
    for one in found["promotions"]:
        mark = "*" if one["id"] == found["current"] else " "
        what = (
            f"candidate {one['candidate']}, {', '.join(one['suites'])}, "
            f"{one['receipt'] or 'no receipt'}"
            if one["there"]
            else "its files are gone"
        )
        yield f"  {mark} {one['id']}  sealed on {moment(one['sealed'])}: {what}"
    if len(found["history"]) > 1:
        for one in found["history"]:
            why = f": {one['reason']}" if one["reason"] else ""
            yield f"    {moment(one['moment'])}  {_DONE[one['action']]} {one['id']}{why}"


@click.command("rollback")
@click.argument("name")
@click.option("--to", metavar="ID", help="The promotion; the one before the present one.")
@click.option("--reason", metavar="TEXT", default="", help="Why; it goes into the ledger.")
@config_option
def rollback(name: str, to: str | None, reason: str, config: Path) -> None:
    """Make an earlier promotion of NAME the baseline again.

    `sealed:NAME` then stands for it. No file is changed: baselines/ledger.jsonl gets a line, and
    both promotions stay. `harness baselines` lists them.
    """
    folder = load_project(config).baselines
    entry = roll_back(folder, name, to, iso(SYSTEM_CLOCK.utc()), reason.strip())
    click.echo(
        f"`{SEALED}{name}` stands for {entry.id} again, sealed on {moment(entry.moment)}; commit "
        f"{short_path(folder / LEDGER)}"
    )
    receipt = _receipt(folder, entry)
    if (folder / KEYS).is_file() and (receipt is None or receipt.name.endswith(UNSIGNED)):
        what = "has no receipt" if receipt is None else "has an unsigned receipt"
        click.echo(
            f"warning: {entry.id} {what}, and `harness verify` asks for a signature since there is "
            f"{short_path(folder / KEYS)}",
            err=True,
        )
