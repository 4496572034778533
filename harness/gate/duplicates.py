"""Cases that ask the same question count as one group, whatever the suite's file says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.records.comparison import ComparisonRecord
from harness.records.suite import Suite
from harness.records.verdict import EvidenceWarning
from harness.suites.independence import independent_groups

EXAMPLES = 5
Merged = Mapping[str, Mapping[str, str]]


def merged_groups(suites: Sequence[Suite]) -> Merged:
    """By `suite.section`, the groups that belong to another one, and which that is."""
    found = {
        f"{suite.name}.{section.name}": independent_groups(section.cases)
        for suite in suites
        for section in suite.sections
        if section.cases
    }
    return {place: groups for place, groups in found.items() if groups}


def duplicate_warnings(comparison: ComparisonRecord) -> Iterator[EvidenceWarning]:
    """What was made one group, by section, with cases of the groups that were larger in name."""
    for place, groups in comparison.merged.items():
        firsts = set(groups.values())
        cases = (
            case.path
            for case in comparison.cases
            if f"{case.suite}.{case.section}" == place and case.group in firsts
        )
        names = ", ".join(f"`{other}` asks what `{first}` asks" for other, first in groups.items())
        listed = names if len(groups) <= EXAMPLES else f"{_first(groups)} and others"
        noun = "group" if len(firsts) == 1 else "groups"
        yield EvidenceWarning(
            code="near-duplicates",
            place=place,
            what=(
                f"{len(groups) + len(firsts)} groups ask nearly the same as each other and count "
                f"as {len(firsts)} {noun}: {listed}"
            ),
            cases=tuple(dict.fromkeys(cases))[:EXAMPLES],
        )


def _first(groups: Mapping[str, str]) -> str:
    other, first = next(iter(groups.items()))
    return f"`{other}` asks what `{first}` asks"
