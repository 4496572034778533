"""`disclaimer`: what an answer must add where it speaks of a topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from harness.records.suite import Case
from harness.scorers.compliance.rule import Exchange, Finding, Rule, Wordings, quoted


class Disclaimer(Rule):
    """Where the topic comes up, one of the wordings of `say` stands within so many words of it.

    The topic comes up by one of `when` in the answer, denied or not, or by `when_asked` in the
    question. A sentence of the answer that holds one of `unless` is not about it.
    """

    kind: Literal["disclaimer"]
    when: tuple[str, ...] = ()
    when_asked: tuple[str, ...] = ()
    say: Wordings
    unless: tuple[str, ...] = ()
    within: int = Field(default=60, ge=1, strict=True)

    PHRASES: ClassVar[tuple[str, ...]] = ("when", "when_asked", "say", "unless")

    def check(self, exchange: Exchange, *, applies: bool) -> Finding:
        """Broken where a topic has no wording near it.

        Idle where only questions bring it up and this one does not: whether a rule has a part must
        not hang on the answer, or two sides could not be compared.
        """
        answer = exchange.answer
        about = list(
            answer.claims(self.phrases("when"), self.phrases("unless"), supposed=True, denied=True)
        )
        asked = applies or any(exchange.asked.said(self.phrases("when_asked")))
        if not about and not asked:
            return Finding("kept" if self.when else "idle")
        given = list(answer.said(self.phrases("say")))
        if not given:
            what = f"says {quoted(about[0])}" if about else "is asked of the topic"
            return Finding("broken", f"{what} without the disclaimer")
        far = [
            claim
            for claim in about
            if all(
                max(claim.first - one.last, one.first - claim.last) > self.within for one in given
            )
        ]
        if far:
            return Finding(
                "broken",
                f"says {quoted(far[0])} more than {self.within} words from {quoted(given[0])}",
            )
        return Finding("kept")

    def unreachable(self, cases: Sequence[Case]) -> str:
        """It can be broken wherever an answer may bring up the topic."""
        return _unasked(self, cases) if not self.when else ""


def _unasked(rule: Disclaimer, cases: Sequence[Case]) -> str:
    phrases = rule.phrases("when_asked")
    if any(any(Exchange(case, "").asked.said(phrases)) for case in cases):
        return ""
    return "no question holds one of `when_asked`"
