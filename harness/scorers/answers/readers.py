"""One reader for each `match`: how an answer has a value, claimed, doubtful or absent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from harness.scorers.answers import doubt, vocabulary
from harness.scorers.answers.claim import final_claim
from harness.scorers.answers.dates import Date, dates, only_date
from harness.scorers.answers.expect import GoldExpect
from harness.scorers.answers.numbers import Number, numbers, prepared, reference_number
from harness.scorers.answers.phrases import LESS, hits
from harness.scorers.answers.polarity import polarity
from harness.scorers.answers.reference import forms_of, phrase
from harness.scorers.answers.text import Text, reading
from harness.scorers.answers.times import times
from harness.scorers.answers.words import cleaned, read
from harness.scorers.patterns import SlowPattern, found


@dataclass(frozen=True, slots=True)
class Held:
    """How an answer has a value, and the words or the reason that tell."""

    state: Literal["claimed", "doubtful", "absent"]
    said: str = ""


class Reader(Protocol):
    """An answer, read in one way; `clean` is its text without markup."""

    clean: str

    def held(self, value: str) -> Held:
        """How the answer has the value."""
        ...


ABSENT = Held("absent")
_LONGEST_QUOTE = 80


class Phrases:
    """`contains`: the words of the value, in any of the ways people write them."""

    def __init__(self, answer: str, question: str, expected: GoldExpect) -> None:
        self.text = reading(answer)
        self.clean = self.text.clean
        self._question = _words(question)
        self._asks_denial = doubt.negative(question)
        self._among = tuple(phrase(value) for value in expected.answers)

    def held(self, value: str) -> Held:
        """How the text has the value; spaces lost and marks glued to words are mended at need."""
        plain = self._in(self.text, value)
        if plain.state == "absent" and self.text.mended is not None:
            return self._in(self.text.mended, value)
        return plain

    def _in(self, text: Text, value: str) -> Held:
        why, doubted = "", set[int]()
        for hit in hits(text, phrase(value), self._question, self._among):
            if hit.start in doubted:
                continue
            quoted = " ".join(text.clean[hit.start : hit.end].split())[:_LONGEST_QUOTE]
            denied = "" if self._asks_denial else doubt.denial(text.clean, hit.start, hit.end)
            if not denied and hit.how not in LESS:
                return Held("claimed", f"`{quoted}`" if hit.how else "")
            doubted.update(range(hit.start, hit.end))
            why = why or (f"{denied}: `{quoted}`" if denied else f"stands as `{quoted}`, {hit.how}")
        return Held("doubtful", why) if why else ABSENT


@lru_cache(maxsize=1024)
def _words(question: str) -> frozenset[str]:
    return frozenset(word.form for word in read(cleaned(question)))


class Exact:
    """`exact`: the answer is the value and nothing else."""

    def __init__(self, answer: str, question: str, expected: GoldExpect) -> None:
        self.clean = cleaned(answer)
        self._text = reading(answer)
        del question, expected

    def held(self, value: str) -> Held:
        """Claimed where the words are the same, or the signs where the value has no words."""
        wanted = phrase(value)
        if wanted.signs:
            return Held("claimed") if "".join(self._text.raw.split()) == wanted.signs else ABSENT
        if wanted.whole is not None:
            same = tuple(word.form for word in self._text.words) == wanted.whole
        else:
            same = bool(wanted.bare) and tuple(w.form for w in self._text.bare) == wanted.bare
        return Held("claimed") if same else ABSENT


class Pattern:
    """`regex`: the pattern is found in the answer as it stands."""

    def __init__(self, answer: str, question: str, expected: GoldExpect) -> None:
        self.clean = ""
        self._answer = answer
        self._slow: SlowPattern | None = None
        self._last = expected.answers[-1] if expected.answers else ""
        del question

    def held(self, value: str) -> Held:
        """Claimed where the pattern is found; a slow one counts only where no other does.

        Raises:
            SlowPattern: the last of the references is not there, and a pattern took too long.
        """
        try:
            if found(value, self._answer) is not None:
                return Held("claimed")
        except SlowPattern as slow:
            self._slow = slow
        if self._slow is not None and value == self._last:
            raise self._slow
        return ABSENT


class Numbers:
    """`number`: the answer's final claim, or any number where the case says `anywhere`."""

    def __init__(self, answer: str, question: str, expected: GoldExpect) -> None:
        self.clean = prepared(answer)
        self._question = question
        self._expected = expected
        years = any(_is_year(value) for value in expected.answers)
        self._all = numbers(self.clean, years)
        self._listed = {*expected.not_, *expected.only} - {*expected.answers}

    def held(self, value: str) -> Held:
        """How the answer claims the number; of `not` and `only`, whether it says it at all."""
        wanted = reference_number(value)
        assert wanted is not None, "checked when the case was read"
        anywhere = self._expected.anywhere or value in self._listed
        if anywhere:
            return self._anywhere(wanted)
        claim = final_claim(self.clean, self._all, self._question, wanted.unit)
        if claim is None:
            return Held("absent", "it holds no number")
        number = claim.number
        words = " ".join(self.clean[number.start : number.end].split())
        said = f"`{words}`"
        if self._same(number, wanted):
            denied = doubt.denial(self.clean, number.start, number.end)
            if not denied and claim.open:
                denied = "stands beside others, and none is marked as the answer"
            return (
                Held("doubtful", denied)
                if denied
                else Held("claimed", said if words != value else "")
            )
        if any(self._same(rival, wanted) for rival in claim.rivals):
            return Held("doubtful", f"stands beside {said}, and neither is marked as the answer")
        for each in self._all:
            if self._same(each, wanted):
                denied = doubt.denial(self.clean, each.start, each.end)
                if denied in {doubt.ASKED, doubt.CORRECTED}:
                    return Held("doubtful", denied)
        return Held("absent", f"{claim.how} claims {said}")

    def _anywhere(self, wanted: Number) -> Held:
        same = [number for number in self._all if self._same(number, wanted)]
        if not same:
            return Held("absent", f"numbers said: {_listed(self._all)}")
        why = [doubt.denial(self.clean, number.start, number.end) for number in same]
        return Held("doubtful", why[0]) if all(why) else Held("claimed")

    def _same(self, number: Number, wanted: Number) -> bool:
        if not number.near(wanted.values[0], self._expected.tolerance):
            return False
        asked = self._expected.unit
        return asked is None or number.unit in {"", _unit(asked)}


