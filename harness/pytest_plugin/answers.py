"""Answers: what a run says of each case, looked up by its path."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from harness.records.attempt import Attempt
from harness.records.run import Run
from harness.records.score import Score
from harness.storage import RunFolder


@dataclass(frozen=True, slots=True)
class Answers:
    """The scores of a run by case, repeat after repeat; an attempt is read when it is asked for."""

    target: str
    scores: Mapping[str, tuple[Score, ...]]
    attempts: Mapping[str, Attempt]

    def of(self, case: str) -> tuple[Score, ...]:
        """The scores of a case, none where it was not asked."""
        return self.scores.get(case, ())

    def attempt(self, score: Score) -> Attempt:
        """The attempt that was scored."""
        return self.attempts[score.key]


def stored_answers(folder: RunFolder) -> Answers:
    """The answers of a finished run.

    Raises:
        EvidenceError: there is none, or it is not as it was when it was finished.
    """
    run = folder.load()
    recorded = {one.attempt.key: one.attempt for one in run.recorded}
    attempts = ChainMap(recorded, cast("dict[str, Attempt]", folder.attempts()))
    return Answers(run.header.target, _by_case(run.scores), attempts)


def held_answers(run: Run, name: str) -> Answers:
    """The answers of a run that no folder holds, under a name of its own."""
    return Answers(name, _by_case(run.scores), {one.key: one for one in run.attempts})


def _by_case(scores: Iterable[Score]) -> dict[str, tuple[Score, ...]]:
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for score in scores:
        found[score.path].append(score)
    return {
        path: tuple(sorted(several, key=lambda one: one.repeat)) for path, several in found.items()
    }
