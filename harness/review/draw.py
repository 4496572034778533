"""What a review is of: a sample of stored answers, and who is to see which of them."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.config import Project
from harness.errors import EvidenceError, UsageError
from harness.labels.files import answer_digest, cases_digest
from harness.records.attempt import Attempt
from harness.records.run import RunRecord
from harness.records.suite import Case, Section, Suite
from harness.review.items import Assignment, Draw, Item, Question, ShownAnswer
from harness.review.looks import allocate, worth_a_look
from harness.review.tasks import grade_questions, label_question, prefer_question, reference_of
from harness.sections.review import ReviewSection, TaskName
from harness.storage import newest_finished
from harness.suites.independence import independent_groups

# An item is shown again at the earliest after so many others.
_APART = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to draw: of `items` answers, or pairs of answers, a share `overlap` by all `raters`.

    `people` are the names of those who grade; the other items are seen by one of them each. A share
    `again` of each rater's items is shown to that rater a second time. An `audit` draws groups that
    are worth a look more often than others.
    """

    task: TaskName
    candidate: str
    against: str | None
    sections: tuple[str, ...] = ()
    items: int = 100
    raters: int = 3
    people: tuple[str, ...] = ()
    overlap: float = 1.0
    again: float = 0.05
    seed: int = 0
    audit: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the raters, those without one numbered."""
        more = range(len(self.people) + 1, self.raters + 1)
        return (*self.people, *(f"rater-{number}" for number in more))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A draw with its items, and who sees which of them.

    `looks` says of an audit's groups, by why they are worth a look, how many were drawn and how
    many there are.
    """

    draw: Draw
    items: tuple[Item, ...]
    assignments: tuple[Assignment, ...]
    looks: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def newest_run(project: Project, target: str) -> RunRecord:
    """The newest finished run of a target.

    Raises:
        UsageError: the target does not exist, or has no finished run.
    """
    project.target(target)
    folder = newest_finished(project.runs, target)
    if folder is None:
        raise UsageError(f"`{target}` has no stored answers", hint=f"harness run {target}")
    return folder.load()


def answers_of(run: RunRecord) -> dict[tuple[str, str, str, int], Attempt]:
    """The run's answers that a person can judge, by suite, section, case and repeat."""
    return {
        (*attempt.place, attempt.case, attempt.repeat): attempt
        for attempt in run.attempts
        if attempt.state in ("ok", "truncated")
    }


def draw(suites: Sequence[Suite], wanted: Wanted, runs: Sequence[RunRecord], now: str) -> Drawn:
    """A sample of whole groups of cases, the same share of every section, both sides of each case.

    An audit takes another share of the groups that are worth a look.
    `runs` are those of the candidate and of what it is compared with, if anything; `now` is the
    moment as text.

    Raises:
        UsageError: a section is not one whose answers people can judge, or there are more raters
            for an item than people.
        EvidenceError: no case has an answer of every side.
    """
    answers = [answers_of(run) for run in runs]
    found = list(_answered(_sections(suites, wanted.sections), answers))
    if not found:
        raise EvidenceError(
            "no case has a stored answer of every side",
            where=", ".join(run.header.target for run in runs),
            hint=f"harness run {' '.join(run.header.target for run in runs)}",
        )
    questions: dict[str, tuple[Question, ...]] = {}
    items: list[Item] = []
    looks: dict[str, tuple[int, int]] = {}
    total = sum(
        _count(answers, suite, section, case, wanted)
        for suite, section, groups in found
        for cases in groups.values()
        for case in cases
    )
    for suite, section, groups in found:
        random_of = random.Random(f"{wanted.seed}/{suite.name}/{section.name}")  # noqa: S311
        count = min(len(groups), max(1, round(min(1.0, wanted.items / total) * len(groups))))
        why = _whys(groups, worth_a_look(suite, section, runs)) if wanted.audit else {}
        chances = _pick(groups, count, random_of, why)
        looks.update(_looks(groups, chances, why))
        for name, probability in chances.items():
            for case in groups[name]:
                items += [
                    item.model_copy(update={"probability": probability})
                    for item in _items(answers, suite, section, case, wanted, questions)
                ]
    made = Draw(
        task=wanted.task,
        candidate=wanted.candidate,
        against=wanted.against,
        runs={run.header.target: run.header.run_id for run in runs},
        cases={f"{suite.name}.{one.name}": cases_digest(one) for suite, one, _ in found},
        seed=wanted.seed,
        raters=wanted.raters,
        overlap=wanted.overlap,
        again=wanted.again,
        created=now,
        questions=questions,
    )
    return Drawn(made, tuple(items), tuple(assign(len(items), wanted)), looks)


