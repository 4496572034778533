"""A section of cases whose answers are judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from harness.records.attempt import Attempt, Score
from harness.records.base import Record
from harness.records.suite import Section
from harness.sections.judge.prompt import FIRST, SECOND, TIE, JudgeRubric, Structured
from harness.sections.judge.signs import signs_of, terms_of_tie
from harness.suites.cases import case_lines

NAME = "judge"
ITSELF = "the baseline, which others are held against"
JUDGED = ("ok", "truncated")  # states of answers that are shown to a judge


class JudgeExpect(Record):
    """What a case gives its judge: a reference answer, where it has one."""

    reference: str | None = Field(default=None, min_length=1)


class JudgeSection(Section):
    """Cases whose answers are judged by the targets that it asks."""

    kind: ClassVar[str] = NAME
    judged_again: ClassVar[tuple[str, str]] = ("answers", "run both sides again with --no-cache")

    rubric: JudgeRubric
    judge_repeats: int
    structured: Structured | None
    cases_file: str

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What a judge may say."""
        return (FIRST, SECOND, TIE) if self.against_baseline else self.rubric.verdicts

    def locate(self, folder: Path, wanted: Collection[str]) -> dict[str, tuple[Path, int | None]]:
        """The line of each wanted case in the file of cases."""
        return dict(case_lines(folder / self.cases_file, wanted))

    def missing(self, place: str) -> tuple[str, str]:
        """What a run without verdicts lacks, and how to get them."""
        if self.against_baseline:
            return f"the judge's verdicts of {place}", "a gate without --stored asks the judge"
        return super().missing(place)

    def as_baseline(self, score: Score) -> Score:
        """A tie with itself, where the section holds targets against the baseline."""
        if not self.against_baseline or score.state not in JUDGED:
            return score
        terms = terms_of_tie(self.metrics[0].name, kin=None)
        update = {"status": "scored", "value": 0.5, "terms": terms, "label": TIE}
        return score.model_copy(update={**update, "reason": ITSELF})

    def rubric_for_people(self) -> tuple[str, dict[str, float]]:
        """The judge's own rubric."""
        rubric = self.rubric
        if self.against_baseline:
            return rubric.criterion, {}
        return rubric.criterion, {rubric.words(one): rubric.value(one) for one in rubric.verdicts}

    def signs(
        self, candidate: Sequence[tuple[Score, Attempt]], baseline: Sequence[tuple[Score, Attempt]]
    ) -> Iterable[tuple[str, str]]:
        """How steady the judge was, and what may have swayed it."""
        return signs_of(candidate, baseline, self.asks, pairwise=self.against_baseline)
