"""The Python tests that a file defines, read from its text: nothing of it is run or imported."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from harness.errors import UsageError
from harness.files import read_text

Function = ast.FunctionDef | ast.AsyncFunctionDef
# What the mark `case` takes; pytest's part of the harness refuses any other key.
MARK_KEYS = ("group", "critical", "tags")


@dataclass(frozen=True, slots=True)
class SourceTests:
    """How many tests a file has, in how many groups, and how many of them are critical.

    Where a mark holds what only running the file tells, such as a list that is computed, `exact` is
    false, and there may be more. `problem` says what pytest will refuse, on which `line` where that
    is known; it is empty where there is nothing.
    """

    tests: int = 0
    groups: int = 0
    critical: int = 0
    exact: bool = True
    problem: str = ""
    line: int | None = None


def read_tests(file: Path) -> SourceTests:
    """What pytest would collect from a file of tests, by pytest's own naming."""
    try:
        tree = ast.parse(read_text(file))
    except UsageError as error:
        return SourceTests(problem=error.what)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        what = getattr(error, "msg", None)
        return SourceTests(problem=f"no Python: {what}" if what else "no Python", line=line)
    groups, alone, tests, critical, exact = set[str](), 0, 0, 0, True
    unknown: list[ast.keyword] = []
    for marks in _marks_of_tests(tree):
        count, known = _count(marks)
        said, plain = _case(marks)
        unknown += _unknown_keys(marks)
        tests += count
        critical += count if said.get("critical") is True else 0
        exact = exact and known and plain
        group = said.get("group")
        if isinstance(group, str):
            groups.add(group)
        else:
            alone += count
    if not tests:
        return SourceTests(problem="holds no test")
    found = SourceTests(tests, len(groups) + alone, critical, exact)
    if not unknown:
        return found
    first = unknown[0]
    near = get_close_matches(str(first.arg), MARK_KEYS, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there is {', '.join(MARK_KEYS)}"
    what = f"the mark `case` has no `{first.arg}`; {hint}"
    return replace(found, problem=what, line=first.lineno)


def _marks_of_tests(tree: ast.Module) -> Iterator[list[ast.expr]]:
    """The marks of each test function, the nearest first."""
    above = _pytestmark(tree.body)
    for node in tree.body:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield [*node.decorator_list, *above]
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            own = [*_pytestmark(node.body), *node.decorator_list, *above]
            for inner in node.body:
                if isinstance(inner, Function) and inner.name.startswith("test"):
                    yield [*inner.decorator_list, *own]


def _pytestmark(body: Sequence[ast.stmt]) -> list[ast.expr]:
    """The marks that a module or a class gives all its tests."""
    found: list[ast.expr] = []
    for node in body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
        ):
            value = node.value
            found = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
    return found


def _count(marks: Sequence[ast.expr]) -> tuple[int, bool]:
    """How many tests the parameters make of a function, and whether that is all."""
    counts, known = [], True
    for call in _calls(marks, "parametrize"):
        values = call.args[1] if len(call.args) > 1 else None
        values = values or next(
            (word.value for word in call.keywords if word.arg == "argvalues"), None
        )
        if not isinstance(values, ast.List | ast.Tuple | ast.Set):
            known = False
            counts.append(1)
            continue
        known = known and not any(isinstance(one, ast.Starred) for one in values.elts)
        counts.append(len(values.elts))
    return math.prod(counts), known


def _case(marks: Sequence[ast.expr]) -> tuple[dict[str, object], bool]:
    """What the marks `case` say, the nearest one last, and whether all of it is plain."""
    said: dict[str, object] = {}
    plain = True
    for call in reversed(list(_calls(marks, "case"))):
        for word in call.keywords:
            try:
                said[str(word.arg)] = ast.literal_eval(word.value)
            except ValueError:
                plain = False
    return said, plain


def _unknown_keys(marks: Sequence[ast.expr]) -> list[ast.keyword]:
    """The keys of the marks `case` that it does not take; `**values` may be any."""
    words = [word for call in _calls(marks, "case") for word in call.keywords]
    return [word for word in words if word.arg is not None and word.arg not in MARK_KEYS]


def _calls(marks: Sequence[ast.expr], name: str) -> Iterator[ast.Call]:
    """The calls of `pytest.mark.<name>` among the marks."""
    for mark in marks:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith(f"mark.{name}"):
            yield mark
