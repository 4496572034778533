"""Expressions: JMESPath, checked before anything is asked."""

from __future__ import annotations

from typing import Any


def check_expression(path: str) -> str:
    """The JMESPath as given.

    Raises:
        ValueError: it cannot be read, or calls a function that JMESPath does not have.
    """
    import jmespath
    from jmespath.exceptions import JMESPathError
    from jmespath.functions import Functions

    try:
        tree = jmespath.compile(path).parsed
    except JMESPathError as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"`{path}` is no JMESPath: {reason}") from None
    for name in _functions(tree):
        if name not in Functions.FUNCTION_TABLE:
            raise ValueError(f"`{path}` is no JMESPath: it has no function `{name}`")
    return path


def _functions(tree: Any) -> list[str]:
    own = [str(tree["value"])] if tree["type"] == "function_expression" else []
    children = [child for child in tree["children"] if isinstance(child, dict)]
    return own + [name for child in children for name in _functions(child)]
