"""`hand-over`: when an answer must send the user to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from harness.records.suite import Case
from harness.scorers.compliance.rule import Exchange, Finding, Rule, Wordings, quoted
from harness.scorers.compliance.text import Claim


class HandOver(Rule):
    """Where the user says one of `when`, the answer holds one of the wordings of `to`.

    A sentence of the user's that holds one of `unless` calls for nobody.
    """

    kind: Literal["hand-over"]
    when: tuple[str, ...] = ()
    to: Wordings
    unless: tuple[str, ...] = ()

    PHRASES: ClassVar[tuple[str, ...]] = ("when", "to", "unless")

    def check(self, exchange: Exchange, *, applies: bool) -> Finding:
        """Broken where nobody is named; idle where nothing calls for one."""
        calls = self._calls(exchange)
        if not applies and not calls:
            return Finding("idle")
        why = f"the user says {quoted(calls[0])}" if calls else "the case calls for it"
        named = list(exchange.answer.claims(self.phrases("to"), asked=True, supposed=True))
        if not named:
            return Finding("broken", f"{why}, and no one is handed over to")
        sure = [one for one in named if not one.doubt]
        if not sure:
            return Finding("unknown", f"{why}; {quoted(named[0])}, but {named[0].doubt}")
        return Finding("kept")

    def unreachable(self, cases: Sequence[Case]) -> str:
        """It can be broken only where a question calls for a person."""
        if any(self._calls(Exchange(case, "")) for case in cases):
            return ""
        return "no question holds one of `when`, and no case names it under `applies`"

    def _calls(self, exchange: Exchange) -> list[Claim]:
        return list(
            exchange.asked.claims(
                self.phrases("when"), self.phrases("unless"), asked=True, supposed=True
            )
        )
