"""Topics that a suite asks about and that few conversations teach."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.pairs import Compared
from harness.data.lint.row import DataRow
from harness.leak.vocabulary import FUNCTION, split_words
from harness.records.finding import Finding
from harness.records.suite import Case, Suite, counted

ENOUGH = 200  # conversations; a common rule of thumb of how many a topic takes to be learnt
FEWEST = 5  # cases with a tag, from which it is a topic of its own
ALIKE = 0.3  # cosine of the words that two questions have, rare words weighing more
LONGEST = 100  # words of a question that are read


class Topics:
    """Finds `few-examples`."""

    name = "topics"
    about = f"topics of a suite with fewer than {ENOUGH} conversations"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection, which says nothing where no suite is known."""
        return _Inspection(settings.suites) if settings.suites else Inspection()


class _Inspection(Inspection):
    def __init__(self, suites: Iterable[Suite]) -> None:
        asked = [
            (f"{suite.name}.{section.name}", case)
            for suite in suites
            for section in suite.sections
            if section.scores_answers
            for case in section.cases
        ]
        self._cases = _Nearest([_words(case.messages[-1].content) for _, case in asked])
        self._topics = _topics(asked)
        self._taught: Counter[int] = Counter()
        self._first = ""

    def see(self, row: DataRow) -> Iterator[Finding]:
        self._first = self._first or row.place
        if row.answer.strip():
            nearest = self._cases.to(_words(row.question))
            if nearest is not None:
                self._taught[nearest] += 1
        return iter(())

    def finish(self, compared: Compared) -> Iterator[Finding]:
        del compared
        for topic, cases in self._topics.items():
            taught = sum(self._taught[case] for case in cases)
            if taught < ENOUGH:
                what = (
                    f"`{topic}` has {counted(len(cases), 'case')}, and "
                    f"{counted(taught, 'conversation')} ask anything like them; fewer than "
                    f"{ENOUGH} rarely teach a topic: collect or write more"
                )
                yield found(self._first, "few-examples", what)


def _topics(asked: Iterable[tuple[str, Case]]) -> dict[str, list[int]]:
    """The numbers of the cases of each section, and of each tag that several of its cases have."""
    topics: defaultdict[str, list[int]] = defaultdict(list)
    for number, (section, case) in enumerate(asked):
        topics[section].append(number)
        for tag in case.tags:
            topics[f"{section}: {tag}"].append(number)
    return {
        name: cases for name, cases in topics.items() if ": " not in name or len(cases) >= FEWEST
    }


def _words(text: str) -> set[str]:
    return set(split_words(text)[:LONGEST]) - FUNCTION


class _Nearest:
    """Texts by their words, to find the one that is most like another."""

    def __init__(self, texts: list[set[str]]) -> None:
        held = Counter(word for text in texts for word in text)
        self._weights = {word: math.log(1 + len(texts) / many) for word, many in held.items()}
        self._unknown = math.log(1 + len(texts))
        self._lengths = [self._length(text) for text in texts]
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            for word in text:
                self._holders[word].append(number)

    def _length(self, text: set[str]) -> float:
        return math.sqrt(sum(self._weights.get(word, self._unknown) ** 2 for word in text))

    def to(self, text: set[str]) -> int | None:
        """The number of the text that is most like this one; None where none is like it."""
        common: defaultdict[int, float] = defaultdict(float)
        for word in text & self._weights.keys():
            for number in self._holders[word]:
                common[number] += self._weights[word] ** 2
        if not common:
            return None
        best = max(common, key=lambda number: common[number] / self._lengths[number])
        alike = common[best] / (self._lengths[best] * self._length(text))
        return best if alike >= ALIKE else None
