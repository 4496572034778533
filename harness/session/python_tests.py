"""Python tests of suites: pytest runs them in a process of its own where a gate lacks them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness import process_guard
from harness.config import Project
from harness.errors import EvidenceError, InfrastructureError, UsageError
from harness.files import exclusive, seen_from, storage_error
from harness.gate.python_evidence import counted, settled
from harness.records.errand import Errand
from harness.records.progress import Watcher
from harness.records.run import Run
from harness.records.suite import Suite
from harness.report.text import on_a_line
from harness.run.plan import Selection
from harness.sections.python import PythonSection
from harness.session.context import GateContext
from harness.storage import RunFolder
from harness.storage.mirror import Mirror

# A test that is under way, and the servers of the session, have as long to end after Ctrl-C.
_GRACE = 30.0
_NESTED = "HARNESS_PYTHON_TESTS_OF"
# What a user's own session of pytest leaves to its children would make another one of this.
_KEPT = ("PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
_TAIL, _SHOWN, _WIDE = 65536, 15, 160
# How often progress is looked for, in seconds, and how pytest tells of it.
_LOOK = 1.0
_SHARE = re.compile(r"\[ *(\d+)%\]$", re.MULTILINE)
# What pytest writes of what it cannot go on with, the most telling first.
_COMPLAINTS = (
    re.compile(r"ERROR: (.+)"),
    re.compile(r"INTERNALERROR> (?=\S+: )(.+)"),
    re.compile(r"E {2,}(\S.*)"),
    re.compile(r"!+ (.+?) !+"),
)

Missing = Mapping[str, Sequence[str]]


def with_python_tests(
    bench: GateContext,
    candidate: str,
    runs: Mapping[str, Run],
    selection: Selection,
    watcher: Watcher,
) -> dict[str, Run]:
    """The runs with scores of all Python tests of their suites, which are run now where missing.

    What has to be asked for cases must have been asked: the tests belong to these runs.

    Raises:
        UsageError: this is itself such a test.
        EvidenceError: pytest came to an end without their scores.
        InfrastructureError: it did not come to an end.
        StorageError: its output cannot be written, or `runs_dir`.
    """
    missing = _missing(bench, runs)
    if not missing:
        return dict(runs)
    project = bench.project
    if os.environ.get(_NESTED) == str(project.root.resolve()):
        raise UsageError(
            "a Python test of a suite cannot wait for a gate that waits for it",
            hint="judge what is stored, or move it to a file that no section names",
        )
    before = _sessions(bench, runs)
    with _own_log(project, bench.folder(candidate).name) as log:
        said = _have_run(bench, missing, selection, log, watcher)
    for target, names in _missing(bench, runs, before).items():
        raise EvidenceError(
            f"`{target}` has no scores of the Python tests of {names[0]}: "
            f"{_note(said, names[0], target)}",
            where=seen_from(Path.cwd(), log),
        )
    folders = {name: project.runs / runs[name].header.run_id for name in missing}
    mirror = Mirror.open(project.config.runs_dir, watcher.say)
    for folder in folders.values():
        mirror.finish(folder)
    return {**runs, **{name: RunFolder(folder).load() for name, folder in folders.items()}}


def _have_run(
    bench: GateContext, missing: Missing, selection: Selection, log: Path, watcher: Watcher
) -> list[str]:
    """What pytest says at its end, which is to record what is missing."""
    where = seen_from(Path.cwd(), log)
    for section in dict.fromkeys(name for names in missing.values() for name in names):
        whom = ", ".join(target for target, names in missing.items() if section in names)
        watcher.say(f"pytest runs the Python tests of {section} for {whom}; its output: {where}")
    code = _run(_command(bench, missing, selection), bench.project, log, watcher)
    said = _said(log)
    if code not in (0, 1):
        for line in said[-_SHOWN:]:
            watcher.say(f"| {on_a_line(line, _WIDE)}")
        raise InfrastructureError(
            f"the Python tests did not come to an end, pytest left with exit code {code}: "
            f"{_complaint(said)}",
            where=where,
        )
    return said


def tell_of_unfinished(bench: GateContext, runs: Mapping[str, Run], watcher: Watcher) -> None:
    """Say which sections are judged by an older session than the newest, which did not end."""
    now = bench.grounds(runs)
    for name, run in runs.items():
        recording = RunFolder(bench.project.runs / run.header.run_id).recording()
        if recording is None or recording.freshness != run.header.freshness:
            continue
        held = {section.place for section in counted(run, now).taken}
        for section in map(".".join, sorted(held & recording.unfinished)):
            watcher.say(
                f"{name}: the Python tests of {section} were begun again since and did not "
                "come to an end; what was recorded before counts"
            )


def _sessions(bench: GateContext, runs: Mapping[str, Run]) -> dict[str, set[str]]:
    """By target, the sessions that recorded what there is."""
    found = {}
    for name, run in runs.items():
        recording = RunFolder(bench.project.runs / run.header.run_id).recording()
        sections = () if recording is None else recording.sections
        found[name] = {section.session for section in sections}
    return found


def _missing(
    bench: GateContext, runs: Mapping[str, Run], before: Mapping[str, set[str]] | None = None
) -> dict[str, tuple[str, ...]]:
    """By target, the sections whose tests have to be run.

    Where the sessions `before` are given, by target, what others have recorded need not be.
    """
    now = bench.grounds(runs)
    wanted = [(suite.name, section.name) for suite, section in _sections(bench)]
    found = {}
    for name, run in runs.items():
        recording = RunFolder(bench.project.runs / run.header.run_id).recording()
        older = None if before is None else before[name]
        known = settled(recording, run.header.freshness, now, older)
        if lacking := tuple(".".join(place) for place in wanted if place not in known):
            found[name] = lacking
    return found


def _sections(bench: GateContext) -> list[tuple[Suite, PythonSection]]:
    return [
        (suite, section)
        for suite in bench.suites
        for section in suite.sections
        if isinstance(section, PythonSection)
    ]


def _command(bench: GateContext, missing: Missing, selection: Selection) -> list[str]:
    project = bench.project
    names = {name for each in missing.values() for name in each}
    files = [
        Path(suite.folder).absolute() / section.file
        for suite, section in _sections(bench)
        if f"{suite.name}.{section.name}" in names
    ]
    errand = Errand(
        suites=tuple(suite.name for suite in bench.suites),
        tests={target: tuple(each) for target, each in missing.items()},
        concurrency=selection.concurrency,
    )
    return [
        *(sys.executable, "-m", "pytest", "-p", "harness", "-v", "-ra", "--color=no"),
        # Whoever wrote those thought of a session of his own: a part of the tests, many processes.
        *("-o", "addopts=", "-o", f"cache_dir={project.root / '.harness' / 'pytest' / 'cache'}"),
        *("--harness-config", str(project.root / Path(project.file).name)),
        *(word for target in missing for word in ("--harness-target", target)),
        *("--harness-baseline", bench.policy.baseline),
        *(() if selection.repeats is None else ("--harness-repeats", str(selection.repeats))),
        *("--harness-errand", errand.model_dump_json()),
        *(seen_from(project.root, file) for file in files),
    ]


def _run(line: Sequence[str], project: Project, log: Path, watcher: Watcher) -> int:
    """The exit code of pytest, which ends when this process does."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTEST_") or name in _KEPT
    }
    with _opened(log) as file:
        process = subprocess.Popen(
            [sys.executable, "-P", process_guard.__file__, str(_GRACE), *line],
            cwd=project.root,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**kept, "COLUMNS": "200", _NESTED: str(project.root.resolve())},
            # Out of reach of the terminal's Ctrl-C: it is told when its input ends.
            start_new_session=True,
        )
    try:
        while True:
            try:
                return process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                shares = _SHARE.findall("\n".join(_said(log)))
                watcher.progress("Python tests (%)", int(shares[-1]) if shares else 0, 100, "")
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait()


