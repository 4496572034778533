"""The Protocols of perturbations and of counterfactuals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from harness.perturb.draw import Draw
from harness.perturb.question import Question


class Perturbation(Protocol):
    """Puts a question into another form and leaves its meaning as it is.

    It changes only words of the question that are `free`: the others are numbers, units, names,
    negations, addresses, code, quotations and what the case's own answers hold.
    """

    @property
    def name(self) -> str:
        """The name that a section's `perturb:` lists, which is that of its metric too."""
        ...

    def perturb(self, question: Question, draw: Draw) -> str | None:
        """The question in another form; None where that changes nothing, or its meaning."""
        ...


class Counterfactual(Protocol):
    """Has a question asked by different people, and changes nothing else."""

    @property
    def name(self) -> str:
        """The name that a section's `counterfactual:` lists."""
        ...

    @property
    def askers(self) -> tuple[str, ...]:
        """Short names of those who ask, in lower case; a metric is called by each."""
        ...

    def ask(self, question: Question, draw: Draw) -> Mapping[str, str] | None:
        """The question by each who asks; None where the answer may depend on who it is."""
        ...
