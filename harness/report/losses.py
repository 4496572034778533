"""What a candidate has lost, in words: by how much, in which cases, with examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from harness.records.comparison import ComparisonRecord, PairedCase
from harness.records.metric import SHARE
from harness.records.rule import kind_of
from harness.records.verdict import Outcome, RuleResult, SliceResult, Verdict
from harness.report import formats
from harness.visible_text import one_line

EXAMPLES = 3
_TAGS = 5
_TEXT = 90
REMEDY = "a lower learning rate, rehearsal data, fewer steps or a smaller rank: docs/forgetting.md"


@dataclass(frozen=True, slots=True)
class Example:
    """A case that the candidate answers worse: its path, question, and both answers."""

    path: str
    repeat: int
    question: str
    candidate: str
    baseline: str


@dataclass(frozen=True, slots=True)
class Loss:
    """A metric, or a slice of one, that is worse than the policy allows.

    `cases` says how many cases are worse, `tags` which of several tags they have most.
    """

    name: str
    amount: str
    cases: str
    tags: str
    examples: tuple[Example, ...]


def losses(verdict: Verdict, comparison: ComparisonRecord) -> tuple[Loss, ...]:
    """The losses that made rules fail, in the rules' order, the worst slice first."""
    return tuple(loss for rule in verdict.rules for loss in _losses_of(rule, comparison))


def _losses_of(rule: RuleResult, comparison: ComparisonRecord) -> Iterator[Loss]:
    kind = kind_of(rule)
    # Rules that fail by a loss are those for which failing is the false alarm.
    if rule.outcome != "fail" or kind.false_alarm != "fail" or kind.scale != "difference":
        return
    if rule.slices:
        for one in rule.slices:
            if one.outcome == "fail":
                yield _loss(one, one.name, _pairs(comparison, one.metric, one.tag), one.tag or "")
    elif rule.metric in comparison.metrics:
        yield _loss(rule, rule.metric, _pairs(comparison, rule.metric, None), "")


def _pairs(comparison: ComparisonRecord, metric: str, tag: str | None) -> list[PairedCase]:
    place = metric.rpartition(".")[0]
    return [
        case
        for case in comparison.cases
        if f"{case.suite}.{case.section}" == place and (tag is None or tag in case.tags)
    ]


def _loss(found: RuleResult | SliceResult, name: str, pairs: list[PairedCase], tag: str) -> Loss:
    lost = [case for case in pairs if case.change in ("new_failure", "worse")]
    had = [case for case in pairs if case.baseline_score.passed]
    if had and all(case.change == "new_failure" for case in lost):
        cases = f"{len(lost):,} of {len(had):,} that the baseline answers right are wrong"
    else:
        cases = f"{len(lost):,} of {len(pairs):,} are worse"
    unit = formats.unit_named((found.definition or SHARE).unit)
    return Loss(
        name=one_line(name, 120),
        amount=(f"{unit.value(found.baseline)} → {unit.value(found.candidate)}, {_numbers(found)}"),
        cases=cases,
        tags=_tags(lost, pairs, tag),
        examples=tuple(_example(case) for case in lost[:EXAMPLES]),
    )


def _tags(lost: list[PairedCase], pairs: list[PairedCase], own: str) -> str:
    """The tags that most lost cases have, with how many of all they are; of one tag nothing."""
    all_of = Counter(tag for case in pairs for tag in case.tags if tag != own)
    most = Counter(tag for case in lost for tag in case.tags if tag != own).most_common(_TAGS)
    if len(all_of) < 2:
        return ""
    return ", ".join(f"{one_line(tag, 60)} {count:,} of {all_of[tag]:,}" for tag, count in most)


def _example(case: PairedCase) -> Example:
    return Example(
        path=case.path,
        repeat=case.repeat,
        question=one_line(case.messages[-1].content, _TEXT),
        candidate=one_line(case.candidate_attempt.text or "no answer", _TEXT),
        baseline=one_line(case.baseline_attempt.text or "no answer", _TEXT),
    )


def _numbers(found: RuleResult | SliceResult) -> str:
    form = formats.unit_named((found.definition or SHARE).unit).difference
    return f"{form(found.estimate)} ({formats.interval(found.ci_low, found.ci_high, form)})"


def slice_numbers(found: SliceResult) -> str:
    """A slice's difference with its own interval."""
    return _numbers(found)


def joint_numbers(found: SliceResult) -> str:
    """The bounds of a slice that hold for all slices at once."""
    form = formats.unit_named((found.definition or SHARE).unit).difference
    return formats.interval(found.joint_low, found.joint_high, form)


def slices_note(rule: RuleResult) -> str:
    """How many slices came out how, in one sentence."""
    counts = Counter(one.outcome for one in rule.slices or ())
    words: dict[Outcome, str] = {
        "fail": "lost more than the margin",
        "inconclusive": "unclear",
        "pass": "kept",
    }
    return ", ".join(f"{counts[key]} {said}" for key, said in words.items() if counts[key])
