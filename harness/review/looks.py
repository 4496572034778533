"""Where a look by people is worth most, and how many of such groups an audit draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.records.attempt import UNDETERMINED, Score
from harness.records.run import RunRecord
from harness.records.suite import Section, Suite
from harness.sections.judge.signs import NOISE, ORDER

UNDECIDED = "undecided"
DISAGREE = "scorers disagree"
UNSTEADY = "the judge was unsteady"
DIFFER = "the sides differ"

# How much more often such a group is drawn than another. More would make the others, which are the
# most, count for so much that one of them could move the bounds: `benchmarks.audit_quality`.
_MORE_OFTEN = 2.0
_FEWEST = 2  # of either sort, where there are so many


def worth_a_look(suite: Suite, section: Section, runs: Sequence[RunRecord]) -> dict[str, str]:
    """Why the section's cases are worth a look, by case; those that are not are left out.

    That is so where an answer was not scored or is undetermined, another section's scorer decided
    otherwise on the same answer, the judge contradicted itself, or the sides' scores differ.
    """
    found: dict[str, str] = {}
    values: defaultdict[tuple[str, int], set[float | None]] = defaultdict(set)
    place = suite.name, section.name
    for run in runs:
        others = _decisions(suite, section, run)
        texts = {(one.place, one.case, one.repeat): one.text for one in run.attempts}
        prompts = {case.id: case.messages for case in section.cases}
        for score in run.scores:
            if score.place != place or score.case not in prompts:
                continue
            values[score.case, score.repeat].add(score.value)
            answer = prompts[score.case], texts.get((place, score.case, score.repeat))
            why = _why(score, others.get(answer, ()))
            if why:
                found.setdefault(score.case, why)
    for (case, _), seen in values.items():
        if len(seen) > 1:
            found.setdefault(case, DIFFER)
    return found


def allocate(worth: int, others: int, count: int) -> tuple[int, int]:
    """How many to draw of the groups that are worth a look and of the others, about `count` in all.

    At least two of either, where there are so many: nothing is known of groups never drawn.
    """
    weight = _MORE_OFTEN * worth
    wanted = round(count * weight / (weight + others)) if worth else 0
    of_worth = min(worth, max(wanted, _FEWEST))
    of_others = min(others, max(count - of_worth, _FEWEST))
    return min(worth, max(of_worth, count - of_others)), of_others


def _why(score: Score, decisions: Iterable[bool]) -> str:
    if score.status != "scored" or score.label == UNDETERMINED:
        return UNDECIDED
    if score.passed is not None and any(each != score.passed for each in decisions):
        return DISAGREE
    if any(score.terms[name].num > 0.0 for name in (NOISE, ORDER) if name in score.terms):
        return UNSTEADY
    return ""


def _decisions(
    suite: Suite, section: Section, run: RunRecord
) -> Mapping[tuple[object, str | None], list[bool]]:
    """What the scorers of other sections decided, by the question and the answer's text."""
    found: defaultdict[tuple[object, str | None], list[bool]] = defaultdict(list)
    texts = {(one.place, one.case, one.repeat): one.text for one in run.attempts}
    prompts = dict(_prompts(suite, section))
    for score in run.scores:
        asked = prompts.get((score.place, score.case))
        if asked is not None and score.passed is not None:
            text = texts.get((score.place, score.case, score.repeat))
            found[asked, text].append(score.passed)
    return found


def _prompts(
    suite: Suite, without: Section
) -> Iterator[tuple[tuple[tuple[str, str], str], object]]:
    for section in suite.sections:
        if section.name != without.name:
            for case in section.cases:
                yield ((suite.name, section.name), case.id), case.messages
