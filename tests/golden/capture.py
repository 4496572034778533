"""What the package puts out, brought into a form that can be kept and compared."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import runpy
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import harness

TOLERANCE, OPTIMISED = 1e-9, 1e-6
_OPTIMISED = ("detectable", "planned", "groups_needed")
# What `python -m harness` runs.
MAIN = Path(harness.__file__).with_name("__main__.py")
# Where the page's list of all cases begins: before it stand verdict, rules and accounting.
CASES = "Find in prompts and answers"
_TIME = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( UTC|Z)?")
_DROPPED = ("script", "style", "svg", "title")
_FROM_OUTSIDE = ("CI", "GITHUB_", "GITLAB_", "HARNESS_", "PYTEST_", "COLUMNS", "FORCE_COLOR")


def clean_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would change what is put out."""
    kept = {name: value for name, value in given.items() if not name.startswith(_FROM_OUTSIDE)}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "100", "TZ": "UTC"}


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """The folder as the current one, and nothing from outside in the environment."""
    before, environment, arguments = Path.cwd(), dict(os.environ), sys.argv
    os.environ.clear()
    os.environ.update(clean_environment(environment))
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = arguments


def command(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit code of `harness` in the folder, and what it prints on its two streams."""
    with (
        _inside(folder),
        tempfile.TemporaryFile("w+b") as out,
        tempfile.TemporaryFile("w+b") as err,
    ):
        streams = [io.TextIOWrapper(file, encoding="utf-8", newline="") for file in (out, err)]
        sys.argv = ["harness", *arguments]
        code: object = 0
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            try:
                runpy.run_path(str(MAIN), run_name="__main__")
            except SystemExit as left:
                code = left.code
        texts = []
        for stream, file in zip(streams, (out, err), strict=True):
            stream.flush()
            file.seek(0)
            texts.append(file.read().decode("utf-8"))
            stream.detach()
    assert isinstance(code, int | None)
    return code or 0, *texts


@contextlib.contextmanager
def python_in(folder: Path) -> Iterator[None]:
    """The folder as the current one, for the Python face."""
    with _inside(folder):
        yield


def settled(text: str, folder: Path, *, times: bool = True) -> str:
    """The text without what depends on the moment, the machine and the version."""
    for place in sorted({str(folder), str(folder.resolve())}, key=len, reverse=True):
        text = text.replace(place, "<project>")
    text = re.sub(r'("harness_version": ?)"[^"]*"', r'\1"<version>"', text)
    text = re.sub(r"\bharness \d+\.\d+\.\d+\S*", "harness <version>", text)
    text = re.sub(r'("harness": ?)"\d[^"]*"', r'\1"<version>"', text)
    return _TIME.sub("<time>", text) if times else text


def as_json(text: str) -> str:
    """JSON with a line for each value at the top, and for each item of a list there.

    Items with the same keys are a line of keys and a line of values each.
    """
    return "\n".join(_spread(_thinned(json.loads(text))))


def _thinned(value: Any) -> Any:
    """The value with long lists of numbers summed up."""
    if isinstance(value, dict):
        return {key: _thinned(one) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    numbers = [one for one in value if isinstance(one, float | int)]
    if len(value) > 20 and all(one is None or isinstance(one, float | int) for one in value):
        return {"first": value[0], "last": value[-1], "n": len(value), "sum": sum(numbers)}
    return [_thinned(one) for one in value]


def _spread(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        content = {"": content}
    for key, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], list):
            for item in value:
                yield f"{key}[]: {json.dumps(item, ensure_ascii=False)}"
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            keys: list[str] = []
            for item in value:
                if list(item) != keys:
                    keys = list(item)
                    yield f"{key}[] keys: {json.dumps(keys)}"
                yield f"{key}[]: {json.dumps(list(item.values()), ensure_ascii=False)}"
        else:
            yield f"{key}: {json.dumps(value, ensure_ascii=False)}"


class _Visible(HTMLParser):
    """Reads a page's text in pieces; what stands in one row of a table is one piece."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = 0
        self.in_row = False
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.hidden += tag in _DROPPED
        if tag == "tr":
            self.in_row = True
            self.pieces.append("")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in _DROPPED
        if tag == "tr":
            self.in_row = False

    def handle_data(self, data: str) -> None:
        if self.hidden or not data.strip():
            return
        text = " ".join(data.split())
        if self.in_row:
            self.pieces[-1] = f"{self.pieces[-1]} {text}".strip()
        else:
            self.pieces.append(text)


def visible(html: str) -> list[str]:
    """The pieces of text that a page shows, without drawings, up to the list of its cases."""
    parser = _Visible()
    parser.feed(html)
    pieces = parser.pieces
    return pieces[: pieces.index(CASES)] if CASES in pieces else pieces


def whole(html: str) -> str:
    """All text that a page shows."""
    parser = _Visible()
    parser.feed(html)
    return " ".join(parser.pieces)


def differences(name: str, expected: str, found: str) -> list[str]:
    """How what was found differs from what is expected; the form of both is told by the name."""
    if name.endswith(".page"):
        shown = "".join(found.split())
        lines = dict.fromkeys(expected.splitlines())
        return [f"not on the page: {one}" for one in lines if "".join(one.split()) not in shown]
    wanted, got = expected.splitlines(), found.splitlines()
    apart = []
    for number, (one, other) in enumerate(zip(wanted, got, strict=False), 1):
        if one != other and not _close_lines(name, one, other):
            apart.append(f"line {number}:\n  - {one}\n  + {other}")
    if len(wanted) != len(got):
        apart.append(f"{len(got)} lines in place of {len(wanted)}")
        apart += [f"  - {one}" for one in wanted[len(got) :]]
        apart += [f"  + {one}" for one in got[len(wanted) :]]
    return apart


def _close_lines(name: str, one: str, other: str) -> bool:
    if name.endswith(".json"):
        (key, _, value), (other_key, _, other_value) = one.partition(": "), other.partition(": ")
        tolerance = OPTIMISED if key.startswith(_OPTIMISED) else TOLERANCE
        return key == other_key and close(json.loads(value), json.loads(other_value), tolerance)
    return False


def close(one: Any, other: Any, tolerance: float = TOLERANCE) -> bool:
    """Whether two values of JSON are the same, numbers within the tolerance, keys in one order."""
    if isinstance(one, float | int) and isinstance(other, float | int):
        if isinstance(one, bool) or isinstance(other, bool):
            return one is other
        if isinstance(one, int) and isinstance(other, int):
            return one == other
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance / 10)
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(close(one[k], other[k], tolerance) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            close(a, b, tolerance) for a, b in zip(one, other, strict=True)
        )
    return bool(one == other)


MARK = "=== "


def joined(parts: dict[str, str]) -> str:
    """The parts in one text, each under a line with its name."""
    return "".join(f"{MARK}{name}\n{text.rstrip()}\n" for name, text in parts.items())


def parted(text: str) -> dict[str, str]:
    """The parts of a text that `joined` made."""
    found: dict[str, str] = {}
    for piece in f"\n{text}".split(f"\n{MARK}")[1:]:
        name, _, body = piece.partition("\n")
        found[name] = body.rstrip("\n")
    return found


def table(frame: Any, columns: Sequence[str] = ()) -> str:
    """A data frame as JSON: its columns with their types, then its rows."""
    shown = frame[list(columns)] if columns else frame
    rows = [[_value(cell) for cell in row] for row in shown.itertuples(index=False)]
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    return json.dumps({"types": kinds, "rows": rows}, ensure_ascii=False)


def _value(cell: Any) -> Any:
    if isinstance(cell, tuple | list):
        return [_value(one) for one in cell]
    if isinstance(cell, str | bool):
        return cell
    if cell is None or type(cell).__name__ == "NAType" or cell != cell:
        return None
    return cell.item() if hasattr(cell, "item") else cell
