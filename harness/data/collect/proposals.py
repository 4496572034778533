"""Groups of requests that a person may take up, as a file that a person can edit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from harness.clock import SYSTEM_CLOCK, iso
from harness.data.collect.groups import EXAMPLES, Collected, LogGroup
from harness.data.ledger import Entry, Ledger, Side
from harness.data.rows import as_line
from harness.errors import UsageError
from harness.files import read_text, write_atomic
from harness.records.base import Record, explain
from harness.records.suite import Case
from harness.training.data_files import Conversation
from harness.yaml_files import YamlFile, read_yaml

_HEAD = """\
# Proposals of `harness collect`. Of each group write `accept: true` or `accept: false`; what has
# neither is proposed again. A group for training needs an `answer`; one for a suite an `answer`, or
# an `expect` as its scorer reads it. Correct `asked` where it should be asked otherwise. The side
# is decided for good. Then: harness collect --apply THIS_FILE --by "YOUR NAME"
"""
Asked = str | tuple[str, ...]  # one question, or turns that begin and end with the user's


class Proposal(Record):
    """One group: the reasons with their counts, how it is asked, and what was answered.

    `joins` is the group of a suite's cases that ask it already: its cases are no independent ones.
    Of a draft, `family` is the group that all drafts from the same `passage` are in, and `source`
    is the passage's place.
    """

    group: str = Field(min_length=1)
    side: Side
    joins: str = ""
    accept: bool | None = None
    why: dict[str, int] = Field(default_factory=dict)
    requests: int = Field(default=0, ge=0)
    asked: tuple[Asked, ...] = Field(min_length=1)
    given: tuple[str, ...] = ()
    answer: str = ""
    expect: dict[str, Any] = Field(default_factory=dict)
    family: str = ""
    passage: str = ""
    source: str = ""


class Proposals(Record):
    """A file of proposals."""

    groups: tuple[Proposal, ...]


def propose(collected: Collected, ledger: Ledger, *, least: int, most: int) -> list[Proposal]:
    """The groups to take up, the most frequent first, each with its side.

    A group that is only uncovered needs the `least` number of requests. What the ledger has
    accepted or dismissed is not proposed again, nor what lies between groups of both sides.
    """
    found: list[Proposal] = []
    for group in collected.groups:
        why = group.why()
        rare = set(why) <= {"uncovered"} and len(group.requests) < least
        known = {entry.state for entry in group.known} & {"accepted", "dismissed"}
        if why and not rare and not known and len(found) < most:
            found.append(_proposal(group, ledger, why))
    return found


def between(collected: Collected) -> Iterator[LogGroup]:
    """The groups that belong with groups of both sides in the ledger."""
    for group in collected.groups:
        if len({entry.side for entry in group.known}) > 1:
            yield group


def _proposal(group: LogGroup, ledger: Ledger, why: dict[str, int]) -> Proposal:
    given = Counter(one.answer for one in group.requests if one.answer.strip())
    corrected = Counter(one.correction for one in group.requests if one.correction)
    return Proposal(
        group=group.name,
        side=ledger.side_of(group.name, drawn=not group.cases),
        joins=group.of_suite,
        why=why,
        requests=len(group.requests),
        asked=tuple(one[0] if len(one) == 1 else one for one in group.asked()),
        given=tuple(text for text, _ in given.most_common(EXAMPLES - 2)),
        answer=corrected.most_common(1)[0][0] if corrected else "",
    )


def entries_of(proposals: Sequence[Proposal], ledger: Ledger) -> list[Entry]:
    """Lines for the ledger on groups that it does not know yet: their sides are decided now."""
    new = [one for one in proposals if one.group not in ledger.groups]
    return [_entry(one, "proposed") for one in new]


def _entry(
    one: Proposal, state: Literal["proposed", "accepted", "dismissed"], by: str = ""
) -> Entry:
    asked = (text if isinstance(text, str) else "\n".join(text[::2]) for text in one.asked)
    return Entry(
        group=one.group,
        side=one.side,
        state=state,
        questions=tuple(asked),
        drawn=not one.joins,
        family=one.family,
        by=by,
        at=iso(SYSTEM_CLOCK.utc()),
    )


def write_proposals(path: Path, proposals: Sequence[Proposal]) -> None:
    """Write the file that a person edits.

    Raises:
        StorageError: the place cannot be written.
    """
    rows = [_row(one) for one in proposals]
    text = yaml.safe_dump({"groups": rows}, sort_keys=False, allow_unicode=True, width=100)
    write_atomic(path, _HEAD + text)


def _row(one: Proposal) -> dict[str, Any]:
    row = one.model_dump(mode="json")
    of_a_draft = ("family", "passage", "source")
    empty = tuple(key for key in ("joins", *of_a_draft) if not row[key])
    for key in (*("expect",) * (one.side == "training"), *empty):
        del row[key]
    return row


def read_proposals(path: Path) -> tuple[Proposal, ...]:
    """The proposals of a file, in their order.

    Raises:
        UsageError: there is no such file, or it is none of proposals.
    """
    return _read(path)[1]


def _read(path: Path) -> tuple[YamlFile, tuple[Proposal, ...]]:
    file = read_yaml(path)
    try:
        return file, Proposals.model_validate(file.data).groups
    except ValidationError as error:
        raise UsageError(explain(error, Proposals), where=str(path)) from None


@dataclass(slots=True)
class Applied:
    """What was made of proposals: how many were accepted for each side, dismissed, and left."""

    suite: int = 0
    training: int = 0
    dismissed: int = 0
    left: int = 0


def apply_proposals(path: Path, ledger: Ledger, cases: Path, training: Path, by: str) -> Applied:
    """Add what was accepted to the file of cases and the file of training data, and to the ledger.

    Nothing is written where anything is wrong. What is in the files by then is not added again.

    Raises:
        UsageError: a group that cannot be taken up, with its line.
        StorageError: a place cannot be written.
    """
    file, proposals = _read(path)
    done = Applied()
    lines: dict[Path, list[str]] = {cases: [], training: []}
    entries = []
    for number, one in enumerate(proposals):
        where = file.where("groups", number)
        known = ledger.groups.get(one.group)
        if one.accept is None:
            done.left += 1
            continue
        if known is not None and known.state == "accepted":
            continue  # as an earlier call has done
        _check(one, ledger, where)
        if one.accept:
            made = _cases(one, where) if one.side == "suite" else _conversations(one, where)
            lines[cases if one.side == "suite" else training] += made
        done.suite += one.accept and one.side == "suite"
        done.training += one.accept and one.side == "training"
        done.dismissed += not one.accept
        entries.append(_entry(one, "accepted" if one.accept else "dismissed", by))
    for target, rows in lines.items():
        _add_lines(target, rows)
    ledger.add(entries)
    return done


def _check(one: Proposal, ledger: Ledger, where: str) -> None:
    side = ledger.side_of(one.group)
    if one.side != side:
        raise UsageError(
            f"`{one.group}` is for {side}, and cannot be moved to {one.side}",
            where=where,
            hint="the side was decided when it was proposed: write it back",
        )
    if one.accept and not one.answer.strip() and not (one.side == "suite" and one.expect):
        needed = "an `answer` or an `expect`" if one.side == "suite" else "an `answer`"
        raise UsageError(
            f"`{one.group}` is accepted and has no answer", where=where, hint=f"write {needed}"
        )


def _cases(one: Proposal, where: str) -> Iterator[str]:
    expect = one.expect or {"answers": [one.answer]}
    for number, asked in enumerate(one.asked, 1):
        group = one.joins or one.family or one.group
        case = _made(Case, where, id=f"{one.group}-{number}", group=group,
                     messages=_messages(asked), expect=expect)  # fmt: skip
        yield as_line(case.model_dump(mode="json", exclude={"critical", "tags"}))


def _conversations(one: Proposal, where: str) -> Iterator[str]:
    for asked in one.asked:
        messages = [*_messages(asked), {"role": "assistant", "content": one.answer}]
        yield as_line(
            _made(Conversation, where, group=one.family or one.group, messages=messages).model_dump(
                mode="json"
            )
        )


def _made(kind: type[Any], where: str, **values: Any) -> Any:
    try:
        return kind(**values)
    except ValidationError as error:
        raise UsageError(explain(error, kind), where=where) from None


def _messages(asked: Asked) -> list[dict[str, str]]:
    turns = (asked,) if isinstance(asked, str) else asked
    roles = ("user", "assistant")
    return [{"role": roles[number % 2], "content": text} for number, text in enumerate(turns)]


def _add_lines(path: Path, rows: Sequence[str]) -> None:
    """Add lines to a file of JSON Lines, but for those that it has."""
    if not rows:
        return
    text = read_text(path) if path.exists() else ""
    known = set(text.split("\n"))
    more = "".join(row for row in rows if row.rstrip("\n") not in known)
    end = "" if not text or text.endswith("\n") else "\n"
    write_atomic(path, text + end + more)
