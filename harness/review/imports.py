"""What people said elsewhere, in a spreadsheet or a labelling tool, put into the review's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.data.convert import Rejected, Rejects, rejects_of, why_rejected
from harness.data.rows import read_rows
from harness.errors import UsageError
from harness.records.suite import counted
from harness.review.import_columns import Columns, columns_of
from harness.review.items import CANNOT_TELL, REASONS, Question
from harness.review.label_form import LabelForm, detect
from harness.review.sheets import questions_of
from harness.review.spreadsheet import unquoted
from harness.review.store import ReviewStore
from harness.review.stored import Addition, Sheet
from harness.review.tasks import LEFT, RIGHT

_YES = ("true", "yes", "1")
_NO = ("false", "no", "0", "")


@dataclass(slots=True)
class Imported:
    """What an import did: rows read, replies added, those that were there, and rows rejected.

    `empty` counts the rows that say nothing.
    """

    rows: int = 0
    added: int = 0
    known: int = 0
    empty: int = 0
    rejected: list[Rejected] = field(default_factory=list)


def import_labels(
    store: ReviewStore,
    file: Path,
    now: str,
    *,
    columns: Mapping[str, str],
    aliases: Mapping[str, str],
    encoding: str = "utf-8",
) -> Imported:
    """Take the replies of a file: all good rows in one transaction, the others kept apart.

    `columns` are the file's names by field or criterion, `aliases` the review's names of raters by
    the file's, `now` is the time of a reply that has none. What a rater said before is never
    replaced. Rejected rows are in `<file>.rejected.jsonl`, each with its place and the reason.

    Raises:
        UsageError: the file cannot be read, lacks a column, or has no row that can be taken.
        StorageError: nothing of it could be written.
    """
    form, rows = _read(file, encoding)
    bad = [row for _, row in rows if isinstance(row, Rejected)]
    if len(bad) == len(rows):
        raise _nothing(bad)
    draw = store.draw()
    criteria = {one.criterion for asked in draw.questions.values() for one in asked}
    known = dict.fromkeys(key for _, row in rows if not isinstance(row, Rejected) for key in row)
    found = columns_of(
        *(columns, criteria, tuple(known), str(file)),
        rater=form.rater if form else "rater",
        pairs=draw.task == "prefer",
    )
    reader = _Reader(store, found, aliases, now)
    done, additions = Imported(), []
    rejects = Rejects(rejects_of(file))
    with rejects:
        for place, row in rows:
            done.rows += 1
            try:
                given = row if isinstance(row, Rejected) else list(reader.read(row, place))
            except ValueError as error:
                given = Rejected(place, str(error), row)
            if isinstance(given, Rejected):
                done.rejected.append(given)
                rejects.add(given)
                continue
            done.empty += not given
            additions += given
        if done.rows == len(done.rejected):
            raise _nothing(done.rejected)
        done.added = store.add(additions)
        done.known = len(additions) - done.added
    return done


def _nothing(rejected: Sequence[Rejected]) -> UsageError:
    """What to say where every row was rejected."""
    return UsageError(
        f"none of {counted(len(rejected), 'row')} can be taken; {rejected[0].why}",
        where=rejected[0].place,
        hint="correct the rows, or name columns with `--map` and raters with `--alias`",
    )


def _read(file: Path, encoding: str) -> tuple[LabelForm | None, list[tuple[str, Any]]]:
    """The form of the file, and its rows made flat; in place of a bad one is why it is rejected."""
    form: LabelForm | None = None
    found: list[tuple[str, Any]] = []
    for place, row in read_rows(file, encoding):
        if not isinstance(row, Mapping):
            error = row if isinstance(row, ValueError) else ValueError("must be an object")
            found.append((place, Rejected(place, str(error), None if row is error else row)))
            continue
        form = form or detect(row)
        try:
            found += [(place, flat) for flat in (form.read(row) if form else (row,))]
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            found.append((place, Rejected(place, why_rejected(error), row)))
    if not found:
        raise UsageError("says nothing of any item", where=str(file))
    return form, found


class _Reader:
    """Rows as replies to the questions of the review's items."""

    def __init__(
        self, store: ReviewStore, columns: Columns, aliases: Mapping[str, str], now: str
    ) -> None:
        self._columns, self._now, self._draw = columns, now, store.draw()
        self._sheets = {
            (each.rater, each.number, each.again): each.sheet for each in store.assigned()
        }
        self._items = len(store.items())
        self._raters = {_plain_name(one.name): one for one in store.raters()}
        self._aliases: dict[str, str] = {}
        for given, name in aliases.items():
            if _plain_name(name) not in self._raters:
                raise UsageError(f"{self._unknown(name)}", where="--alias")
            self._aliases[_plain_name(given)] = _plain_name(name)
        self._before: dict[tuple[int, str], tuple[tuple[str, str], str]] = {}

    def read(self, row: Mapping[str, Any], place: str) -> Iterator[Addition]:
        """The replies of a row; none where it says nothing.

        Raises:
            ValueError: it names no item, rater or level of the review, or contradicts another.
        """
        said = list(self._columns.said(row))
        if not said:
            return
        sheet = self._sheet(row)
        sides = self._check_answers(sheet, row)
        asked = {one.criterion: one for one in questions_of(sheet.item, self._draw)}
        found = []
        for criterion, value, reason in said:
            name = criterion or next(iter(asked))
            if name not in asked:
                raise ValueError(f"`{name}` is not asked of it; there is {', '.join(asked)}")
            found.append((name, _reply(asked[name], value, reason, sides)))
        time, comment = self._time(row), unquoted(self._columns.text(row, "comment"))
        for name, reply in found:
            self._check_again(sheet, name, reply)
        for name, reply in found:
            self._before[sheet.id, name] = reply, place
            yield Addition(sheet, name, *reply, time.isoformat(), time.timestamp(), comment,
                           len(asked))  # fmt: skip

    def _sheet(self, row: Mapping[str, Any]) -> Sheet:
        given, name = self._columns.text(row, "item"), self._columns.text(row, "rater")
        item = _whole(given)
        if item is None or not 1 <= item <= self._items:
            raise ValueError(f"no item `{given}`: they are numbered 1 to {self._items}")
        plain = _plain_name(name)
        rater = self._raters.get(self._aliases.get(plain, plain))
        if rater is None:
            raise ValueError(self._unknown(name))
        again = self._columns.text(row, "again").casefold()
        if again not in _YES + _NO:
            raise ValueError(f"again: `{again}` is neither true nor false")
        sheet = self._sheets.get((rater.id, item, again in _YES))
        if sheet is None:
            once_more = " a second time" if again in _YES else ""
            raise ValueError(f"item {item} was not given to `{rater.name}`{once_more}")
        return sheet

    def _unknown(self, name: str) -> str:
        names = ", ".join(one.name for one in self._raters.values())
        return f"no rater `{name}` in the review; there is {names}"

    def _check_answers(self, sheet: Sheet, row: Mapping[str, Any]) -> Mapping[str, str]:
        """The codes of left and right, which depend on the side where each answer stood."""
        drawn = [(one.text, one.digest) for one in sheet.item.answers]
        sides = {"left": LEFT, "right": RIGHT}
        names = ("answer",) if len(drawn) == 1 else ("left", "right")
        seen = [self._columns.text(row, name) for name in names]
        orders = [(drawn, sides)]
        if len(drawn) > 1:
            orders.append((drawn[::-1], {"left": RIGHT, "right": LEFT}))
        # Where both are the same words it is as the rater's own page would have it.
        for order, codes in orders[::-1] if sheet.flipped else orders:
            if all(_same(one, *two) for one, two in zip(seen, order, strict=True)):
                return codes
        raise ValueError("the answer is another one than was drawn: what was said is not of it")

    def _time(self, row: Mapping[str, Any]) -> datetime:
        given = self._columns.text(row, "time") or self._now
        try:
            found = datetime.fromisoformat(given)
        except ValueError:
            found = datetime.min  # noqa: DTZ901
        if found.tzinfo is None:
            raise ValueError(f"time: `{given}` is not like 2026-01-31T09:00:00Z")
        return found

    def _check_again(self, sheet: Sheet, criterion: str, reply: tuple[str, str]) -> None:
        before, where = self._before.get((sheet.id, criterion), (None, ""))
        if before not in (None, reply):
            raise ValueError(f"contradicts {where}: two values of `{criterion}` by one rater")
        stands = sheet.replies.get(criterion)
        if stands is not None and (stands.code, stands.reason) != reply:
            raise ValueError(
                f"the rater has said something else of `{criterion}` before; "
                "that stands until it is taken back on the page"
            )


