"""What an examination finds: one record a step, and what follows from all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from harness.errors import HarnessError, InfrastructureError, UsageError

# `cannot`: the harness does without it. `failed`: nothing works until it is mended.
Outcome = Literal["ok", "cannot", "failed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried: what was found, and what to do where it is not as it should be.

    `misconfigured` says that a file or the environment is to be corrected, and not a server.
    """

    name: str
    outcome: Outcome
    found: str
    remedy: str = ""
    misconfigured: bool = False

    @classmethod
    def of_error(cls, name: str, error: HarnessError) -> Step:
        """The step that ended in the error."""
        found = f"{error.where}: {error.what}" if error.where else error.what
        return cls(name, "failed", found, error.hint, isinstance(error, UsageError))


@dataclass(frozen=True, slots=True)
class Examination:
    """The steps at one subject, in the order in which they were tried.

    `not_tried` names those that the last one made pointless.
    """

    subject: str
    about: str
    steps: tuple[Step, ...]
    not_tried: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether every step that is needed passed."""
        return all(step.outcome != "failed" for step in self.steps)

    @property
    def misconfigured(self) -> bool:
        """Whether something that failed is to be corrected in a file or in the environment."""
        return any(step.outcome == "failed" and step.misconfigured for step in self.steps)

    @property
    def exit_code(self) -> int:
        """0 for what can be used, else the code of the error tree's branch."""
        if self.misconfigured:
            return UsageError.exit_code
        return 0 if self.usable else InfrastructureError.exit_code

    def as_json(self) -> dict[str, Any]:
        """The examination for programs."""
        found = asdict(self)
        for step in found["steps"]:
            del step["misconfigured"]
        return {**found, "usable": self.usable}
