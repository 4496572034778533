"""Turns that no chat has: empty ones, roles out of order, nothing to learn."""

from __future__ import annotations

from collections.abc import Iterator

from harness.data.lint.check import CheckSettings, Inspection, found
from harness.data.lint.row import DataRow
from harness.records.finding import Finding


class Turns:
    """Finds `empty-turn`, `role-order` and `no-answer`."""

    name = "turns"
    about = "empty turns, roles out of order, no answer to learn"

    def begin(self, settings: CheckSettings) -> Inspection:
        """A new inspection."""
        del settings
        return _Inspection()


class _Inspection(Inspection):
    def see(self, row: DataRow) -> Iterator[Finding]:
        for number, (_, text) in enumerate(row.turns, 1):
            if not text.strip():
                yield found(
                    row, "empty-turn", f"turn {number} is empty: write or delete it", level="error"
                )
        wrong = _disorder([role for role, _ in row.turns])
        if wrong:
            yield found(row, "role-order", wrong, level="error")
        roles = {role for role, _ in row.turns}
        if not {"user", "assistant"} <= roles or row.turns[-1][0] != "assistant":
            what = "does not end with an answer to a user: complete it or leave it out"
            yield found(row, "no-answer", what, level="error")


def _disorder(roles: list[str]) -> str:
    """The first place at which the roles are not as a chat has them, and what to do."""
    before = ""
    for number, role in enumerate(roles, 1):
        if not role:
            return f"turn {number} has no known role: write system, user, assistant or tool"
        if role == "system" and number > 1:
            return f"turn {number} is the system's: only the first one may be"
        if role == "assistant" and before in ("", "system"):
            return f"turn {number} is an answer to nothing: put the user's turn before it"
        if role == before != "tool":
            return f"turns {number - 1} and {number} are both the {role}'s: join or reorder them"
        if role == "tool" and before not in ("assistant", "tool"):
            return f"turn {number} is a tool's that nothing has called"
        before = role
    return ""
