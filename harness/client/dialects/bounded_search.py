"""JMESPath with a bound on its work: an expression may double what it has at every step."""

from __future__ import annotations

from typing import Any

import jmespath
from jmespath.visitor import TreeInterpreter

MOST_STEPS = 2_000_000  # nodes visited, and items of lists made: some seconds
_CHARACTERS = 1_000  # of a text count as one step


class TooMuch(Exception):
    """An expression that needs more steps than any useful one."""


def bounded_search(path: str, data: Any) -> Any:
    """What the expression finds in the data.

    Raises:
        TooMuch: it needs more than `MOST_STEPS`.
        JMESPathError: a function in it cannot work on this data.
    """
    return _Bounded().visit(jmespath.compile(path).parsed, data)


class _Bounded(TreeInterpreter):  # type: ignore[misc]  # jmespath ships no types
    """Counts each node that it visits, and each item of what that gives."""

    def __init__(self) -> None:
        super().__init__()
        self._left = MOST_STEPS

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """The node's value."""
        found = super().visit(node, *args, **kwargs)
        if isinstance(found, str):
            self._left -= len(found) // _CHARACTERS
        self._left -= 1 + (len(found) if isinstance(found, list) else 0)
        if self._left < 0:
            raise TooMuch
        return found