def _unit(asked: str) -> str:
    words = forms_of(asked) or (asked,)
    return vocabulary.UNITS.get(words[-1], words[-1])


def _is_year(value: str) -> bool:
    return value.strip().isdigit() and 1000 <= int(value) <= 2100


def _listed(found: list[Number]) -> str:
    return ", ".join(f"{number.values[0]:g}" for number in found[:5]) or "none"


class Dates:
    """`date`: a day, month or year, however it is written."""

    def __init__(self, answer: str, question: str, expected: GoldExpect) -> None:
        self.clean = cleaned(answer)
        self._dates = tuple(dates(self.clean))
        del question, expected

    def held(self, value: str) -> Held:
        """Claimed where a date says all that the value does, the year of a day left out at will."""
        wanted = only_date(cleaned(value))
        assert wanted is not None, "checked when the case was read"
        why = ""
        for date in self._dates:
            if not date.agrees(wanted):
                continue
            enough = date.says_all_of(wanted) or (
                date.day is not None and date.says_all_of(Date(None, wanted.month, wanted.day))
            )
            said = f"`{' '.join(self.clean[date.start : date.end].split())}`"
            denied = doubt.denial(self.clean, date.start, date.end)
            if enough and not denied:
                return Held("claimed", said)
            why = why or denied or f"stands as {said}, which is less exact"
        return Held("doubtful", why) if why else ABSENT


class Times:
    """`time`: a time of day, however it is written."""

    def __init__(self, answer: str, question: str, expected: GoldExpect) -> None:
        self.clean = cleaned(answer)
        self._times = tuple(times(self.clean))
        del question, expected

    def held(self, value: str) -> Held:
        """Claimed where a time can mean the same minute of the day."""
        wanted = next(times(cleaned(value))).minutes
        why = ""
        for time in self._times:
            if time.minutes & wanted:
                denied = doubt.denial(self.clean, time.start, time.end)
                if not denied:
                    words = " ".join(self.clean[time.start : time.end].split())
                    return Held("claimed", f"`{words}`")
                why = why or denied
        return Held("doubtful", why) if why else ABSENT


class YesNo:
    """`yes_no`: what the first sentence says to the question."""

    def __init__(self, answer: str, question: str, expected: GoldExpect) -> None:
        self.clean = ""
        self._said, self._words = polarity(answer, question)
        del expected

    def held(self, value: str) -> Held:
        """Claimed where the answer says so, doubtful where it says neither."""
        if not self._said:
            words = f" (`{self._words}`)" if self._words else ""
            return Held("doubtful", f"is not told: the answer says neither yes nor no{words}")
        same = self._said == value.strip().casefold()
        return Held("claimed" if same else "absent", f"`{self._words}` says {self._said}")


READERS: dict[str, Callable[[str, str, GoldExpect], Reader]] = {
    "contains": Phrases,
    "exact": Exact,
    "regex": Pattern,
    "number": Numbers,
    "date": Dates,
    "time": Times,
    "yes_no": YesNo,
}
