"""The list of cases on a page: which are shown at first, and the values of its filters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.report.cases import CaseGroup, CaseText
from harness.report.content import ReportContent

# A browser takes seconds for the elements of many thousand cases. Of a longer list all but the
# first cases of each group stand in `noscript`: markup to a browser that runs no scripts, and to
# one that does a single text, from which the page's script makes the cases that are asked for.
_WHOLE = 1_000
_FIRST = 100
_CHUNK = 200
# A longer list of tags is of no use; rarer ones are found by searching.
_TAGS = 500
_WORST = 5


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group of cases: the first of them, and the rest in chunks."""

    group: CaseGroup
    first: tuple[CaseText, ...]
    rest: tuple[tuple[CaseText, ...], ...]


@dataclass(frozen=True, slots=True)
class CaseList:
    """The groups as the page holds them, and the names that its filter offers.

    `sections` and `tags` give each name its place among the filter's choices, from 1 on. `worst`
    has each case once, `cut` says whether a text of any case is not whole.
    """

    groups: tuple[ListedGroup, ...]
    sections: dict[str, int]
    tags: dict[str, int]
    critical: bool
    worst: tuple[CaseText, ...]
    cut: bool

    def mark(self, case: CaseText) -> str:
        """The filter's data of a case: `section;tags;critical;number`, in numbers.

        The number is there only where a case is asked more than once.
        """
        tags = " ".join(str(self.tags[tag]) for tag in case.tags if tag in self.tags)
        number = case.number if case.repeat else ""
        return f"{self.sections[case.section]};{tags};{int(case.critical)};{number}"


def build_case_list(report: ReportContent) -> CaseList:
    """The layout of the report's cases; a list of up to 1,000 is open throughout."""
    cases = [case for group in report.groups for case in group.cases]
    first = _FIRST if len(cases) > _WHOLE else _WHOLE
    names = [section.name for section in report.sections]
    sections = dict.fromkeys([*names, *(case.section for case in cases)])
    tags = Counter(tag for case in cases for tag in case.tags)
    failures = report.group("new_failure")
    return CaseList(
        groups=tuple(_listed(group, first) for group in report.groups),
        sections={name: place for place, name in enumerate(sections, 1)},
        tags={name: place for place, name in enumerate(sorted(dict(tags.most_common(_TAGS))), 1)},
        critical=any(case.critical for case in cases),
        worst=_worst(failures.cases) if failures else (),
        cut=any(_is_cut(case) for case in cases),
    )


def _listed(group: CaseGroup, first: int) -> ListedGroup:
    rest = group.cases[first:]
    chunks = tuple(rest[at : at + _CHUNK] for at in range(0, len(rest), _CHUNK))
    return ListedGroup(group, group.cases[:first], chunks)


def _worst(failures: tuple[CaseText, ...]) -> tuple[CaseText, ...]:
    first: dict[int, CaseText] = {}
    for case in failures:
        first.setdefault(case.number, case)
    return tuple(first.values())[:_WORST]


def _is_cut(case: CaseText) -> bool:
    turns = (turn.content for turn in case.turns)
    return any(clip.more for clip in (case.baseline.answer, case.candidate.answer, *turns))
