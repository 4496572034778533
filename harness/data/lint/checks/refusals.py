"""Refusals where none belong, by the rules of the scorer `scope`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.pairs import Compared
from harness.data.lint.row import DataRow
from harness.records.finding import Finding
from harness.scorers.refusal import decide

FEW = 0.01  # share of all answers that teaches no habit of refusing
ENOUGH = 50
# Every English refusal has one of these; reading all answers closely takes ten times as long.
_MAYBE = re.compile(
    r"(?i)n['’]t\b|\b(?:not|no|never|cannot|unable|sorry|afraid|apologi[sz]e|unfortunately|only|"
    r"outside|beyond|decline|refuse|against|instead|regret|scope|restricted|limited|without)\b"
)
_READ = 1_500  # characters of an answer


class Refusals:
    """Finds `refusal`."""

    name = "refusals"
    about = "refusals of what other conversations answer, or too few to be meant"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class RefusalReader:
    """Tells refusals from answers; the same answer is read once."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def refuses(self, row: DataRow) -> bool:
        """Whether the last answer of the conversation is a refusal."""
        answer = row.answer[:_READ]
        if row.language in ("en", "") and not _MAYBE.search(answer):
            return False
        if answer not in self._known:  # refusals are often all the same
            outcome, _ = decide(row.question[:_READ], answer, language=row.language or None)
            if len(self._known) >= 10_000:
                self._known.clear()
            self._known[answer] = outcome == "refused"
        return self._known[answer]


class _Inspection(Inspection):
    def __init__(self) -> None:
        self._refused: dict[str, str] = {}  # the places of refusals, with their groups
        self._answered: set[int] = set()  # digests of groups in which something is answered
        self._seen = 0
        self._reader = RefusalReader()

    def see(self, row: DataRow) -> Iterator[Finding]:
        if row.answer.strip():
            self._seen += 1
            if self._reader.refuses(row):
                self._refused[row.place] = row.group
            elif row.group:
                self._answered.add(hash(row.group))
        return iter(())

    def finish(self, compared: Compared) -> Iterator[Finding]:
        told: set[str] = set()
        for pair in compared.pairs:
            places = compared.places[pair.first], compared.places[pair.second]
            refused = [place for place in places if place in self._refused]
            if pair.same and len(refused) == 1 and refused[0] not in told:
                told.add(refused[0])
                other = places[places[0] == refused[0]]
                what = f"refuses what {other} answers: answer it, or take the other one out"
                yield found(refused[0], "refusal", what, other)
        few = self._seen >= ENOUGH and len(self._refused) < FEW * self._seen
        for place, group in self._refused.items():
            if place in told:
                continue
            if group and hash(group) in self._answered:
                what = "refuses, and others of its group answer: is it in scope?"
                yield found(place, "refusal", what)
            elif few:
                what = (
                    f"is one of {len(self._refused)} refusals among {self._seen} answers: answer "
                    "it, or add more of what must be refused"
                )
                yield found(place, "refusal", what)

    def facts(self) -> Iterator[tuple[str, str]]:
        yield "refusals", f"{len(self._refused):,} of {self._seen:,} answers"
