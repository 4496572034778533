"""Gold answers: whether an answer claims one of the reference answers."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from harness.records.attempt import UNDETERMINED, Term
from harness.records.base import Record
from harness.records.suite import Case
from harness.scorers.answers import squad
from harness.scorers.answers.expect import GoldExpect, has_words
from harness.scorers.answers.finding import find
from harness.scorers.answers.reference import phrase
from harness.scorers.answers.text import reading
from harness.scorers.gold_lint import lint_gold
from harness.scorers.normalize import token_f1
from harness.scorers.patterns import SlowPattern, one_answer
from harness.scorers.protocol import Judgement, Settings, Unscored


class GoldSettings(Record):
    """A section's settings.

    `pass_f1` is the lowest token F1 at which a case of `match: f1` passes. With `squad`, accuracy
    is SQuAD's exact match and f1 its F1, whatever the cases' `match` is.
    """

    pass_f1: float = Field(default=0.5, gt=0.0, le=1.0, strict=True)
    squad: bool = Field(default=False, strict=True)


class GoldScorer:
    """Gives `accuracy` (the answer is right) and `f1` (best token F1 over the references).

    Cases without a reference text (`regex`, `number`, `yes_no`, `date`, `time`) have no part in
    `f1`.
    """

    name = "gold"
    measured = (
        "on answers that people labelled, `contains` passes 2.9 % of the wrong ones and fails "
        "14.3 % of the right ones (EVOUNA, NQ part), 1.4 % and 5.7 % (TriviaQA part)"
    )
    metrics = ("accuracy", "f1")
    settings_model = GoldSettings
    expect_model = GoldExpect

    def lint(self, case: Case, settings: Settings) -> Iterator[tuple[str, str]]:
        """A code and a sentence for each weakness of the case."""
        del settings
        return lint_gold(case, GoldExpect.model_validate(case.expect))

    def score(self, answer: str, case: Case, settings: Settings) -> Judgement | Unscored:
        """The judgement; its value is 1 or 0, and the token F1 itself where `match` is `f1`.

        Unscored where the answer's own text is doubtful (it declines and yet holds the value, it
        holds the value only to deny or to ask it, it claims two values that exclude each other),
        and where no answer matches and one of the patterns took too long.
        """
        expected = GoldExpect.model_validate(case.expect)
        chosen = GoldSettings.model_validate(settings)
        if chosen.squad:
            return _as_squad(answer, expected)
        terms = {}
        f1 = 0.0
        references = [gold for gold in expected.answers if has_words(gold)]
        if references and expected.match in {"contains", "exact", "f1"}:
            said = [word.form for word in reading(answer).bare]
            f1 = max(token_f1(said, list(phrase(gold).bare)) for gold in references)
            terms["f1"] = Term(num=f1, den=1.0)
        if expected.match == "f1":
            passed = f1 >= chosen.pass_f1
            return _judgement(
                passed, f"token F1 {f1:.2f}, needs {chosen.pass_f1:.2f}", terms, value=f1
            )
        try:
            with one_answer():
                found = find(answer, _question(case), expected)
        except SlowPattern as slow:
            return Unscored(str(slow))
        if found.passed is None:
            return Unscored(found.reason, UNDETERMINED)
        return _judgement(found.passed, found.reason, terms)


def _as_squad(answer: str, expected: GoldExpect) -> Judgement:
    exact = squad.exact_match(answer, expected.answers)
    f1 = squad.f1(answer, expected.answers)
    reason = f"SQuAD exact match {exact:.0f}, F1 {f1:.2f}"
    return _judgement(exact == 1.0, reason, {"f1": Term(num=f1, den=1.0)})


def _judgement(
    passed: bool, reason: str, terms: dict[str, Term], value: float | None = None
) -> Judgement:
    terms = {**terms, "accuracy": Term(num=float(passed), den=1.0)}
    label = "right" if passed else "wrong"
    return Judgement(float(passed) if value is None else value, passed, terms, label, reason)


def _question(case: Case) -> str:
    """What the user asked last; the messages before it are the setting."""
    return case.messages[-1].content
