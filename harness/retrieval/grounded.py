"""Whether an answer rests on the passages it was given: its numbers, its names and its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.scorers.answers import vocabulary
from harness.scorers.answers.numbers import Number, numbers, prepared
from harness.scorers.answers.times import Time, times
from harness.scorers.answers.words import cleaned, read, sentence_ends
from harness.scorers.refusal import decide

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_UNITS = frozenset(vocabulary.UNITS.values())
# Words that claim nothing of what documents say: the small ones, and those of politeness.
_SMALL = vocabulary.FUNCTION | frozenset(
    vocabulary.listed(
        "i am me my we us our you your yours he she him her it they them there here if then than "
        "so too also but just only very more most much many some any all no yes none each every "
        "both other such same can could may might must shall should will would need want get got "
        "make go come take let when where what why how while during after before until within "
        "between about above below up down out off over under again once least old else "
        "everybody everyone anybody anyone somebody someone well back always never "
        "ever like being plus please thank thanks sorry glad happy welcome hello hi dear sure "
        "course certainly apologise apologize help helping assist question questions ask asking "
        "tell call ring write know hear feel free further cost costs pay congratulations"
    )
)


@dataclass(frozen=True, slots=True)
class _Text:
    """What a text says: its figures, those with units, times, addresses, names, other words."""

    figures: frozenset[str]
    quantities: tuple[Number, ...]
    hours: tuple[Time, ...]
    addresses: frozenset[str]
    names: frozenset[str]
    words: frozenset[str]

    @property
    def forms(self) -> frozenset[str]:
        """All words, names among them."""
        return self.names | self.words


def unsupported(question: str, answer: str, passages: Iterable[str]) -> list[str] | None:
    """What of an answer is in none of the passages, empty where the answer is grounded.

    Every number with its unit, every time of day and every address must be in a passage; every
    name in a passage or in the question; and of the other words that say something, as they are or
    without an ending, two thirds in either. None for a refusal without any figure, which claims
    nothing that documents say, and for an answer that has no such word.
    """
    said, asked, known = _read(answer), _read(question), _read("\n".join(passages), known=True)
    facts = said.figures or said.hours or said.addresses
    if not facts and (not said.forms or decide(question, answer)[0] == "refused"):
        return None
    missing = [*_quantities(said, known), *sorted(said.addresses - known.addresses)]
    missing += sorted(_lacking(said.names, known.forms | asked.forms))
    lacking = _lacking(said.words, known.forms | asked.forms)
    if 3 * len(lacking) > len(said.words):
        missing += sorted(lacking)
    return missing


def recall(sources: Iterable[str], passages: Iterable[tuple[str, str]]) -> float:
    """The share of the named sources among the ids and texts of passages.

    A source is a document, `fees.md`; a section of one, `fees.md#refunds`; or words of it.
    """
    given = list(passages)
    named = list(sources)
    return sum(any(_is_of(one, *passage) for passage in given) for one in named) / len(named)


def _is_of(source: str, id_: str, text: str) -> bool:
    if id_ == source or (id_.startswith(source) and id_[len(source)] in "#/"):
        return True
    return " ".join(source.split()) in " ".join(text.split())


def _read(text: str, *, known: bool = False) -> _Text:
    """What a text says; the figures of its times are figures too where they are `known`."""
    addresses = frozenset(match.group().casefold() for match in _ADDRESS.finditer(text))
    text = _ADDRESS.sub(" ", text)
    clean = cleaned(text)
    # Without a figure, `eight to eleven` is no time of day.
    hours = tuple(one for one in times(clean) if re.search(r"\d", clean[one.start : one.end]))
    ends = sentence_ends(clean)
    figures, names, words = set[str](), set[str](), set[str]()
    before = -1
    for word in read(clean):
        begins = before < 0 or any(before <= end <= word.start for end in ends)
        before = word.end
        of_time = any(time.start <= word.start < time.end for time in hours)
        if word.number and (not of_time or known) and clean[word.start : word.end] != "one":
            figures.add(word.form.lstrip("0") or "0")
        elif (
            not of_time
            and not word.number
            and word.form not in _SMALL
            and any(map(str.isalpha, word.form))
        ):
            (names if word.capital and not begins else words).add(word.form)
    return _Text(
        frozenset(figures),
        tuple(numbers(prepared(text))),
        hours,
        addresses,
        frozenset(names),
        frozenset(words),
    )


def _quantities(said: _Text, known: _Text) -> Iterator[str]:
    """The figures and times that are not known, and those that are, of something else."""
    yield from sorted(said.figures - known.figures)
    for number in said.quantities:
        alike = [one for one in known.quantities if number.near(one.values[0], 0.0)]
        units = {one.unit for one in alike} & _UNITS
        if units and number.unit in _UNITS - units:
            yield f"{number.values[0]:g} {number.unit}"
    for time in said.hours:
        if not any(time.minutes & other.minutes for other in known.hours):
            first = min(time.minutes)
            yield f"{first // 60}:{first % 60:02}"


def _lacking(said: frozenset[str], known: frozenset[str]) -> set[str]:
    """The words of which none with the same beginning is known."""
    stems = {_stem(word) for word in known}
    return {word for word in said if _stem(word) not in stems}


def _stem(word: str) -> str:
    """The word without an English ending."""
    for ending in ("ing", "ed", "es", "s", "ment", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word
