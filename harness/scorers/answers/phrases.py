"""Where an answer holds a reference answer, in any of the ways people write the same fact."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from harness.scorers.answers import vocabulary as voc
from harness.scorers.answers.dates import Date
from harness.scorers.answers.reference import UNQUALIFIED, Phrase
from harness.scorers.answers.text import Text, guarded, line_of
from harness.scorers.answers.words import Word, is_unspaced, parted

COARSE = "a less exact date"
# What is said so is not surely what was asked for: the answer leaves something out.
LESS = frozenset({COARSE, UNQUALIFIED})


@dataclass(frozen=True, slots=True)
class Hit:
    """How a text holds a phrase, and the offsets in the text of the words that do."""

    how: str
    start: int
    end: int


def hits(
    text: Text, wanted: Phrase, question: frozenset[str], among: tuple[Phrase, ...] = ()
) -> Iterator[Hit]:
    """Each place where the text holds the phrase, the plainest way first.

    `among` are all the references of the case: a more exact date among them binds a coarser one.
    """
    if wanted.signs:
        return _signs(text.raw, wanted.signs)
    if wanted.whole is not None:
        return _spots(text.line, text.words, wanted.whole, "")
    if wanted.date is not None:
        exact = [one.date for one in among if one.date and one.date.says_all_of(wanted.date)]
        return _dates(text, wanted, [date for date in exact if date != wanted.date])
    return _worded(text, wanted, question) if wanted.bare else iter(())


def _worded(text: Text, wanted: Phrase, question: frozenset[str]) -> Iterator[Hit]:
    yield from _spots(text.bare_line, text.bare, wanted.bare, "")
    yield from _compounds(text, wanted.bare)
    for name, forms in wanted.variants:
        yield from _spots(text.bare_line, text.bare, forms, name)
    if wanted.place and question & voc.PLACES:
        yield from _spots(text.bare_line, text.bare, wanted.place, "its first place")
    yield from _beyond(text, wanted, question)
    if wanted.parts and all(line_of(part) in text.bare_line for part in wanted.parts):
        yield from _spots(text.bare_line, text.bare, wanted.parts[0], "list")
    if wanted.name:
        yield from _names(text, wanted.name)
    else:
        yield from _scattered(text, wanted.bare, question)


def _beyond(text: Text, wanted: Phrase, question: frozenset[str]) -> Iterator[Hit]:
    """Where the words stand that the question has not said, as a name where they are one."""
    asked = beyond_question(wanted.bare, question)
    named = any(word.capital for word in wanted.words if word.form in asked)
    for hit in _spots(text.bare_line, text.bare, asked, "question") if asked else ():
        if not named or text.clean[hit.start].isupper():
            yield hit


def _dates(text: Text, wanted: Phrase, exact: list[Date]) -> Iterator[Hit]:
    assert wanted.date is not None
    coarse = []
    for date in text.dates:
        if date.says_all_of(wanted.date):
            if not exact or any(date.agrees(other) for other in exact):
                yield Hit("", date.start, date.end)
        elif date.agrees(wanted.date):
            coarse.append(Hit(COARSE, date.start, date.end))
    if wanted.date.month is None and not exact:
        yield from _spots(text.bare_line, text.bare, wanted.bare, "")
    yield from coarse


def _signs(raw: str, signs: str) -> Iterator[Hit]:
    """Where symbols stand as they are, no part of a longer run of symbols (`=` of `==`)."""
    at = raw.find(signs)
    while at >= 0:
        end = at + len(signs)
        if not (_is_sign(raw[at - 1 : at]) or _is_sign(raw[end : end + 1])) or _pictures(signs):
            yield Hit("", at, end)
        at = raw.find(signs, at + 1)


def _is_sign(sign: str) -> bool:
    return bool(sign) and (
        sign in "!#%&*/:@\\-" or (unicodedata.category(sign)[0] == "S" and sign != "`")
    )


def _pictures(signs: str) -> bool:
    return all(unicodedata.category(sign) in {"So", "Mn", "Cf", "Sk"} for sign in signs)


def _spots(line: str, words: list[Word], forms: tuple[str, ...], how: str) -> Iterator[Hit]:
    sought = line_of(forms)
    at = line.find(sought)
    while at >= 0:
        first = line.count(" ", 0, at)
        last = first + len(forms) - 1
        if (first == 0 or parted(words[first - 1], words[first])) and (
            last + 1 == len(words) or parted(words[last], words[last + 1])
        ):
            yield Hit(how, words[first].start, words[last].end)
        at = line.find(sought, at + 1)


def _compounds(text: Text, forms: tuple[str, ...]) -> Iterator[Hit]:
    """Where the same letters are parted otherwise: `bee keeper`, `bee-keeper`, `beekeeper`."""
    plain = "".join(form.rstrip(".") for form in forms)
    if any(sign.isdigit() for sign in plain) and (len(forms) > 2 or not plain.isdigit()):
        yield from _codes(text, plain)
    joined = "".join(map(guarded, forms))
    if len(joined) < 6 or all(len(form) == 1 for form in forms):
        return
    closed, begins = text.closed
    at = closed.find(joined)
    while at >= 0:
        if at in begins and at + len(joined) in begins:
            first, last = begins[at], begins[at + len(joined)] - 1
            yield Hit("compound", text.bare[first].start, text.bare[last].end)
        at = closed.find(joined, at + 1)


def _codes(text: Text, code: str) -> Iterator[Hit]:
    """Where a code or telephone number is parted otherwise: `A-113`, `A113`, `a 113`."""
    if len(code) < 4:
        return
    begins: dict[int, int] = {}
    run = ""
    for place, word in enumerate(text.bare):
        begins[len(run)] = place
        run += word.form.rstrip(".")
    begins[len(run)] = len(text.bare)
    at = run.find(code)
    while at >= 0:
        if at in begins and at + len(code) in begins:
            first, last = begins[at], begins[at + len(code)] - 1
            yield Hit("parted otherwise", text.bare[first].start, text.bare[last].end)
        at = run.find(code, at + 1)


def beyond_question(forms: tuple[str, ...], question: frozenset[str]) -> tuple[str, ...]:
    """The words without what the question has said: a noun at the end, a setting at the start.

    `Volga` of `Volga River` where a river was asked for, `Works Council` of `Lisbon Works Council`
    where Lisbon was named. Nothing where too little remains to be told from other answers; figures
    and single letters are never left out.
    """
    said = voc.FUNCTION | {form for form in question if len(form) > 1 and not form[0].isdigit()}
    first, last = 0, len(forms)
    while last > 1 and forms[last - 1] in said - voc.FUNCTION:
        last -= 1
    if last < len(forms) and forms[last - 1] in voc.FUNCTION:  # `Ann of Rome` is not any `Ann`
        last = len(forms)
    while first < last and forms[first] in voc.FUNCTION:
        first += 1
    within = first
    while within < last and forms[within] in said:
        within += 1
    if last - within >= 2:
        first = within
    kept = forms[first:last]
    if len(kept) == len(forms) or all(form[0].isdigit() or form in said for form in kept):
        return ()
    return kept


def _names(text: Text, name: tuple[Word, ...]) -> Iterator[Hit]:
    """Where first and last name stand with other middle names than wanted, none in conflict."""
    first, middle, last = name[0].form, [word.form for word in name[1:-1]], name[-1].form
    if first not in text.forms or last not in text.forms:
        return
    for place, word in enumerate(text.bare):
        if word.form != first or (place and text.bare[place - 1].form in middle):
            continue
        for beyond in range(place + 1, min(place + 5, len(text.bare))):
            if not text.bare[beyond].capital:
                break
            if text.bare[beyond].form == last:
                between = [each.form for each in text.bare[place + 1 : beyond]]
                if _agree(between, middle):
                    yield Hit("middle names", word.start, text.bare[beyond].end)
                break


def _agree(said: list[str], wanted: list[str]) -> bool:
    """Whether middle names can be those of one person: none said, none wanted, or the same."""
    return (
        not said
        or not wanted
        or all(
            any(
                one == other or (one[0] == other[0] and 1 in (len(one), len(other)))
                for other in wanted
            )
            for one in said
        )
    )


def _scattered(text: Text, forms: tuple[str, ...], question: frozenset[str]) -> Iterator[Hit]:
    """Where all words of the phrase that say something stand near each other in one sentence.

    Figures belong to the words beside them, so that a phrase with figures is not taken apart.
    """
    needed = {
        form
        for form in forms
        if form not in voc.FUNCTION and form not in voc.LEADING and form not in question
    }
    if len(needed) < 2 or not needed <= text.forms or any(map(_inseparable, needed)):
        return
    if not voc.ORDERED.isdisjoint(forms):
        return
    for sentence in text.sentences:
        found = [(place, word) for place, word in enumerate(sentence) if word.form in needed]
        span = _narrowest([(place, word.form) for place, word in found], len(needed))
        if span and span[1] - span[0] < 2 * len(needed) + _GAP:
            between = {word.form for word in sentence[span[0] : span[1]]}
            if between & voc.PARALLEL - set(forms):
                continue
            yield Hit("all its words", sentence[span[0]].start, sentence[span[1]].end)


_GAP = 6


def _inseparable(form: str) -> bool:
    return form[0].isdigit() or is_unspaced(form)


def _narrowest(found: list[tuple[int, str]], kinds: int) -> tuple[int, int] | None:
    """The first and last place of the shortest stretch with all kinds of words, if there is one."""
    best: tuple[int, int] | None = None
    latest: dict[str, int] = {}
    for place, form in found:
        latest[form] = place
        if len(latest) == kinds:
            begun = min(latest.values())
            if best is None or place - begun < best[1] - best[0]:
                best = (begun, place)
    return best
