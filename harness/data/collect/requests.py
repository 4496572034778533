"""What users asked in production and what became of it, from logs in any form of data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.data.convert import Rejected, expanded, read_samples
from harness.data.form import Form, detect
from harness.data.forms.kto import labelled
from harness.data.forms.langfuse import correction_of, ids, scored
from harness.data.lint.row import DataRow
from harness.data.rows import read_rows
from harness.data.sample import Sample
from harness.personal_data import Redactor

_BAD = frozenset(
    {"down", "bad", "negative", "dislike", "disliked", "no", "false", "thumbs_down", "thumbs-down",
     "thumbsdown", "unhelpful", "wrong", "incorrect", "👎"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a log say more than its form does, empty where none does.

    `rating` is bad at or below `low`, where it is a number, else where it is false or a word such
    as `down`. `correction` is a better answer, `user` who asked.
    """

    rating: str = ""
    low: float = 0.0
    correction: str = ""
    user: str = ""


@dataclass(frozen=True)
class LoggedRequest(DataRow):
    """One request without its personal data: what was asked, the answer, and what was said of it.

    `user` is empty where nobody knows who asked.
    """

    user: str = ""
    ids: tuple[str, ...] = ()  # by which scores know it
    correction: str = ""
    rated_down: bool = False

    @property
    def asked_turns(self) -> tuple[str, ...]:
        """The turns before the answer, the user's first and last."""
        turns = [text for role, text in self.turns if role != "system"]
        return tuple(turns[:-1] if self.turns[-1][0] == "assistant" else turns)


@dataclass(slots=True)
class Log:
    """The requests of logs, why rows could not be read, and how many of them asked nothing.

    `empty_columns` are those that were named and are filled in no row.
    """

    requests: list[LoggedRequest] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    first_rejected: Rejected | None = None
    skipped: int = 0
    empty_columns: tuple[str, ...] = ()


def read_log(
    files: Sequence[Path],
    columns: Columns | None = None,
    *,
    form: Form | None = None,
    regions: Sequence[str] = (),
    encoding: str = "utf-8",
) -> Log:
    """The requests of the files, in any form of data, each without its personal data.

    Names such as `<EMAIL_1>` are counted anew in each request: the same question of two people is
    the same text, in this log and in the next one. `regions` are countries whose telephone numbers
    are recognised.

    Scores of Langfuse, ratings and corrections, may be in a file of their own.

    Raises:
        UsageError: a file that cannot be read or is in no known form.
    """
    given = columns or Columns()
    log, scores = Log(), _Scores(given.low, regions)
    empty = {name for name in (given.rating, given.correction, given.user) if name}
    for source in expanded(files):
        known = source.form or form
        for place, row in read_rows(source.path, encoding):
            if not isinstance(row, Mapping):
                why = str(row) if isinstance(row, ValueError) else "must be an object"
                _reject(log, Rejected(place, Redactor(regions).text(why), None))
            elif about := scored(row):
                scores.add(about, row)
            else:
                known = known or detect(row, place)
                _take(log, known, place, row, given, regions)
                at = DataRow(place, (), values=row)
                empty = {name for name in empty if at.value(name) in (None, "")}
    log.empty_columns = tuple(sorted(empty))
    log.requests = [scores.of(one) for one in log.requests]
    return log


class _Scores:
    """What scores in rows of their own say of requests: bad ratings and better answers."""

    def __init__(self, low: float, regions: Sequence[str]) -> None:
        self._low, self._regions = low, regions
        self._bad: set[str] = set()
        self._better: dict[str, str] = {}

    def add(self, about: str, row: Mapping[str, Any]) -> None:
        if better := correction_of(row):
            self._better[about] = Redactor(self._regions).text(better)
        elif _is_bad(row.get("value"), self._low):
            self._bad.add(about)

    def of(self, request: LoggedRequest) -> LoggedRequest:
        better = next((self._better[one] for one in request.ids if one in self._better), "")
        bad = not self._bad.isdisjoint(request.ids)
        if better.strip() == request.answer.strip():
            better = ""
        return replace(
            request,
            rated_down=request.rated_down or bad,
            correction=request.correction or better,
        )


def _take(
    log: Log,
    form: Form,
    place: str,
    row: Mapping[str, Any],
    columns: Columns,
    regions: Sequence[str],
) -> None:
    bad = form.name == "kto" and labelled(row) is False
    found = read_samples(form, place, {**row, "label": True} if bad else row)
    if isinstance(found, Rejected):
        _reject(log, replace(found, why=Redactor(regions).text(found.why), row=None))
        return
    log.skipped += not found
    for sample in found:
        log.requests.append(_request(place, row, sample, columns, Redactor(regions), bad=bad))


def _reject(log: Log, one: Rejected) -> None:
    log.rejected[one.why] += 1
    log.first_rejected = log.first_rejected or one


def _request(
    place: str,
    row: Mapping[str, Any],
    sample: Sample,
    columns: Columns,
    clean: Redactor,
    *,
    bad: bool,
) -> LoggedRequest:
    at = DataRow(place, (), values=row)
    answer = sample.answers[0] if sample.answers else ""
    corrected = at.value(columns.correction) if columns.correction else None
    correction = corrected if isinstance(corrected, str) else ""
    if sample.rejected is not None:  # the preferred answer is the better one
        answer, correction = sample.rejected, answer
    if correction.strip() == answer.strip():
        correction = ""
    turns = [(turn.role, clean.text(turn.content)) for turn in sample.messages]
    if answer:
        turns.append(("assistant", clean.text(answer)))
    user = at.value(columns.user) if columns.user else None
    rating = at.value(columns.rating) if columns.rating else None
    return LoggedRequest(
        place=place,
        turns=tuple((str(role), text) for role, text in turns),
        user="" if user is None else str(user),
        ids=ids(row),
        correction=clean.text(correction),
        rated_down=bad or _is_bad(rating, columns.low),
    )


def _is_bad(value: Any, low: float) -> bool:
    if value is None or value == "":
        return False
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        if value.strip().casefold() in _BAD:
            return True
        try:
            value = float(value)
        except ValueError:
            return False
    return isinstance(value, int | float) and value <= low


def users(requests: Sequence[LoggedRequest]) -> Iterator[str]:
    """Whose each request is: what is nobody's is somebody's of its own."""
    for number, one in enumerate(requests):
        yield f"user {one.user}" if one.user else f"request {number}"
