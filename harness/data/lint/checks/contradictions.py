"""The same question with answers that do not agree."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.pairs import Compared
from harness.leak.vocabulary import FUNCTION
from harness.records.finding import Finding

UNLIKE = 0.4  # of the shorter answer's words that say something, how many the other must have
_YES, _NO = frozenset({"yes", "ja", "oui", "si"}), frozenset({"no", "nein", "non", "not", "nope"})


class Contradictions:
    """Finds `contradiction`."""

    name = "contradictions"
    about = "the same question with answers that do not agree"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class _Inspection(Inspection):
    def finish(self, compared: Compared) -> Iterator[Finding]:
        told: set[int] = set()
        for pair in compared.pairs:
            if not pair.same or pair.second in told:
                continue
            why = disagreement(compared.answer(pair.first), compared.answer(pair.second))
            if why:
                told.add(pair.second)
                place = compared.places[pair.first]
                what = f"asks the same as {place}, and {why}: keep the right answer"
                yield found(compared.places[pair.second], "contradiction", what, place)


def disagreement(one: set[str], other: set[str]) -> str:
    """Why two answers, given as their words, cannot both be right; empty where they may."""
    ours, theirs = one - FUNCTION, other - FUNCTION
    if not ours or not theirs:
        return ""
    mine = {word for word in ours if any(map(str.isdigit, word))}
    yours = {word for word in theirs if any(map(str.isdigit, word))}
    if mine and yours and not (mine <= yours or yours <= mine):
        return "gives other numbers"
    if (one & _YES and other & _NO and not one & _NO) or (
        other & _YES and one & _NO and not other & _NO
    ):
        return "one says yes and the other no"
    if len(ours & theirs) < UNLIKE * min(len(ours), len(theirs)):
        return "answers something else"
    return ""
