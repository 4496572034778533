"""Mutation testing of suites: would the gate have promoted a broken model?

The method is that of programs (DeMillo, Lipton and Sayward 1978): tests that cannot tell a faulty
program from the right one are too weak. Here the program is the candidate, and the tests are the
suites together with the policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from harness.clock import SYSTEM_CLOCK, iso
from harness.config import WORKING, Project
from harness.errors import EvidenceError, UsageError
from harness.mutation.operator import Mutant, NotMade, Original, operators
from harness.mutation.project import write_project
from harness.records.comparison import ComparisonRecord, PairedCase
from harness.records.mutation import MutantResult, MutationReport, Unseen
from harness.records.run import Watcher
from harness.records.suite import counted
from harness.run.plan import Selection
from harness.session.context import GateContext, open_context
from harness.session.gate import GateOutcome, GateSession
from harness.targets.connection import keep_servers
from harness.training.side_by_side import train_side_by_side

_COMPARED = 2_000  # characters of two answers that are held against each other
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class MutationRequest:
    """Whose suites are tested; with `train` also by mutants that have to be trained.

    `only` names operators, none means all.
    """

    candidate: str
    seed: int = 0
    train: bool = False
    only: tuple[str, ...] = ()


def run_mutants(project: Project, request: MutationRequest, watcher: Watcher) -> MutationReport:
    """What the project's gate says of each mutant of the candidate.

    All is kept in a project of its own, `.harness/mutants/<candidate>`, and used again.

    Raises:
        UsageError: the gate does not promote the candidate itself, or a name that does not exist.
        EvidenceError: no mutant can be made.
        InfrastructureError: a server does not start, or is gone for good.
        TrainingError: a training failed.
    """
    candidate = request.candidate
    first = open_context(project, [candidate], None, ())
    folder = project.root / WORKING / "mutants" / candidate
    original = Original(project, candidate, first.suites, folder, request.seed)
    mutants, not_made = _make(original, request)
    if not mutants:
        reasons = "; ".join(f"{one.name}: {one.about}" for one in not_made)
        raise EvidenceError(f"no mutant of `{candidate}` can be made: {reasons}")
    derived, left_out = write_project(original, mutants)
    recipes = [mutant.recipe for mutant in mutants if mutant.recipe is not None]
    if recipes:
        train_side_by_side(recipes, project_dir=derived.root, on_progress=watcher.progress)
    context = open_context(derived, [mutant.name for mutant in mutants], None, ())
    names = (*context.live_baseline, candidate, *(mutant.name for mutant in mutants))
    with keep_servers(names):
        whole = _judged(context, candidate, watcher)
        _check_promoted(whole)
        results = [_result(context, mutant, whole.comparison, watcher) for mutant in mutants]
    return MutationReport(
        candidate=candidate,
        baseline=context.policy.baseline,
        suites=tuple(suite.name for suite in context.suites),
        seed=request.seed,
        trained=request.train,
        left_out=left_out,
        results=(*sorted(results, key=_survivors_first), *not_made),
        created=iso(SYSTEM_CLOCK.utc()),
    )


def _survivors_first(result: MutantResult) -> int:
    return ("survived", "not judged", "killed", "equivalent").index(result.outcome)


def _make(original: Original, request: MutationRequest) -> tuple[list[Mutant], list[MutantResult]]:
    """The mutants, and a result for each operator that has none."""
    registry = operators()
    for name in request.only:
        if name not in registry.names():
            raise UsageError(
                f"no mutation `{name}`",
                where="--only",
                hint="there is " + ", ".join(registry.names()),
            )
    mutants: list[Mutant] = []
    not_made: list[MutantResult] = []
    for name in request.only or registry.names():
        operator = registry.get(name)
        if operator.trains and not request.train:
            continue
        try:
            mutants.extend(operator.mutants(original))
        except NotMade as reason:
            not_made.append(MutantResult(name=name, about=str(reason), outcome="not made"))
    return mutants, not_made


def _judged(context: GateContext, name: str, watcher: Watcher) -> GateOutcome:
    with GateSession(context, {name: Selection()}, watcher) as session:
        return session.run(name)


def _check_promoted(whole: GateOutcome) -> None:
    verdict = whole.verdict
    if verdict.verdict != "PROMOTE":
        raise UsageError(
            f"the gate does not promote `{verdict.candidate}` itself ({verdict.verdict}: "
            f"{verdict.reason}), so that it would stop every mutant of it",
            hint="name a candidate that passes",
        )


def _result(
    context: GateContext, mutant: Mutant, whole: ComparisonRecord, watcher: Watcher
) -> MutantResult:
    found = MutantResult(name=mutant.name, about=mutant.about, outcome="killed", verdict="INVALID")
    try:
        outcome = _judged(context, mutant.name, watcher)
    except EvidenceError as error:  # such as an adapter without effect
        return found.model_copy(update={"by": (error.what,)})
    verdict, pairs = outcome.verdict, _pairs(outcome.comparison.cases, whole.cases)
    changed = [(ours, theirs) for ours, theirs in pairs if _text(ours) != _text(theirs)]
    counts = {"verdict": verdict.verdict, "changed": len(changed), "answers": len(pairs)}
    if failed := verdict.accounting.failed:
        by = (f"{counted(failed, 'request')} failed: the same command asks them again",)
        return found.model_copy(update={**counts, "outcome": "not judged", "by": by})
    if verdict.verdict != "PROMOTE":
        rules = (rule for rule in verdict.rules if rule.outcome != "pass")
        names = tuple(f"{rule.metric or ''} {rule.require}".strip() for rule in rules)
        return found.model_copy(update={**counts, "by": verdict.problems[:1] or names})
    if not changed:
        return found.model_copy(update={**counts, "outcome": "equivalent"})
    return found.model_copy(update={**counts, "outcome": "survived", "unseen": _unseen(changed)})


def _pairs(
    ours: Sequence[PairedCase], theirs: Sequence[PairedCase]
) -> list[tuple[PairedCase, PairedCase]]:
    """Each case as the mutant and as the candidate answered it."""
    known = {(case.path, case.repeat): case for case in theirs}
    return [
        (case, known[case.path, case.repeat]) for case in ours if (case.path, case.repeat) in known
    ]


def _text(case: PairedCase) -> str:
    return case.candidate_attempt.text or ""


def _unseen(changed: Sequence[tuple[PairedCase, PairedCase]]) -> Unseen | None:
    """The answers with equal scores that have the least in common, right ones if there are any."""
    same = [
        (ours, theirs)
        for ours, theirs in changed
        if ours.candidate_score.value == theirs.candidate_score.value
    ]
    right = [pair for pair in same if pair[0].candidate_score.passed]
    if not same:
        return None
    ours, theirs = min(right or same, key=lambda pair: _likeness(_text(pair[0]), _text(pair[1])))
    return Unseen(
        path=ours.path,
        question=ours.messages[-1].content[:_SHOWN],
        candidate=_text(theirs)[:_SHOWN],
        mutant=_text(ours)[:_SHOWN],
    )


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one[:_COMPARED], other[:_COMPARED], autojunk=False).ratio()