@contextlib.contextmanager
def _own_log(project: Project, name: str) -> Iterator[Path]:
    """The log of that name, or one with a word of its own where another process writes that."""
    folder, taken = project.root / ".harness" / "pytest", InfrastructureError("is being written")
    with contextlib.ExitStack() as stack:
        log = folder / f"{name}.log"
        try:
            stack.enter_context(exclusive(folder / f"{name}.lock", taken))
        except InfrastructureError as error:
            if error is not taken:
                raise
            log = folder / f"{name}.{secrets.token_hex(8)}.log"
        yield log


@contextlib.contextmanager
def _opened(log: Path) -> Iterator[int]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("wb")
    except OSError as error:
        raise storage_error(error, log) from error
    with file:
        yield file.fileno()


def _said(log: Path) -> list[str]:
    """The last lines of pytest's output that are not empty."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL))
        return [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return []


def _complaint(said: Sequence[str]) -> str:
    """What pytest says is wrong, on one line."""
    for pattern in _COMPLAINTS:
        found = [match[1] for line in said if (match := pattern.match(line))]
        if found:
            return on_a_line(found[-1], 400)
    return on_a_line(said[-1], 400) if said else "it said nothing"


def _note(said: Sequence[str], section: str, target: str) -> str:
    """What the session noted about a section that it did not record."""
    start = f"{section} of {target}: "
    notes = [line.removeprefix(start) for line in said if line.startswith(start)]
    return on_a_line(notes[-1], 400) if notes else "pytest recorded none"
