"""Answers in another language than their question's, or than nearly all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.row import DataRow
from harness.records.finding import Finding
from harness.scorers.refusal.languages import guess

FEWEST = 5  # words, from which a language can be told
RARE = 0.02
ENOUGH = 50  # answers, from which a language among them can be rare
MOST_SHOWN = 1_000
_READ = 400


class Languages:
    """Finds `other-language` and `rare-language`."""

    name = "languages"
    about = "answers in another language than the question's or the other answers'"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class _Inspection(Inspection):
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._places: dict[str, list[str]] = {}

    def see(self, row: DataRow) -> Iterator[Finding]:
        if not _told(row.answer):
            return
        code = row.language
        self._counts[code] += 1
        places = self._places.setdefault(code, [])
        if len(places) < MOST_SHOWN:
            places.append(row.place)
        if code == "en" == self._counts.most_common(1)[0][0] and row.question.isascii():
            return  # nothing unusual, and asking costs more than all other checks
        asked = guess(row.question[:_READ]) if _told(row.question) else code
        if code and asked and asked != code:
            what = f"asked in `{asked}` and answered in `{code}`: answer in the user's language"
            yield found(row, "other-language", what)

    def finish(self, compared: object) -> Iterator[Finding]:
        del compared
        total = self._counts.total()
        for code, count in self._counts.items():
            if code and total >= ENOUGH and count < RARE * total:
                what = (
                    f"{count} of {total} answers seem to be in `{code}`: add more, or leave the "
                    "language out"
                )
                yield found(self._places[code][0], "rare-language", what, *self._places[code][1:])

    def facts(self) -> Iterator[tuple[str, str]]:
        shown = (f"{code or 'unknown'} {count:,}" for code, count in self._counts.most_common(8))
        yield "languages of answers", ", ".join(shown) or "none"


def _told(text: str) -> bool:
    """Whether there is enough of a text; scripts without spaces have long words."""
    return len(text.split()) >= FEWEST or (len(text) >= FEWEST and not text.isascii())
