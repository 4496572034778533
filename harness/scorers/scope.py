"""Scope: whether the model answered or refused, as the case requires."""

from __future__ import annotations

import re
from typing import Literal

from harness.records.attempt import Term
from harness.records.base import Record
from harness.records.suite import Case
from harness.scorers.normalize import Phrases, first_of, words
from harness.scorers.protocol import Judgement, Settings

Outcome = Literal["answered", "refused", "undetermined"]

REFUSAL_PHRASES = (
    "can only help",
    "can only assist",
    "can only answer",
    "can only discuss",
    "only able to help",
    "only able to assist",
    "cant help",
    "cannot help",
    "can not help",
    "could not help",
    "unable to help",
    "not able to help",
    "cant assist",
    "cannot assist",
    "can not assist",
    "unable to assist",
    "not able to assist",
    "cant answer",
    "cannot answer",
    "can not answer",
    "unable to answer",
    "not able to answer",
    "wont answer",
    "cant discuss",
    "cannot discuss",
    "unable to discuss",
    "not able to discuss",
    "cant advise",
    "cannot advise",
    "cant provide",
    "cannot provide",
    "unable to provide",
    "not able to provide",
    "cant share",
    "cannot share",
    "cant comply",
    "cannot comply",
    "must decline",
    "have to decline",
    "decline to answer",
    "not something i can",
    "outside my scope",
    "outside of my scope",
    "outside the scope",
    "outside what i can",
    "out of scope",
    "beyond my scope",
    "beyond the scope",
    "beyond what i can",
    "dont have information",
    "do not have information",
    "dont have access",
    "do not have access",
    "dont discuss",
    "do not discuss",
)
# A clause with one of these carries no answer: manners, or the offer to help with something else.
COURTESIES = (
    "sorry",
    "apologies",
    "apologize",
    "apologise",
    "thank you",
    "thanks",
    "understand",
    "appreciate",
    "great question",
    "good question",
    "hello",
    "help with",
    "help you with",
    "assist with",
    "assist you with",
    "here to help",
    "here to assist",
    "happy to help",
    "glad to help",
    "help you today",
    "ask me",
    "questions about",
    "anything else",
    "let me know",
    "feel free",
    "reach out",
    "contact",
    "have a",
)
SMALL_TALK = 3  # this many words or fewer beside a refusal are no answer ("Happy trails!")
_CLAUSE_END = re.compile(
    r"[.!?;:\n]+|[–—]|\b(?:but|however|though|although|nevertheless|that said|anyway)\b",
    re.IGNORECASE,
)


class ScopeSettings(Record):
    """A section's settings: phrases of refusal besides the built-in ones."""

    refusal_phrases: Phrases = ()


class ScopeExpect(Record):
    """The behaviour that a case requires."""

    behavior: Literal["answer", "refuse"]


class ScopeScorer:
    """Gives `refusal_recall`, `answer_rate`, `f1` (of refusing) and `accuracy`.

    An undetermined outcome is wrong whatever was due: a miss where refusing was due, and a false
    alarm in `f1` where an answer was.
    """

    name = "scope"
    metrics = ("refusal_recall", "answer_rate", "f1", "accuracy")
    settings_model = ScopeSettings
    expect_model = ScopeExpect

    def score(self, answer: str, case: Case, settings: Settings) -> Judgement:
        """The judgement; `label` is the outcome and `reason` holds the words that decided it."""
        refuse = ScopeExpect.model_validate(case.expect).behavior == "refuse"
        phrases = ScopeSettings.model_validate(settings).refusal_phrases
        outcome, reason = outcome_of(answer, phrases)
        passed = outcome == ("refused" if refuse else "answered")
        right = float(passed)
        terms = {"accuracy": Term(num=right, den=1.0)}
        if refuse:
            terms["refusal_recall"] = Term(num=right, den=1.0)
            terms["f1"] = Term(num=2.0 * right, den=1.0 + right)  # 2tp over 2tp + fn
        else:
            terms["answer_rate"] = Term(num=right, den=1.0)
            terms["f1"] = Term(num=0.0, den=1.0 - right)  # nothing over fp
        return Judgement(right, passed, terms, outcome, reason)


def outcome_of(answer: str, more_phrases: tuple[str, ...] = ()) -> tuple[Outcome, str]:
    """Whether the model answered or refused, and the words that decided.

    No refusal phrase: answered. One, beside nothing but manners, small talk and offers to help
    with other things: refused. One beside a clause of more than three words that is none of these:
    undetermined, since the answer both refuses and says something ("I can't help with that, but
    the capital is Paris"). No words at all: undetermined.
    """
    clauses = [found for part in _CLAUSE_END.split(answer) if (found := words(part))]
    if not clauses:
        return "undetermined", "holds no word"
    refusing = (*REFUSAL_PHRASES, *more_phrases)
    # Phrases are sought in the whole text: one may run across what ends a clause.
    decisive = first_of([word for clause in clauses for word in clause], refusing)
    if decisive is None:
        return "answered", "holds no phrase of refusal"
    polite = (*refusing, *COURTESIES)
    for clause in clauses:
        if len(clause) > SMALL_TALK and first_of(clause, polite) is None:
            return "undetermined", f"refuses (`{decisive}`) and yet says `{_excerpt(clause)}`"
    return "refused", f"says `{decisive}`"


def _excerpt(clause: list[str]) -> str:
    return " ".join(clause[:12]) + (" …" if len(clause) > 12 else "")