def _reply(
    question: Question, value: str, reason: str, sides: Mapping[str, str]
) -> tuple[str, str]:
    """Code and reason of a cell: a level by its words or its value, or why one cannot tell."""
    word, _, why = value.partition(":")
    if not value or word.strip().casefold().replace(" ", "-") == CANNOT_TELL:
        given = (why or reason).strip()
        for key, words in REASONS.items():
            if given.casefold() in (key, words.casefold()):
                return CANNOT_TELL, key
        raise ValueError(f"cannot tell for the reason `{given}`; there is {', '.join(REASONS)}")
    by_words = [one.code for one in question.choices if one.title.casefold() == value.casefold()]
    if by_words:
        return (by_words[0] if question.values else sides.get(value.casefold(), by_words[0])), ""
    by_value = [code for code, one in question.values.items() if _number(value) == one]
    if len(by_value) == 1:
        return by_value[0], ""
    titles = ", ".join(one.title for one in question.choices)
    raise ValueError(f"`{value}` is no level of `{question.criterion}`; there is {titles}")


def _same(seen: str, text: str, digest: str) -> bool:
    """Whether that is the answer; tools change white space, and spreadsheets quote formulas."""
    return seen == digest or unquoted(seen).split() == text.split()


def _plain_name(name: str) -> str:
    # As labels are read: one person is not written in two ways.
    return " ".join(name.split()).casefold()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number.is_integer() else None
