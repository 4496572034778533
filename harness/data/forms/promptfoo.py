"""Tests of promptfoo: configurations, and CSV files with `__expected` columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from harness.data.form import Row
from harness.data.forms.inspect import group_of
from harness.data.sample import Sample, asked, parsed, text_of, texts_of, turns

_QUESTIONS = ("question", "prompt", "query", "input", "message", "text")
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
# A promptfoo assertion, and where gold has it.
_ONE = {"contains": "contains", "icontains": "contains", "equals": "exact", "regex": "regex"}
_ANY = {"contains-any": "contains", "icontains-any": "contains"}
_ALL = {"contains-all": "contains", "icontains-all": "contains"}
_NOT = {"not-contains", "not-icontains"}


class Promptfoo:
    """`{"vars", "assert"}` of a configuration's tests, or a row of its CSV.

    Assertions without a counterpart are lost, and said to be.
    """

    name = "promptfoo"
    about = "configurations and CSV files of promptfoo"

    def matches(self, row: Row) -> bool:
        """Whether it has variables and assertions, or an `__expected` column."""
        return "vars" in row or any(str(key).startswith("__expected") for key in row)

    def read(self, row: Row) -> Iterator[Sample]:
        """The sample of a test."""
        if "vars" in row:
            variables, asserted = row["vars"], row.get("assert") or []
        else:
            variables = {key: row[key] for key in row if key and not key.startswith("__")}
            asserted = [
                _of_cell(cell) for key, cell in row.items() if key.startswith("__expected") and cell
            ]
        if not isinstance(variables, Mapping) or not isinstance(asserted, list):
            raise ValueError("vars must be an object, and assert a list")
        question, lost = _question(variables, row.get("") or {})
        expect: dict[str, Any] = {}
        for one in asserted:
            if not isinstance(one, Mapping) or not _take(one, expect):
                kind = one.get("type", "?") if isinstance(one, Mapping) else "?"
                lost.append(f"assert {kind}")
        yield Sample(
            question,
            tuple(expect["answers"]) if set(expect) == {"answers", "match"} else (),
            expect=expect,
            group=group_of(row.get("metadata") or {}),
            lost=tuple(lost),
        )

    def write(self, sample: Sample) -> dict[str, Any]:
        """A test of a configuration whose prompt is `{{question}}`."""
        if len(sample.messages) > 1:
            raise ValueError("has several turns, and a test has one question")
        expect = dict(sample.expect) or {"answers": list(sample.answers), "match": "contains"}
        match = expect.pop("match", "contains")
        asserted: list[dict[str, Any]] = []
        if answers := [str(one) for one in expect.pop("answers", ())]:
            kinds = {"contains": "icontains-any", "exact": "equals", "regex": "regex"}
            if match not in kinds or (match != "contains" and len(answers) > 1):
                raise ValueError(f"has no counterpart of several answers under `match: {match}`")
            value = answers if match == "contains" else answers[0]
            asserted.append({"type": kinds[match], "value": value})
        if every := expect.pop("all_of", None):
            asserted.append({"type": "icontains-all", "value": list(every)})
        asserted += [{"type": "not-icontains", "value": one} for one in expect.pop("not", ())]
        if expect or not asserted:
            raise ValueError(f"has no counterpart of `{next(iter(expect), 'expect')}`")
        row: dict[str, Any] = {"vars": {"question": sample.question}, "assert": asserted}
        return row | ({"metadata": {"group": sample.group}} if sample.group else {})


def _question(variables: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """The turns of a test, and the variables that are in none of them."""
    prompts = config.get("prompts") or []
    written = [one for one in prompts if isinstance(one, str) and not one.startswith("file://")]
    if len(prompts) == 1 and written:
        used = set(_VARIABLE.findall(written[0]))
        missing = used - variables.keys()
        if missing:
            raise ValueError(f"vars: the prompt needs `{min(missing)}`")
        given = parsed(_VARIABLE.sub(lambda found: str(variables[found[1]]), written[0]))
    else:
        named = [key for key in _QUESTIONS if key in variables] or list(variables)
        if len(named) != 1 and not set(named) & set(_QUESTIONS):
            raise ValueError(f"vars: which is the question? There is {', '.join(named) or 'none'}")
        used, given = {named[0]}, variables[named[0]]
    lost = [f"vars {key}" for key in variables if key not in used]
    if len(prompts) > 1:
        lost.append("prompts")
    return asked(turns(given, "vars"), "vars"), lost


def _of_cell(cell: str) -> dict[str, Any]:
    """The assertion of a cell: `kind: value`, or a text that the answer must equal."""
    kind, colon, value = cell.partition(":")
    name, _, threshold = kind.strip().partition("(")
    if colon and re.fullmatch(r"(not-)?[a-z][a-z-]*", name):
        listed = name in _ANY or name in _ALL
        return {"type": name, "threshold": threshold.rstrip(")") or None,
                "value": [one.strip() for one in value.split(",")] if listed else value.strip(),
                }  # fmt: skip
    return {"type": "equals", "value": cell}


def _take(one: Mapping[str, Any], expect: dict[str, Any]) -> bool:
    """Put an assertion into what is expected; False where there is no place for it."""
    kind, value = str(one.get("type")), one.get("value")
    match = _ONE.get(kind) or _ANY.get(kind) or _ALL.get(kind) or "contains"
    known = kind in _ONE or kind in _ANY or kind in _ALL or kind in _NOT
    if not known or expect.get("match", match) != match:
        return False
    values = (
        list(texts_of(value, "value")) if isinstance(value, list) else [text_of(value, "value")]
    )
    if kind in _NOT:
        expect["not"] = [*expect.get("not", []), *values]
        return True
    if kind in _ALL or "answers" in expect:  # two assertions must both hold
        if len(values) > 1 and kind in _ANY:
            return False
        earlier = expect.pop("answers", [])
        if len(earlier) > 1:
            expect["answers"] = earlier
            return False
        expect["all_of"] = [*expect.get("all_of", []), *earlier, *values]
    elif "all_of" in expect and len(values) == 1:
        expect["all_of"] = [*expect["all_of"], *values]
    else:
        expect["answers"] = values
    expect["match"] = match
    return True
