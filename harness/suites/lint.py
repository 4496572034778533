"""Warnings about a suite: findings that are no errors but weaken the evidence it gives."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from harness.files import digest_json
from harness.records.suite import Section, Suite

FEW_GROUPS = 8
LOPSIDED = 3.0  # times the mean: what a group may have before it widens every interval


def lint_suite(suite: Suite) -> tuple[str, ...]:
    """Warnings about a valid suite, one sentence each."""
    found = [
        warning for section in suite.sections if section.cases for warning in _lint_section(section)
    ]
    if not any(case.critical for _, case in suite.cases()):
        found.append("no case is critical: the rule no_new_critical_failures has nothing to watch")
    return tuple(f"{suite.name}: {warning}" for warning in found)


def _lint_section(section: Section) -> Iterator[str]:
    groups = Counter(case.group for case in section.cases)
    if len(groups) < FEW_GROUPS:
        yield (
            f"{section.name}: {len(groups)} group{'s' if len(groups) > 1 else ''} only; "
            f"below {FEW_GROUPS} nearly every comparison is inconclusive"
        )
    largest, count = groups.most_common(1)[0]
    mean = len(section.cases) / len(groups)
    if len(groups) >= FEW_GROUPS and count > LOPSIDED * mean:
        yield (
            f"{section.name}: group `{largest}` has {count} cases, {mean:.1f} is the mean; "
            "intervals allow for another one as large, so split it or thin it out"
        )
    for (first, group), (second, other) in _same(section):
        yield (
            f"{section.name}: `{first}` and `{second}` ask the same"
            + (" and count as independent: give them one group" if group != other else "")
        )


def _same(section: Section) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """The first two cases, by id and group, of each conversation that stands there twice."""
    asked: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for case in section.cases:
        turns = [[turn.role, turn.content.strip()] for turn in case.messages]
        same = asked[digest_json(turns)]
        if len(same) < 2:
            same.append((case.id, case.group))
    for same in asked.values():
        if len(same) > 1:
            yield same[0], same[1]
