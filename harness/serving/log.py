"""Reading a server's log: its tail, and the line with the error that ended it."""

from __future__ import annotations

import re
from pathlib import Path

_READ = 256 * 1024
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
# `(EngineCore pid=12) ERROR 11-20 14:47:15 [core.py:1] ` and the like.
_HEAD = re.compile(
    r"^(?:\([^)]*pid=\d+\)\s*)?(?:[A-Z]+ \d\d-\d\d \d\d:\d\d:\d\d (?:\[[^\]]*\] ?)?)?"
)
_INFO = re.compile(r"^(?:\([^)]*pid=\d+\)\s*)?INFO \d\d-\d\d ")
_EXCEPTION = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Exit)\b: \S|^[\w./ -]+: error: \S")
# A process reports an error that another one has reported with its cause.
_ECHO = re.compile(r"See root cause above|Engine core initialization failed|EngineDeadError")
_COMPILING = re.compile(
    r"compil|dynamo|inductor|autotun|\bjit\b|captur\w* .*graph|graph.* captur"
    r"|warm(?:s|ed|ing)?[ -]?up",
    re.IGNORECASE,
)
# What vLLM writes when it comes to a phase of its start, and what that is called here.
_PHASES = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"Initializing a \w+ LLM engine", "the engine starts"),
        (r"Starting to load model", "the weights are loaded"),
        (r"(?:Loading weights|Model loading) took", "the weights are there"),
        (r"Dynamo|Compiling|torch\.compile|Directly load the compiled", "the model is compiled"),
        (r"Capturing|Graph capturing", "its graphs are captured"),
        (r"Warming up model", "the model is warmed up"),
        (r"(?:\w+ )?KV cache size: ([\d,]+) tokens", r"the cache has room for \1 tokens"),
        (r"Loaded new LoRA adapter: name '([^']+)'", r"the adapter \1 is loaded"),
    )
)
# One process waits for another that works: no step of its own, and no error.
_WAITING = re.compile(r"No available shared memory broadcast block")
# With its options a server also logs requests and answers, which are not its own words.
_REQUEST = re.compile(r"^(?:Received request|Generated response|Request \S+ (?:details|JSON)) ?")
_LONGEST = 300
_LONGEST_START = 4096


def tail(path: Path, lines: int, start: int = 0) -> str:
    """The last lines of a log from byte `start` on, without terminal codes; empty if none."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(start, end - _READ))
            text = file.read()
    except OSError:
        return ""
    return "\n".join(_lines(text)[-lines:])


def length(path: Path) -> int:
    """The bytes of a log now; 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def between(path: Path, start: int, end: int) -> list[str]:
    """The lines of a log that end after byte `start`, up to byte `end`, of 256 KB at most."""
    begin = max(0, start - _LONGEST_START)
    try:
        with path.open("rb") as file:
            file.seek(begin)
            before = file.read(start - begin)
            text = file.read(max(0, min(end - start, _READ)))
    except OSError:
        return []
    # Of a line that had begun before, the beginning belongs to it.
    return _lines(before[before.rfind(b"\n") + 1 :] + text) if text else []


def compiling(lines: list[str], most: int = 5) -> tuple[str, ...]:
    """Those that tell of compiling, capturing graphs or warming up; at most so many, each once."""
    found = (_cut(_HEAD.sub("", line)) for line in lines)
    telling = (line for line in found if _COMPILING.search(line) and not _REQUEST.match(line))
    return tuple(dict.fromkeys(telling))[:most]


def last_error(text: str) -> str:
    """The last line of a log that names an error, with its continuation; else the last line."""
    lines = [_HEAD.sub("", line) for line in text.splitlines() if not _WAITING.search(line)]
    errors = [number for number, line in enumerate(lines) if _EXCEPTION.match(line)]
    telling = [number for number in errors if not _ECHO.search(lines[number])] or errors
    if not telling:
        return _cut(lines[-1]) if lines else ""
    number = telling[-1]
    found = [lines[number]]
    # pydantic and argparse go on in indented lines.
    for line in lines[number + 1 : number + 3]:
        if not line.startswith("  ") or "Traceback" in line:
            break
        found.append(line.strip())
    return _cut(" ".join(found))


def phase(text: str) -> str:
    """The phase of starting that a log has come to, for a person who waits; empty if none is told.

    Of all that a server says of itself only this: the log has the rest.
    """
    for line in reversed(text.splitlines()):
        if _INFO.match(line):
            message = _HEAD.sub("", line)
            for pattern, words in _PHASES:
                if found := pattern.match(message):
                    return _cut(found.expand(words), 100)
    return ""


def _lines(text: bytes) -> list[str]:
    """The lines that are not empty, without terminal codes."""
    lines = text.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    return [line for line in (_CONTROL.sub("", line).rstrip() for line in lines) if line]


def _cut(line: str, longest: int = _LONGEST) -> str:
    line = " ".join(line.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
