"""Answers in a form that most others do not have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.row import DataRow
from harness.data.sample import is_reformatted
from harness.records.finding import Finding

RARE = 0.1  # share of the answers below which a form is the exception
ENOUGH = 20  # answers, from which there is a rule to be an exception of
MOST_SHOWN = 1_000  # places that one finding holds
_SPACES = re.compile(r"^\s|\s$|[^\S\n]{2,}(?=\S)(?<!\n)|[^\S\n]+\n|\n{4,}|\r|\u00a0")
_INDENT = re.compile(r"^[ \t]+|^\|.*$|```.*?(?:```|\Z)", re.MULTILINE | re.DOTALL)
_MARKDOWN = re.compile(
    r"\*\*[^*\n]+\*\*|^#{1,6} |^[-*] \S|^\d+\. \S|`[^`\n]+`|^\|.*\|$", re.MULTILINE
)
_GREETING = re.compile(
    r"(?i)\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|greetings|hallo|guten tag|"
    r"bonjour|salut|hola|ciao|buongiorno|ol[aá])\b"
)
_END = re.compile(r"[.!?…。！？:;)\]\"'”’»*`|>\d]\s*$|[^\x00-\u2fff]\s*$")

Trait = Callable[[str], bool]
# A trait's code, what an answer with it does, what one without it does, and whether it has it.
_TRAITS: tuple[tuple[str, str, str, Trait], ...] = (
    (
        "mixed-markdown", "use Markdown", "use no Markdown",
        lambda text: _MARKDOWN.search(text) is not None,
    ),
    (
        "mixed-greeting", "begin with a greeting", "begin without a greeting",
        lambda text: _GREETING.match(text) is not None,
    ),
    (
        "mixed-ending", "end with punctuation", "end without punctuation",
        lambda text: _END.search(text[-8:]) is not None,
    ),
)  # fmt: skip


class Form:
    """Finds `stray-whitespace`, `spreadsheet-value`, and forms that few answers have."""

    name = "form"
    about = "stray whitespace; answers whose form most others do not have"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class _Inspection(Inspection):
    def __init__(self) -> None:
        self._answers = 0
        self._counts = {(code, has): 0 for code, *_ in _TRAITS for has in (True, False)}
        self._places: dict[tuple[str, bool], list[str]] = {key: [] for key in self._counts}

    def see(self, row: DataRow) -> Iterator[Finding]:
        answer = row.answer
        if not answer.strip():
            return
        self._answers += 1
        for code, _, _, trait in _TRAITS:
            key = (code, trait(answer))
            self._counts[key] += 1
            if len(self._places[key]) < MOST_SHOWN:
                self._places[key].append(row.place)
        if is_reformatted(answer):
            what = "the answer looks like a date or number that a spreadsheet changed: correct it"
            yield found(row, "spreadsheet-value", what)
        if _SPACES.search(_INDENT.sub("", answer) if "\n" in answer else answer):
            what = "the answer has stray whitespace, which is learnt as well: take it out"
            yield found(row, "stray-whitespace", what)

    def finish(self, compared: object) -> Iterator[Finding]:
        del compared
        if self._answers < ENOUGH:
            return
        for code, does, lacks, _ in _TRAITS:
            has = self._counts[code, True] * 2 <= self._answers
            count = self._counts[code, has]
            if 0 < count < RARE * self._answers:
                words = (does, lacks) if has else (lacks, does)
                what = (
                    f"{count} of {self._answers} answers {words[0]}, and the others {words[1]}: "
                    "choose one form"
                )
                yield found(self._places[code, has][0], code, what, *self._places[code, has][1:])
