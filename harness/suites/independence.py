"""Which cases of a section are independent, whatever groups its file names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.files import canonical_json
from harness.records.suite import Case
from harness.suites.similar import Question, clusters, shingles


def question(case: Case) -> Question:
    """What a case asks and expects, to be held against others."""
    texts = [turn.content for turn in case.messages]
    # What a simulated user will ask stands in whom it plays.
    role = case.expect.get("user")
    if isinstance(role, dict):
        texts += map(str, role.values())
    return Question(shingles("\n".join(texts)), canonical_json(case.expect))


def independent_groups(cases: Sequence[Case]) -> dict[str, str]:
    """The group of each group that another one's question makes the same, by name.

    Groups one of whose cases asks what a case of another asks, in nearly the same words, are one:
    all of them are called as the first of them in the file. Groups that stand alone are left out.
    """
    firsts = clusters([question(case) for case in cases])
    names = [case.group for case in cases]
    found: dict[str, str] = {}

    def root(name: str) -> str:
        while name in found:
            name = found[name]
        return name

    order = {name: place for place, name in reversed(list(enumerate(names)))}
    for name, first in zip(names, firsts, strict=True):
        one, other = sorted((root(name), root(names[first])), key=order.__getitem__)
        if one != other:
            found[other] = one
    return {name: root(name) for name in found}


def group_sizes(cases: Sequence[Case]) -> Counter[str]:
    """The number of cases in each group, copies of a question in one."""
    merged = independent_groups(cases)
    return Counter(merged.get(case.group, case.group) for case in cases)