def _answered(
    sections: Iterable[tuple[Suite, Section]],
    answers: Sequence[Mapping[tuple[str, str, str, int], Attempt]],
) -> Iterator[tuple[Suite, Section, dict[str, list[Case]]]]:
    """The sections with their cases, by group, that have an answer of every side."""
    for suite, section in sections:
        own: defaultdict[str, list[Case]] = defaultdict(list)
        merged = independent_groups(section.cases)  # a gate counts them as one, so they go together
        for case in section.cases:
            if _repeats(answers, suite, section, case):
                own[merged.get(case.group, case.group)].append(case)
        if own:
            yield suite, section, dict(own)


def changed_answers(items: Iterable[Item], run: RunRecord) -> tuple[int, int]:
    """How many of a run's drawn answers are other ones now, or gone, and of how many."""
    now = answers_of(run)
    same = [
        place in now and answer_digest(now[place].text) == answer.digest
        for item in items
        for place in [(item.suite, item.section, item.case, item.repeat)]
        for answer in item.answers
        if answer.target == run.header.target
    ]
    return same.count(False), len(same)


def _sections(suites: Sequence[Suite], wanted: Sequence[str]) -> list[tuple[Suite, Section]]:
    known = {
        f"{suite.name}.{one.name}": (suite, one)
        for suite in suites
        for one in suite.sections
        if len(one.cases)
    }
    for name in wanted:
        if name not in known:
            raise UsageError(
                f"no section `{name}` with answers", hint=f"there is {', '.join(known)}"
            )
    return [pair for name, pair in known.items() if not wanted or name in wanted]


def _repeats(
    answers: Sequence[Mapping[tuple[str, str, str, int], Attempt]],
    suite: Suite,
    section: Section,
    case: Case,
) -> list[int]:
    """The repeats of a case that have an answer of every side."""
    place = suite.name, section.name, case.id
    found: list[int] = []
    while all((*place, len(found)) in side for side in answers):
        found.append(len(found))
    return found


def _count(
    answers: Sequence[Mapping[tuple[str, str, str, int], Attempt]],
    suite: Suite,
    section: Section,
    case: Case,
    wanted: Wanted,
) -> int:
    """How many items a case makes."""
    sides = 1 if wanted.task == "prefer" else len(answers)
    return sides * len(_repeats(answers, suite, section, case))


def _whys(groups: Mapping[str, list[Case]], why: Mapping[str, str]) -> dict[str, str]:
    """Why each group is worth a look: the reason of its first case that is."""
    found = {
        name: [why[case.id] for case in cases if case.id in why] for name, cases in groups.items()
    }
    return {name: reasons[0] for name, reasons in found.items() if reasons}


def _pick(
    groups: Iterable[str], count: int, draw: random.Random, why: Mapping[str, str]
) -> dict[str, float]:
    """The groups that were drawn, each with the probability that it is.

    Groups with a `why` are worth a look, and drawn from separately.
    """
    worth = sorted(name for name in groups if name in why)
    others = sorted(name for name in groups if name not in why)
    counts = allocate(len(worth), len(others), count) if why else (0, count)
    return {
        name: number / len(names)
        for names, number in zip((worth, others), counts, strict=True)
        for name in draw.sample(names, number)
    }


