"""`forbidden`: what an answer must not claim."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from harness.scorers.compliance.rule import Exchange, Finding, Rule, Wordings, found


class Forbidden(Rule):
    """None of the phrases of `say` may be claimed: said, and not denied, asked or supposed.

    A sentence that holds one of `unless` claims nothing. With `questions`, a question counts too,
    with `conditions` what stands behind an `if`.
    """

    kind: Literal["forbidden"]
    say: Wordings
    unless: tuple[str, ...] = ()
    questions: bool = Field(default=False, strict=True)
    conditions: bool = Field(default=False, strict=True)

    PHRASES: ClassVar[tuple[str, ...]] = ("say", "unless")

    def check(self, exchange: Exchange, *, applies: bool) -> Finding:
        """Broken by the first claim; what is denied twice or afterwards cannot be told."""
        del applies
        claims = exchange.answer.claims(
            self.phrases("say"),
            self.phrases("unless"),
            asked=self.questions,
            supposed=self.conditions,
        )
        return found(list(claims), "claims")
