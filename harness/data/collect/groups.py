"""Requests that ask nearly the same, and which cases of the suites ask it too."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.data.collect.requests import Log, LoggedRequest, users
from harness.data.disjoint import DisjointSets
from harness.data.ledger import Entry, Ledger, key_of
from harness.data.lint.checks.refusals import RefusalReader
from harness.data.lint.pairs import MOST_COMPARED, Compared
from harness.data.lint.row import DataRow
from harness.errors import UsageError
from harness.leak.check import is_compared
from harness.records.suite import Case, Suite
from harness.stats import Interval, mean

EXAMPLES = 5  # questions and answers of a group that are shown


@dataclass(slots=True)
class LogGroup:
    """Requests that ask nearly the same; `cases` ask it too, `known` are groups of the ledger.

    `of_suite` is the group of the first of these cases, empty where there is none.
    """

    name: str
    requests: list[LoggedRequest] = field(default_factory=list)
    before: int = 0  # requests of earlier logs
    cases: list[str] = field(default_factory=list)
    of_suite: str = ""
    in_scope: bool = False  # a case expects an answer
    known: list[Entry] = field(default_factory=list)
    refused: int = 0

    def why(self) -> dict[str, int]:
        """The reasons to take it up, with the number of requests that each is about."""
        answered = sum(bool(one.answer.strip()) for one in self.requests) - self.refused
        counts = {
            "uncovered": 0 if self.cases else len(self.requests),
            "corrected": sum(bool(one.correction) for one in self.requests),
            "rated down": sum(one.rated_down for one in self.requests),
            "refused in scope": self.refused if self.in_scope or answered > self.refused else 0,
        }
        return {reason: count for reason, count in counts.items() if count}

    def asked(self) -> list[tuple[str, ...]]:
        """Different ways in which it is asked, the most frequent first, single turns before all."""
        counts: Counter[str] = Counter(key_of("\n".join(one.asked_turns)) for one in self.requests)
        first: dict[str, tuple[str, ...]] = {}
        for one in self.requests:
            first.setdefault(key_of("\n".join(one.asked_turns)), one.asked_turns)
        order = sorted(first, key=lambda key: (len(first[key]), -counts[key], key))
        shortest = len(first[order[0]])
        return [first[key] for key in order if len(first[key]) == shortest][:EXAMPLES]


@dataclass(slots=True)
class Collected:
    """All groups with a request, the most frequent first, and what they say of the suites.

    `coverage` is the share of requests that ask what a case asks; None where there is one user.
    `left` counts the requests beyond those that could be compared.
    """

    groups: list[LogGroup]
    requests: int
    users: int
    before: int
    left: int
    suite: Counter[str]  # the cases of the suites by group of requests
    now: list[str] = field(default_factory=list)  # the group of each request
    now_users: list[str] = field(default_factory=list)
    then: list[str] = field(default_factory=list)
    then_users: list[str] = field(default_factory=list)

    @property
    def coverage(self) -> Interval | None:
        """The share of requests that ask what a case asks, users being drawn and not requests."""
        return share_of(self.now, self.now_users, {one.name for one in self.groups if one.cases})

    def new(self) -> Interval | None:
        """The share of requests that nobody asked before."""
        return share_of(self.now, self.now_users, set(self.now) - set(self.then))


def share_of(groups: Sequence[str], of_users: Sequence[str], wanted: set[str]) -> Interval | None:
    """The share of requests in the wanted groups, with bounds at 5 %; None where one user asked."""
    if len(set(of_users)) < 2:
        return None
    _, numbers = np.unique(np.array(of_users), return_inverse=True)
    return mean(np.array([group in wanted for group in groups], dtype=np.float64), numbers)


def group_requests(
    log: Log, suites: Sequence[Suite], ledger: Ledger | None, before: Log | None = None
) -> Collected:
    """The requests in groups, held against the suites' cases, the ledger and an earlier log.

    Raises:
        UsageError: the log has no request.
    """
    bad = log.first_rejected
    if not log.requests and bad is None:
        raise UsageError("the logs hold no request", hint="name a file that does")
    if not log.requests and bad is not None:
        hint = "name the columns: `--map prompt=COLUMN`, or the form: `--form`"
        raise UsageError(f"no request could be read: {bad.why}", where=bad.place, hint=hint)
    cases = list(_cases(suites))
    entries = [(entry, text) for entry in (ledger.groups.values() if ledger else ())
               for text in entry.questions]  # fmt: skip
    compared = Compared()
    for path, _, turns in cases:
        compared.add(DataRow(path, turns))
    for _, text in entries:
        compared.add(DataRow("", (("user", text),)))
    earlier = before.requests if before else []
    room = max(0, MOST_COMPARED - len(compared))
    now, then = log.requests[:room], earlier[: max(0, room - len(log.requests))]
    for one in (*now, *then):
        compared.add(one)
    return _grouped(compared, cases, entries, now, then,
                    left=len(log.requests) + len(earlier) - len(now) - len(then))  # fmt: skip


def _grouped(
    compared: Compared,
    cases: Sequence[tuple[str, Case, tuple[tuple[str, str], ...]]],
    entries: Sequence[tuple[Entry, str]],
    now: Sequence[LoggedRequest],
    then: Sequence[LoggedRequest],
    *,
    left: int,
) -> Collected:
    begin = len(cases) + len(entries)
    firsts = _firsts(compared, cases, entries)
    found: defaultdict[int, LogGroup] = defaultdict(lambda: LogGroup(""))
    for first, (path, case, _) in zip(firsts, cases, strict=False):
        found[first].cases.append(path)
        found[first].of_suite = found[first].of_suite or case.group
        found[first].in_scope |= case.expect.get("behavior") != "refuse"
    for first, (entry, _) in zip(firsts[len(cases) :], entries, strict=False):
        if entry not in found[first].known:
            found[first].known.append(entry)
    reader = RefusalReader()
    for first, one in zip(firsts[begin:], now, strict=False):
        found[first].requests.append(one)
        found[first].refused += bool(one.answer.strip()) and reader.refuses(one)
    for first in firsts[begin + len(now) :]:
        found[first].before += 1
    for group in found.values():
        group.name = _name(group) if group.requests or group.known else ""
    label = {first: group.name or f"case {first}" for first, group in found.items()}
    groups = [one for one in found.values() if one.requests]
    groups.sort(key=lambda one: (-len(one.requests), one.name))
    return Collected(
        groups=groups,
        requests=len(now),
        users=len(set(users(now))),
        before=len(then),
        left=left,
        suite=Counter(label[first] for first in firsts[: len(cases)]),
        now=[label[first] for first in firsts[begin : begin + len(now)]],
        now_users=list(users(now)),
        then=[label[first] for first in firsts[begin + len(now) :]],
        then_users=list(users(then)),
    )


def _firsts(
    compared: Compared,
    cases: Sequence[tuple[str, Case, tuple[tuple[str, str], ...]]],
    entries: Sequence[tuple[Entry, str]],
) -> list[int]:
    """The set of each text: near duplicates, cases of one group and questions of one entry."""
    sets = DisjointSets(len(compared))
    for number, first in enumerate(compared.clusters):
        sets.join(number, first)
    known: dict[tuple[str, str], int] = {}
    named = [(path.partition("/")[0], case.group) for path, case, _ in cases]
    named += [("", entry.group) for entry, _ in entries]
    for number, name in enumerate(named[: len(compared)]):
        sets.join(known.setdefault(name, number), number)
    return [sets.first(number) for number in range(len(compared))]


def _name(group: LogGroup) -> str:
    """The name in the ledger, or one by the smallest of its questions."""
    if group.known:
        return group.known[0].group
    first = min(key_of("\n".join(one.asked_turns)) for one in group.requests)
    return f"q-{hashlib.sha256(first.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _cases(
    suites: Sequence[Suite],
) -> Iterator[tuple[str, Case, tuple[tuple[str, str], ...]]]:
    for suite in suites:
        for section in suite.sections:
            for case in section.cases if is_compared(section) else ():
                turns = tuple((one.role, one.content) for one in case.messages)
                yield f"{suite.name}/{section.name}/{case.id}", case, turns