def _looks(
    groups: Iterable[str], drawn: Mapping[str, float], why: Mapping[str, str]
) -> dict[str, tuple[int, int]]:
    """By why groups are worth a look: how many were drawn, and how many there are."""
    return {
        reason: (sum(why[name] == reason for name in drawn if name in why), among)
        for reason, among in Counter(why[name] for name in groups if name in why).items()
    }


def _items(
    answers: Sequence[Mapping[tuple[str, str, str, int], Attempt]],
    suite: Suite,
    section: Section,
    case: Case,
    wanted: Wanted,
    questions: dict[str, tuple[Question, ...]],
) -> list[Item]:
    """The items of a case; what is asked of them is added to the questions."""
    name, asked = _questions(suite, section, case, wanted.task)
    questions[name] = asked
    targets = [target for target in (wanted.candidate, wanted.against) if target is not None]
    found = []
    for repeat in _repeats(answers, suite, section, case):
        place = suite.name, section.name, case.id, repeat
        texts = [side[place].text or "" for side in answers]
        shown = [
            ShownAnswer(target=target, text=text, digest=answer_digest(text))
            for target, text in zip(targets, texts, strict=True)
        ]
        sides = [tuple(shown)] if wanted.task == "prefer" else [(one,) for one in shown]
        found += [
            Item(
                suite=suite.name,
                section=section.name,
                case=case.id,
                group=case.group,
                repeat=repeat,
                messages=case.messages,
                reference=reference_of(case),
                answers=side,
                questions=name,
                probability=1.0,
            )
            for side in sides
        ]
    return found


def _questions(
    suite: Suite, section: Section, case: Case, task: TaskName
) -> tuple[str, tuple[Question, ...]]:
    """What is asked about a case's answers, and the name of these questions."""
    own = next(
        (
            one
            for one in suite.sections
            if isinstance(one, ReviewSection) and (one.graded, one.task) == (section.name, task)
        ),
        None,
    )
    if task == "grade":
        name = f"grade {suite.name}.{section.name}" if own else "grade"
        return name, grade_questions(own.criteria if own else None)
    place = f"{suite.name}.{section.name}"
    name, question = (
        prefer_question(place, section)
        if task == "prefer"
        else label_question(place, section, case)
    )
    if own and own.instructions:
        name = f"{name} {suite.name}.{section.name}"
        question = question.model_copy(
            update={"instructions": own.instructions, "examples": own.examples}
        )
    return name, (question,)


def assign(items: int, wanted: Wanted) -> list[Assignment]:
    """Who sees which items at which place; every rater about as many, in an order of their own.

    Raises:
        UsageError: an item is to be seen by more raters than there are.
    """
    draw = random.Random(f"{wanted.seed}/raters")  # noqa: S311
    people = len(wanted.names)
    shared = set(draw.sample(range(items), round(wanted.overlap * items)))
    loads = [0] * people
    per_rater: list[list[int]] = [[] for _ in range(people)]
    for item in range(items):
        order = sorted(range(people), key=lambda one: (loads[one], draw.random()))
        for rater in order[: wanted.raters if item in shared else 1]:
            loads[rater] += 1
            per_rater[rater].append(item)
    found = []
    for rater, own in enumerate(per_rater):
        draw.shuffle(own)
        places: list[tuple[int, bool]] = [(item, False) for item in own]
        count = round(wanted.again * len(own))
        for item in draw.sample(own[: max(count, len(own) - _APART)], count):
            begin = min(places.index((item, False)) + _APART, len(places))
            places.insert(draw.randint(begin, len(places)), (item, True))
        found += [
            Assignment(
                item=item + 1,
                rater=rater + 1,
                place=place,
                flipped=draw.random() < 0.5,
                again=again,
            )
            for place, (item, again) in enumerate(places, 1)
        ]
    return found
