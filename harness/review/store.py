"""The SQLite file of a review: every choice is on the disk before the next page is shown.

Choices are only ever added. What stands for an assignment and a criterion is the newest choice that
was not undone, so that a request that comes twice changes nothing.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Lock

from harness.errors import UsageError
from harness.review.items import Assignment, Draw, Item
from harness.review.sqlite_file import check_form, connect, made_whole, parsed, told
from harness.review.stored import Addition, Assigned, Given, Progress, Rater, Reply, Sheet


class ReviewStore:
    """The file, opened anew for each request; use `create` or `open_store` to get one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Threads that wait here are let in in turn; SQLite would have them try again and again.
        self._turn = Lock()

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with told(self.path), closing(connect(self.path)) as database:
            yield database

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """A connection in one transaction, which is undone where anything fails."""
        with self._turn, self._read() as database:
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

    def check(self) -> None:
        """Nothing, where the file is a review that this version can read.

        Raises:
            UsageError: a newer version wrote it.
            StorageError: it is something else, or locked.
        """
        with self._read() as database:
            check_form(database, self.path)

    def draw(self) -> Draw:
        """What was drawn."""
        with self._read() as database:
            row = database.execute("SELECT json FROM draw").fetchone()
        return parsed(Draw, row, self.path)

    def secrets(self) -> tuple[str, str]:
        """The secret of the admin link, and the key that signs the forms."""
        with self._read() as database:
            admin, key = database.execute("SELECT admin, key FROM draw").fetchone()
        return admin, key

    def raters(self) -> list[Rater]:
        """All raters in the order in which they were named."""
        with self._read() as database:
            rows = database.execute("SELECT id, name, secret, device, seen FROM raters ORDER BY id")
            return [Rater(*row) for row in rows]

    def rater(self, secret: str) -> Rater | None:
        """The rater whose link has that secret."""
        with self._read() as database:
            row = database.execute(
                "SELECT id, name, secret, device, seen FROM raters WHERE secret = ?", (secret,)
            ).fetchone()
        return None if row is None else Rater(*row)

    def seen(self, rater: int, device: str, moment: float) -> None:
        """Keep which device uses a rater's link, and when."""
        with self._write() as database:
            database.execute(
                "UPDATE raters SET device = ?, seen = ? WHERE id = ?", (device, moment, rater)
            )

    def sheet(self, rater: int, place: int) -> Sheet | None:
        """What a rater sees at a place, None where he has no such place."""
        with self._read() as database:
            row = database.execute(
                "SELECT a.id, i.json, a.flipped, a.comment, a.flagged, a.done FROM assignments a "
                "JOIN items i ON i.id = a.item WHERE a.rater = ? AND a.place = ?",
                (rater, place),
            ).fetchone()
            if row is None:
                return None
            number, text, flipped, comment, flagged, done = row
            replies = {
                criterion: Reply(choice, code, reason)
                for choice, criterion, code, reason in database.execute(
                    "SELECT id, criterion, code, reason FROM standing WHERE assignment = ?",
                    (number,),
                )
            }
        item = parsed(Item, (text,), self.path)
        return Sheet(
            *(number, rater, item, place, bool(flipped), replies, comment, bool(flagged)),
            done is not None,
        )

    def next_place(self, rater: int, after: int) -> int | None:
        """The next place that is not done, from the beginning again at the end; None if all are."""
        find = "SELECT min(place) FROM assignments WHERE rater = ? AND done IS NULL"
        with self._read() as database:
            (place,) = database.execute(f"{find} AND place > ?", (rater, after)).fetchone()
            if place is None:
                (place,) = database.execute(find, (rater,)).fetchone()
        return None if place is None else int(place)

    def progress(self, rater: int) -> Progress:
        """How far a rater is."""
        count = "SELECT count(*) FROM assignments WHERE rater = ?"
        with self._read() as database:
            (total,) = database.execute(count, (rater,)).fetchone()
            (left,) = database.execute(f"{count} AND done IS NULL", (rater,)).fetchone()
            times = database.execute(
                "SELECT done FROM assignments WHERE rater = ? AND done IS NOT NULL "
                "ORDER BY done DESC LIMIT 31",
                (rater,),
            ).fetchall()
            last = database.execute(
                "SELECT max(id) FROM choices WHERE rater = ? AND undone = 0", (rater,)
            ).fetchone()[0]
        moments = [moment for (moment,) in times]
        gaps = sorted(one - two for one, two in pairwise(moments))
        seconds = gaps[len(gaps) // 2] * left if gaps else None
        return Progress(total - left, total, seconds, last)

    def choose(
        self, sheet: Sheet, replies: dict[str, tuple[str, str]], wanted: int, now: tuple[float, str]
    ) -> None:
        """Keep replies by criterion, each a code and a reason; `wanted` questions make it done.

        `now` is the moment in seconds since the epoch, and as text.

        Raises:
            StorageError: they could not be written; nothing of them is kept.
        """
        moment, text = now
        with self._write() as database:
            standing = {
                criterion: (code, reason)
                for criterion, code, reason in database.execute(
                    "SELECT criterion, code, reason FROM standing WHERE assignment = ?", (sheet.id,)
                )
            }
            for criterion, reply in replies.items():
                if standing.get(criterion) != reply:
                    database.execute(
                        "INSERT INTO choices (rater, assignment, criterion, code, reason, at) "
                        "VALUES (?, ?, ?, ?, ?, ?)",
                        (sheet.rater, sheet.id, criterion, *reply, text),
                    )
            if len(standing.keys() | replies.keys()) >= wanted:
                database.execute(
                    "UPDATE assignments SET done = coalesce(done, ?) WHERE id = ?",
                    (moment, sheet.id),
                )

    def add(self, additions: Sequence[Addition]) -> int:
        """Keep all these replies or none, and the number of those that were new.

        Where a rater has said something of a question already, that stands.

        Raises:
            StorageError: they could not be written; nothing of them is kept.
        """
        new = 0
        with self._write() as database:
            for one in additions:
                sheet = one.sheet
                new += database.execute(
                    "INSERT INTO choices (rater, assignment, criterion, code, reason, at) "
                    "SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS ("
                    "SELECT 1 FROM standing WHERE assignment = ? AND criterion = ?)",
                    (sheet.rater, sheet.id, one.criterion, one.code, one.reason, one.at,
                     sheet.id, one.criterion),
                ).rowcount  # fmt: skip
                database.execute(
                    "UPDATE assignments SET done = ? WHERE id = ? AND done IS NULL AND ? <= ("
                    "SELECT count(*) FROM standing WHERE assignment = ?)",
                    (one.moment, sheet.id, one.wanted, sheet.id),
                )
                if one.comment:
                    database.execute(
                        "UPDATE assignments SET comment = ? WHERE id = ? AND comment = ''",
                        (one.comment, sheet.id),
                    )
        return new

    def remark(self, sheet: Sheet, comment: str, flagged: bool) -> None:
        """Keep a rater's comment on an item, and whether he flagged it."""
        with self._write() as database:
            database.execute(
                "UPDATE assignments SET comment = ?, flagged = ? WHERE id = ?",
                (comment, flagged, sheet.id),
            )

    def undo(self, rater: int, choice: int) -> int | None:
        """Take back a rater's choice if it is his newest; the place that it was made at."""
        with self._write() as database:
            row = database.execute(
                "SELECT c.id, c.assignment, a.place FROM choices c "
                "JOIN assignments a ON a.id = c.assignment "
                "WHERE c.rater = ? AND c.undone = 0 ORDER BY c.id DESC LIMIT 1",
                (rater,),
            ).fetchone()
            if row is None or row[0] != choice:
                return None
            database.execute("UPDATE choices SET undone = 1 WHERE id = ?", (choice,))
            # What it had replaced stands again: then the item is still done.
            database.execute(
                "UPDATE assignments SET done = NULL WHERE id = ? AND NOT EXISTS ("
                "SELECT 1 FROM choices c, choices o WHERE o.id = ? AND c.undone = 0 "
                "AND c.assignment = o.assignment AND c.criterion = o.criterion)",
                (row[1], choice),
            )
            return int(row[2])

    def items(self) -> dict[int, Item]:
        """All items by number."""
        with self._read() as database:
            rows = database.execute("SELECT id, json FROM items ORDER BY id").fetchall()
        return {number: parsed(Item, (text,), self.path) for number, text in rows}

    def assigned(self) -> list[Assigned]:
        """Every item of every rater, by rater and in the order of his own."""
        items = self.items()
        replies: defaultdict[int, dict[str, Reply]] = defaultdict(dict)
        with self._read() as database:
            rows = database.execute(
                "SELECT id, rater, place, item, flipped, again, comment, flagged, done "
                "FROM assignments ORDER BY rater, place"
            ).fetchall()
            for number, choice, criterion, code, reason in database.execute(
                "SELECT assignment, id, criterion, code, reason FROM standing"
            ):
                replies[number][criterion] = Reply(choice, code, reason)
        return [
            Assigned(rater, item, bool(again), Sheet(
                *(number, rater, items[item], place, bool(flipped), replies[number], comment),
                *(bool(flagged), done is not None),
            ))
            for number, rater, place, item, flipped, again, comment, flagged, done in rows
        ]  # fmt: skip

    def given(self) -> list[Given]:
        """Every standing reply of every rater, in the order in which they were given."""
        with self._read() as database:
            rows = database.execute(
                "SELECT r.name, a.item, a.flipped, a.again, s.criterion, s.code, s.reason, s.at, "
                "a.comment, a.flagged FROM standing s JOIN assignments a ON a.id = s.assignment "
                "JOIN raters r ON r.id = a.rater ORDER BY s.id"
            ).fetchall()
        return [
            Given(who, item, bool(flip), bool(again), name, code, why, at, comment, bool(flag))
            for who, item, flip, again, name, code, why, at, comment, flag in rows
        ]


def create(
    path: Path,
    draw: Draw,
    items: Sequence[Item],
    raters: Sequence[str],
    assignments: Iterable[Assignment],
) -> ReviewStore:
    """The new file, which is there whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    with made_whole(path) as database:
        database.execute(
            "INSERT INTO draw VALUES (?, ?, ?)",
            (draw.model_dump_json(), secrets.token_hex(16), secrets.token_hex(32)),
        )
        database.executemany(
            "INSERT INTO raters (id, name, secret) VALUES (?, ?, ?)",
            [(at, name, secrets.token_hex(16)) for at, name in enumerate(raters, 1)],
        )
        database.executemany(
            "INSERT INTO items VALUES (?, ?)",
            [(at, item.model_dump_json()) for at, item in enumerate(items, 1)],
        )
        database.executemany(
            "INSERT INTO assignments (rater, place, item, flipped, again) VALUES (?, ?, ?, ?, ?)",
            [(one.rater, one.place, one.item, one.flipped, one.again) for one in assignments],
        )
    return ReviewStore(path)


def open_store(path: Path) -> ReviewStore:
    """The review of that file.

    Raises:
        UsageError: there is none, or a newer version wrote it.
        StorageError: it cannot be read.
    """
    if not path.exists():
        raise UsageError(
            "no such review", where=str(path), hint="`harness review CANDIDATE` draws one"
        )
    store = ReviewStore(path)
    store.check()
    return store
