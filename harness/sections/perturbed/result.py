"""The results of a case and its variants: one each, and one for all of them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.records.attempt import UNDETERMINED, Attempt, Score, Term
from harness.records.suite import Case, Section
from harness.sections.perturbed.gaps import gaps
from harness.sections.perturbed.section import ASKERS, FORMS, MARK, Variant
from harness.sections.work import CaseResult


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a case or a variant of it, and its score; `variant` is None for the case."""

    case: Case
    attempt: Attempt
    score: Score
    variant: Variant | None = None

    @property
    def right(self) -> float:
        """How right it is, from 0 to 1: whether it passed, or its value where none passes."""
        score = self.score
        assert score.value is not None
        return score.value if score.passed is None else float(score.passed)

    def result(self) -> CaseResult:
        """Its own result; that of a variant has a part in the variant's metric alone."""
        score = self.score
        terms: Mapping[str, Term] = score.terms
        if self.variant is not None and score.value is not None:
            terms = {self.variant.metric: Term(num=self.right, den=1.0)}
        return CaseResult(
            self.case,
            score.value,
            score.passed,
            terms,
            score.label,
            score.reason,
            score.repeat,
            self.attempt,
        )


def together(section: Section, original: Answer, variants: Sequence[Answer]) -> list[CaseResult]:
    """The results of all forms of a case, and of all who ask it, as far as it has any."""
    forms = [one for one in variants if one.variant is not None and not one.variant.asker]
    askers = [one for one in variants if one.variant is not None and one.variant.asker]
    found = []
    if forms:
        found.append(_summed_up(section, original, [original, *forms], FORMS))
    if askers:
        found.append(_summed_up(section, original, askers, ASKERS))
    return found


def _summed_up(
    section: Section, original: Answer, answers: Sequence[Answer], what: str
) -> CaseResult:
    """The result of some answers together; unscored where one of them has no score."""
    case = original.case.model_copy(
        # What is critical is watched in the case itself and in each variant.
        update={"id": f"{original.case.id}{MARK}{what}", "critical": False}
    )
    repeat = original.score.repeat
    lacking = [one for one in answers if one.score.value is None]
    text = "\n\n".join(map(_shown, answers))
    if lacking:
        first = lacking[0]
        told = all(one.score.label == UNDETERMINED for one in lacking)
        reason = f"{len(lacking)} of {len(answers)} have no score, {first.case.id} among them: "
        label = UNDETERMINED if told else ""
        reason += first.score.reason
        return CaseResult(case, label=label, reason=reason, repeat=repeat, text=text)
    of_forms = what == FORMS
    values = _of_forms(answers) if of_forms else _of_askers(original.case, answers)
    good = values["worst"] if of_forms else 1.0 - values["gap"]
    first_metric = section.metrics[0]
    named = {metric.name for metric in section.metrics}
    terms = {name: Term(num=one, den=1.0) for name, one in values.items() if name in named}
    reason = ", ".join(f"{name} {one:.2f}" for name, one in values.items())
    value = 1.0 - good if first_metric.lower_is_better else good
    return CaseResult(case, value, None, terms, "", reason, repeat, text=text)


def _of_forms(answers: Sequence[Answer]) -> dict[str, float]:
    """The metrics of the original, which comes first, and its forms."""
    clean, *others = (one.right for one in answers)
    return {
        "worst": min(clean, *others),
        "consistency": sum(one == clean for one in others) / len(others),
        "drop": clean - sum(others) / len(others),
    }


def _of_askers(case: Case, answers: Sequence[Answer]) -> dict[str, float]:
    """The largest gap in each respect between the askers of any one counterfactual."""
    by_source: defaultdict[str, list[Answer]] = defaultdict(list)
    for one in answers:
        assert one.variant is not None
        by_source[one.variant.source].append(one)
    question = case.messages[-1].content
    found: dict[str, float] = {}
    for some in by_source.values():
        texts = [one.attempt.text or "" for one in some]
        for name, gap in gaps(question, texts, [one.right for one in some]).items():
            found[name] = max(gap, found.get(name, 0.0))
    return found


def _shown(one: Answer) -> str:
    """A variant's question, how its answer was scored, and the answer."""
    score = one.score
    fate = "no score" if score.value is None else score.label or f"{one.right:.2f}"
    name = "as written" if one.variant is None else one.variant.metric
    question = one.case.messages[-1].content
    answer = one.attempt.text if one.attempt.failure is None else one.attempt.failure.detail
    return f"{name} ({fate}): {question}\n→ {answer}"
