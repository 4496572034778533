"""Signs that what measures candidate and baseline is not neutral between them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from harness import stats
from harness.gate.retries import EXAMPLES, NOTABLE, retry_warnings
from harness.records.attempt import UNDETERMINED, Attempt
from harness.records.comparison import ComparisonRecord, PairedCase, PairedMetric
from harness.records.rule import Policy, Rule
from harness.records.verdict import EvidenceWarning
from harness.sections.evidence import LABELS

LONGER = 1.5  # times: differences in length beyond it favour one side of many a scorer
_SPECIAL = re.compile(
    r"<\|[a-z_]{2,30}\|>|</?think(?:ing)?>|\[/?INST\]|</?s>|<eos>|<pad>|<unk>"
    r"|<(?:start|end)_of_turn>|◁/?think▷",
    re.IGNORECASE,
)
Sign = Callable[[PairedCase, bool], bool]  # whether a side's answer has it; true: the candidate's


def warnings_of(comparison: ComparisonRecord, policy: Policy) -> tuple[EvidenceWarning, ...]:
    """What may favour one side, by section, then by metric, with examples."""
    sections: defaultdict[str, list[PairedCase]] = defaultdict(list)
    for case in comparison.cases:
        if "failed" not in (case.candidate_attempt.state, case.baseline_attempt.state):
            sections[f"{case.suite}.{case.section}"].append(case)
    found: list[EvidenceWarning] = []
    by_people = {
        ".".join(one.place) for one in comparison.candidate.taken if LABELS in one.rests_on
    }
    for name, cases in sections.items():
        if name not in by_people:
            found += _lengths(name, cases)
        found += [*_shares(name, cases, policy.alpha), *_marks(name, cases)]
    found += retry_warnings(comparison.cases)
    ruled: defaultdict[str | None, list[Rule]] = defaultdict(list)
    for rule in policy.rules:
        if rule.scale != "value":
            ruled[rule.metric_name].append(rule)
    for metric, rules in ruled.items():
        if metric in comparison.metrics:
            found += _at_an_end(comparison.metrics[metric], rules)
    return tuple(found)


def _attempt(case: PairedCase, ours: bool) -> Attempt:
    return case.candidate_attempt if ours else case.baseline_attempt


def _lengths(section: str, cases: Sequence[PairedCase]) -> Iterator[EvidenceWarning]:
    """A mean length of one side that is more than half above the other's, in characters."""
    lengths = np.array([[len(_attempt(case, side).text or "") for side in (True, False)]
                        for case in cases], dtype=np.float64)  # fmt: skip
    ours, theirs = lengths.mean(axis=0)
    if min(ours, theirs) > 0 and max(ours, theirs) > LONGER * min(ours, theirs):
        widest = np.argsort(-np.abs(lengths[:, 0] - lengths[:, 1]), kind="stable")
        yield EvidenceWarning(
            code="length",
            place=section,
            what=(
                f"the candidate's answers have {ours:.0f} characters on average, the baseline's "
                f"{theirs:.0f}: a scorer that depends on length favours one side"
            ),
            cases=tuple(cases[place].path for place in widest[:EXAMPLES]),
        )


SIGNS: tuple[tuple[str, str, Sign], ...] = (
    ("cut-off", "cut off", lambda case, ours: _attempt(case, ours).state == "truncated"),
    ("filtered", "stopped by a content filter",
     lambda case, ours: _attempt(case, ours).state == "filtered"),
    ("empty", "empty", lambda case, ours: _attempt(case, ours).state == "empty"),
    ("undetermined", "undetermined",
     lambda case, ours: (case.candidate_score if ours else case.baseline_score).label
     == UNDETERMINED),
)  # fmt: skip


def _shares(section: str, cases: Sequence[PairedCase], alpha: float) -> Iterator[EvidenceWarning]:
    """Kinds of answer that one side gives more often than the other, beyond chance."""
    groups = np.array([case.group for case in cases], dtype=np.str_)
    for code, words, sign in SIGNS:
        ours, theirs = (
            np.array([sign(case, side) for case in cases], dtype=np.float64)
            for side in (True, False)
        )
        if abs(ours.mean() - theirs.mean()) <= NOTABLE or len(set(groups)) < 2:
            continue
        difference = stats.paired_difference(ours, theirs, groups, alpha=alpha)
        if difference.low <= 0.0 <= difference.high:
            continue
        yield EvidenceWarning(
            code=code,
            place=section,
            what=(
                f"{100 * ours.mean():.1f} % of the candidate's answers are {words}, "
                f"{100 * theirs.mean():.1f} % of the baseline's"
            ),
            cases=_paths(case for case, one, other in zip(cases, ours, theirs, strict=True)
                         if one != other),
        )  # fmt: skip


def _marks(section: str, cases: Sequence[PairedCase]) -> Iterator[EvidenceWarning]:
    """Special tokens that stand in answers as text."""
    seen: defaultdict[str, list[PairedCase]] = defaultdict(list)
    for case in cases:
        for who, attempt in (
            ("candidate", case.candidate_attempt), ("baseline", case.baseline_attempt)
        ):  # fmt: skip
            if mark := _SPECIAL.search(attempt.text or ""):
                seen[f"`{mark[0]}` stands in {{}} of the {who}'s answers"].append(case)
    for words, holding in seen.items():
        yield EvidenceWarning(
            code="special-token",
            place=section,
            what=f"{words.format(len(holding))}: the chat template or the stop tokens are wrong",
            cases=_paths(holding),
        )


def _at_an_end(metric: PairedMetric, rules: Sequence[Rule]) -> Iterator[EvidenceWarning]:
    """A baseline that has the worst or the best value that there is, by the rules on the metric."""
    value, definition = metric.baseline_value, metric.metric
    worst, best = definition.low, definition.high
    if definition.lower_is_better:
        worst, best = best, worst
    if value is None or value not in (worst, best):
        return
    if value == best:
        what = "the baseline has the best possible value: no candidate can be better"
    else:
        # Rules that fail by a loss are those for which failing is the false alarm.
        lost = next((rule.require for rule in rules if rule.false_alarm == "fail"), None)
        means = f"the rule `{lost}` cannot fail" if lost else "being better than it says little"
        what = f"the baseline has the worst possible value, so {means}"
    code = "floor" if value == worst else "ceiling"
    yield EvidenceWarning(code=code, place=metric.name, what=what)


def _paths(cases: Sequence[PairedCase] | Iterator[PairedCase]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(case.path for case in cases))[:EXAMPLES]
