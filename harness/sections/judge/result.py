"""The result of a case: what the verdicts of all judges on an answer amount to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from harness.records.attempt import Attempt, Term
from harness.sections.judge.ask import Asked, Panel, Sent
from harness.sections.judge.prompt import FIRST, TIE, JudgeRubric
from harness.sections.judge.reply import NoVote, Vote
from harness.sections.judge.section import ITSELF, JUDGED, JudgeSection
from harness.sections.judge.signs import FIRSTS, KIN, NOISE, ORDER, kin_term, terms_of_tie
from harness.sections.work import CaseResult, SectionWork

_TIE = 0.5


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one question to a judge."""

    asked: Asked
    said: Vote | NoVote


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer with all that judges said of it."""

    sent: Sent
    answer: Attempt
    rival: Attempt | None
    heard: Sequence[Heard]
    panel: Panel

    def result(self, work: SectionWork) -> CaseResult:
        """The case's result: a value only where every judge gave a verdict that can be read."""
        job, case, repeat = self.sent
        section: JudgeSection = job.section  # type: ignore[assignment]  # it is of this kind
        pairwise = section.against_baseline
        base = CaseResult(
            case,
            repeat=repeat,
            attempt=self.answer,
            judge=None if pairwise else self.panel.digest,
            baseline=work.now.baselines.get(job.suite.name) if pairwise else None,
        )
        lost = [(one.asked.judge, one.said) for one in self.heard if isinstance(one.said, NoVote)]
        if lost:
            judge, said = lost[0]
            return _unscored(base, f"the judge `{judge}` {said.why}", broken=said.broken)
        if self.answer.state not in JUDGED:
            return _unscored(base, _why_not(self.answer))
        votes = [(one.asked, one.said) for one in self.heard if isinstance(one.said, Vote)]
        if not pairwise:
            return self._alone(base, section, votes)
        gate = work.gate
        if gate is not None and job.target == gate.baseline:
            return self._tie(base, section, ITSELF)
        if self.rival is None:
            return _unscored(base, "the baseline has no answer to it")
        if self.rival.state not in JUDGED:
            return _unscored(base, f"the baseline's answer: {_why_not(self.rival)}")
        if not votes:
            return self._tie(base, section, "both answers are the same text")
        return self._against(base, section, votes)

    def _alone(
        self, base: CaseResult, section: JudgeSection, votes: Sequence[tuple[Asked, Vote]]
    ) -> CaseResult:
        rubric = section.rubric
        value = _mean([_value(rubric, vote) for _, vote in votes])
        verdicts = dict.fromkeys(vote.verdict for _, vote in votes)
        return replace(
            base,
            value=value,
            passed=None if rubric.scale else value > _TIE,
            terms={section.metrics[0].name: Term(num=value, den=1.0), **self._beside(votes)},
            label=", ".join(sorted(verdicts)),
            reason=_reasons(
                [(asked.judge, rubric.words(vote.verdict), vote.reason) for asked, vote in votes]
            ),
        )

    def _against(
        self, base: CaseResult, section: JudgeSection, votes: Sequence[tuple[Asked, Vote]]
    ) -> CaseResult:
        """The share of comparisons that are won; one that the order turns round is a tie."""
        orders: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
        said = []
        for asked, vote in votes:
            won = _won(vote.verdict, swapped=asked.swapped)
            orders[asked.judge, asked.request.repeat].append(won)
            order = "shown second" if asked.swapped else "shown first"
            said.append((asked.judge, f"{_NAMES[won]} when {order}", vote.reason))
        turned = [len(set(both)) > 1 for both in orders.values()]
        value = _mean([_TIE if len(set(both)) > 1 else both[0] for both in orders.values()])
        chosen = [vote.verdict == FIRST for _, vote in votes if vote.verdict != TIE]
        terms = {
            section.metrics[0].name: Term(num=value, den=1.0),
            ORDER: Term(num=float(sum(turned)), den=float(len(turned))),
            FIRSTS: Term(num=float(sum(chosen)), den=float(len(chosen))),
            **self._beside(votes),
        }
        label = "win" if value > _TIE else "loss" if value < _TIE else TIE
        return replace(base, value=value, terms=terms, label=label, reason=_reasons(said))

    def _tie(self, base: CaseResult, section: JudgeSection, why: str) -> CaseResult:
        terms = terms_of_tie(section.metrics[0].name, kin=self.panel.kin)
        return replace(base, value=_TIE, terms=terms, label=TIE, reason=why)

    def _beside(self, votes: Sequence[tuple[Asked, Vote]]) -> dict[str, Term]:
        """The terms on the judges that stand beside the metric's."""
        same: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
        for asked, vote in votes:
            same[asked.judge, asked.swapped].append(vote.verdict)
        pairs = [one != other for each in same.values() for one, other in combinations(each, 2)]
        noise = Term(num=float(sum(pairs)), den=float(len(pairs)))
        return {NOISE: noise, KIN: kin_term(kin=self.panel.kin)}


def _value(rubric: JudgeRubric, vote: Vote) -> float:
    """The expectation over all verdicts where their probabilities are known (G-Eval, Liu 2023)."""
    chances = vote.chances or ((vote.verdict, 1.0),)
    return sum(chance * rubric.value(verdict) for verdict, chance in chances)


_NAMES = {1.0: "won", 0.0: "lost", _TIE: "tie"}


def _won(verdict: str, *, swapped: bool) -> float:
    if verdict == TIE:
        return _TIE
    return float((verdict == FIRST) is not swapped)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _unscored(base: CaseResult, why: str, *, broken: bool = False) -> CaseResult:
    return replace(base, reason=why, broken=broken)


def _why_not(answer: Attempt) -> str:
    """Why no judge is shown an answer."""
    if answer.state == "filtered":
        return "stopped by a content filter"
    return answer.emptiness if answer.state == "empty" else "none came back"


def _reasons(said: Sequence[tuple[str, str, str]]) -> str:
    """Each judge's verdict in words, with its reason."""
    return "; ".join(
        f"{judge}: {verdict}" + (f": {reason}" if reason else "") for judge, verdict, reason in said
    )
