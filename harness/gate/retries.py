"""Requests that were sent again: on which side, why, and what follows where the sides differ.

Whoever refuses a request knows what it would have answered. Refused until an answer is right, wrong
answers vanish; so an answer that was asked for again more often on one side than on the other is
none that a rule may count on.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from harness import stats
from harness.records.attempt import EARLIER, REPEATED, Attempt
from harness.records.comparison import PairedCase
from harness.records.verdict import EvidenceWarning

ALPHA = 0.05
NOTABLE = 0.01  # one point: a smaller difference between shares is not worth a word
EXAMPLES = 5
# Before a connection stands, a server knows nothing of the question.
_BLIND = frozenset({"connect", f"{EARLIER}connect", f"{REPEATED}connect"})
_REFUSAL = re.compile(r"4(?!08|29)\d\d")
_UNKNOWN = "unknown"  # of an earlier version's attempts only their number is known
_Indicator = npt.NDArray[np.float64]


def without_uneven_retries(cases: tuple[PairedCase, ...]) -> tuple[PairedCase, ...]:
    """The cases, not comparable where a side was asked again and the sides differ beyond chance.

    Those that were asked again on the side that was so more often count; what the sides differ in
    is looked at by section, and over all of them.
    """
    uneven = {id(case) for found in _uneven(cases).values() for case in found}
    if not uneven:
        return cases
    return tuple(
        replace(case, change="not_comparable", excluded=True) if id(case) in uneven else case
        for case in cases
    )


def retry_warnings(cases: Sequence[PairedCase]) -> Iterator[EvidenceWarning]:
    """How many answers of each side were asked for again, and why, by section."""
    uneven = _uneven(cases)
    for name, some in _sections(cases).items():
        sides = [_words(some, ours=side) for side in (True, False)]
        if not any(sides):
            continue
        ours, theirs = (words or "none" for words in sides)
        asked = [case for case in some if _causes(case, True) or _causes(case, False)]
        what = f"asked again: {ours} of the candidate's answers, {theirs} of the baseline's"
        if found := uneven.get(name, ()):
            asked = list(found)
            what += (
                f"; the sides differ beyond chance, so {len(found)} of them count as unscored: "
                "ask again with fewer requests at once (-j, --no-cache)"
            )
        paths = tuple(dict.fromkeys(case.path for case in asked))[:EXAMPLES]
        yield EvidenceWarning(code="retried", place=name, what=what, cases=paths)


def _uneven(cases: Sequence[PairedCase]) -> Mapping[str, Sequence[PairedCase]]:
    """By section, the cases that the side with more of them was asked again for."""
    if not any(_chosen(case, side) for case in cases for side in (True, False)):
        return {}
    sections = _sections(cases)
    overall = _side(cases)
    found: dict[str, Sequence[PairedCase]] = {}
    for name, some in sections.items():
        side = _side(some)
        more = overall if side is None else side
        if more is not None:
            again = [case for case in some if _chosen(case, more)]
            found |= {name: again} if again else {}
    return found


def _side(cases: Sequence[PairedCase]) -> bool | None:
    """The side that was asked again more often beyond chance; true: the candidate's."""
    ours, theirs = (_indicator(cases, side) for side in (True, False))
    groups = np.array([case.group for case in cases], dtype=np.str_)
    if abs(ours.mean() - theirs.mean()) <= NOTABLE or len(set(groups)) < 2:
        return None
    found: Any = stats.paired_difference(ours, theirs, groups, alpha=ALPHA)
    if found.low <= 0.0 <= found.high:
        return None
    return bool(ours.mean() > theirs.mean())


def _indicator(cases: Sequence[PairedCase], ours: bool) -> _Indicator:
    return np.array([_chosen(case, ours) for case in cases], dtype=np.float64)


def _sections(cases: Sequence[PairedCase]) -> dict[str, list[PairedCase]]:
    found: defaultdict[str, list[PairedCase]] = defaultdict(list)
    for case in cases:
        found[f"{case.suite}.{case.section}"].append(case)
    return found


def _causes(case: PairedCase, ours: bool) -> tuple[str, ...]:
    """Why a side's answer was asked for again, as far as a server could have chosen to."""
    return _of(case.candidate_attempt if ours else case.baseline_attempt)


def _of(attempt: Attempt) -> tuple[str, ...]:
    if attempt.status == "failed":
        return ()  # no answer came of it
    told = attempt.retried or (_UNKNOWN,) * (attempt.tries - 1)
    return tuple(cause for cause in told if cause not in _BLIND)


def _chosen(case: PairedCase, ours: bool) -> bool:
    """Whether the answer of a side may be one that was waited for.

    A run that an outage broke and that went on later was not: of what failed in one earlier run,
    only a refusal of the conversation itself counts, which no outage is. What failed again, while
    others were answered, counts whatever the cause.
    """
    return any(
        not cause.startswith(EARLIER) or _REFUSAL.fullmatch(cause.removeprefix(EARLIER))
        for cause in _causes(case, ours)
    )


def _words(cases: Sequence[PairedCase], *, ours: bool) -> str:
    """How many answers, and how often for which cause: `12 (429: 30 times)`."""
    causes = [_causes(case, ours) for case in cases]
    counts = Counter(cause for some in causes for cause in some)
    if not counts:
        return ""
    told = ", ".join(f"{cause}: {count} times" for cause, count in counts.most_common())
    return f"{sum(map(bool, causes))} ({told})"
