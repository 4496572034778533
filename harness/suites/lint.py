"""Findings about a valid suite: what a reviewer of it would ask to have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from harness.files import canonical_json
from harness.records.finding import Finding
from harness.records.suite import Case, Section, Suite
from harness.suites.independence import group_sizes, independent_groups, question
from harness.suites.similar import shingles, similar_pairs

FEW_GROUPS = 8
LOPSIDED = 3.0  # times the mean: what a group may have before it widens every interval
NEARLY_THE_SAME = 0.6
# Answers that no case means: one that passes with both is not decided by what is answered.
ANY_ANSWERS = ("Here is what you asked for.", "I am sorry, but I cannot help you with that.")


def lint_suite(suite: Suite) -> tuple[Finding, ...]:
    """The findings about a valid suite, by section, without those that the section ignores."""
    found = [
        finding
        for section in suite.sections
        if section.cases
        for finding in _not_ignored(section, sorted(_lint_section(section, list(section.cases))))
    ]
    # Likelihoods and opinions make no case critical: only answers that are scored do.
    scored = any(section.scores_answers for section in suite.sections)
    if scored and not any(case.critical for _, case in suite.cases()):
        what = "no case is critical: the rule no_new_critical_failures has nothing to watch"
        found.append(Finding("", "no-critical-case", what))
    return tuple(found)


def _not_ignored(section: Section, found: Sequence[Finding]) -> Iterator[Finding]:
    yield from (each for each in found if each.code not in section.lint_ignore)
    for code in sorted({*section.lint_ignore} - {each.code for each in found}):
        what = f"`lint_ignore` names `{code}`, which is found nowhere here: take it out"
        yield Finding(section.name, "unused-ignore", what)


def _lint_section(section: Section, cases: Sequence[Case]) -> Iterator[Finding]:
    name = section.name
    for code, what in (*_sizes(cases), *section.section_remarks()):
        yield Finding(name, code, what)
    for what, pair in (*_alike(cases), *_unlike(cases)):
        code = "unlike-group" if pair[0].group == pair[1].group else "near-duplicate"
        yield Finding(name, code, what, (pair[0].id, pair[1].id))
    remarks: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for case in cases:
        for remark in section.remarks(case):
            remarks[remark].append(case.id)
        idle = section.scores_answers and not section.silence_passes
        if idle and _passes_anything(section, case):
            what = "passes whatever is answered: say what the answer must hold"
            remarks["always-passes", what].append(case.id)
    for (code, what), ids in remarks.items():
        yield Finding(name, code, what, tuple(ids))


def _sizes(cases: Sequence[Case]) -> Iterator[tuple[str, str]]:
    groups = group_sizes(cases)
    if len(groups) < FEW_GROUPS:
        yield (
            "few-groups",
            (
                f"{len(groups)} group{'s' if len(groups) > 1 else ''} only; "
                f"below {FEW_GROUPS} nearly every comparison is inconclusive"
            ),
        )
    largest, count = groups.most_common(1)[0]
    mean = len(cases) / len(groups)
    if len(groups) >= FEW_GROUPS and count > LOPSIDED * mean:
        yield (
            "large-group",
            (
                f"group `{largest}` has {count} cases, {mean:.1f} is the mean; "
                "intervals allow for another one as large, so add groups or thin it out"
            ),
        )


Found = tuple[str, tuple[Case, Case]]


def _alike(cases: Sequence[Case]) -> Iterator[Found]:
    """The first two cases of each two groups that ask nearly the same and expect the same."""
    texts = [question(case).words for case in cases]
    merged = independent_groups(cases)
    seen: set[tuple[str, str]] = set()
    for first, second in similar_pairs(texts, NEARLY_THE_SAME):
        one, other = cases[first], cases[second]
        same = texts[first] == texts[second]
        if one.group == other.group or (one.group, other.group) in seen:
            continue
        if same or _expects(one) == _expects(other):
            seen.add((one.group, other.group))
            how = "ask the same" if same else "ask nearly the same"
            one_group = len({merged.get(case.group, case.group) for case in (one, other)}) == 1
            counted = "the gate counts them as one group" if one_group else "count as independent"
            what = f"{how} and {counted}: give them one group"
            yield f"`{one.id}` and `{other.id}` {what}", (one, other)


def _unlike(cases: Sequence[Case]) -> Iterator[Found]:
    """The first two cases of a group that share no word and expect different things."""
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.group].append(case)
    for group, members in groups.items():
        for one, other in combinations(members[:20], 2):
            if _expects(one) != _expects(other) and not _words(one) & _words(other):
                what = (
                    f"`{one.id}` and `{other.id}` of group `{group}` have no word in common and "
                    "expect different answers: a group is one fact, asked in several ways"
                )
                yield what, (one, other)
                break


def _expects(case: Case) -> str:
    return canonical_json(case.expect)


def _words(case: Case) -> set[str]:
    return {word for shingle in shingles(case.messages[-1].content) for word in shingle} - {
        "^",
        "$",
    }


def _passes_anything(section: Section, case: Case) -> bool:
    try:
        found = [getattr(section.judge(text, case), "passed", None) for text in ANY_ANSWERS]
    except Exception:  # noqa: BLE001 - a user's scorer may raise anything; a run will say so
        return False
    return True in found and False not in found  # a scorer may leave one of them undetermined
