"""A session: what pytest knows of the project, its targets and their answers."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness.config import SEALED, Project, load_project
from harness.errors import HarnessError, SuiteError
from harness.pytest_plugin.findings import Findings
from harness.pytest_plugin.names import rule_names
from harness.pytest_plugin.options import Options
from harness.records.attempt import Attempt, Score
from harness.records.policy import Policy
from harness.records.run import Run
from harness.records.suite import Suite
from harness.sections.load_suites import load_suites
from harness.sections.registry import kinds
from harness.storage import RunFolder
from harness.suites.load import SUITE_FILE, load_suite
from harness.targets.endpoint import Endpoint, connect

if TYPE_CHECKING:
    from harness.session.context import GateContext


@dataclass(frozen=True, slots=True)
class Answers:
    """The scores of a run by case, repeat after repeat; an attempt is read when it is asked for."""

    target: str
    scores: Mapping[str, tuple[Score, ...]]
    attempts: Mapping[str, Attempt]

    def of(self, case: str) -> tuple[Score, ...]:
        """The scores of a case, none where it was not asked."""
        return self.scores.get(case, ())

    def attempt(self, score: Score) -> Attempt:
        """The attempt that was scored."""
        return self.attempts[score.key]


def stored_answers(folder: RunFolder) -> Answers:
    """The answers of a finished run.

    Raises:
        EvidenceError: there is none, or it is not as it was when it was finished.
    """
    run = folder.load()
    recorded = {one.attempt.key: one.attempt for one in run.recorded}
    attempts = ChainMap(recorded, cast("dict[str, Attempt]", folder.attempts()))
    return Answers(run.header.target, _by_case(run.scores), attempts)


def held_answers(run: Run, name: str) -> Answers:
    """The answers of a run that no folder holds, under a name of its own."""
    return Answers(name, _by_case(run.scores), {one.key: one for one in run.attempts})


def _by_case(scores: Iterable[Score]) -> dict[str, tuple[Score, ...]]:
    found: defaultdict[str, list[Score]] = defaultdict(list)
    for score in scores:
        found[score.path].append(score)
    return {
        path: tuple(sorted(several, key=lambda one: one.repeat)) for path, several in found.items()
    }


def error_line(error: HarnessError, root: Path) -> str:
    """The error on one line, its paths as seen from a folder."""
    return error.line.replace(f"{root}/", "")


class SessionState:
    """One session's project, opened once; `findings` are there when everything was asked.

    `context` is None where the project has no policy, or where a suite cannot be loaded: `broken`
    then says which and why, by its file. `partial` are the folders of reports on candidates that
    were broken off.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.project: Project = load_project(options.config)
        for target in options.targets:
            self.project.target(target)
        self.files = dict(self._suite_files())
        self.context: GateContext | None = None
        self.broken: Mapping[Path, HarnessError] = {}
        self.collected: dict[str, None] = {}
        self.wide_owner: Path | None = None
        self.findings: Findings | None = None
        self.partial: dict[str, Path] = {}
        self.suites = self._load()
        self._answers: dict[str, Answers] = {}

    @property
    def policy(self) -> Policy | None:
        """The policy, with the baseline that the command line asks for."""
        return None if self.context is None else self.context.policy

    @property
    def baseline(self) -> str | None:
        """The baseline's name, None where there is no policy."""
        return None if self.policy is None else self.policy.baseline

    @property
    def candidates(self) -> tuple[str, ...]:
        """The targets that the policy judges: the baseline is not held against itself."""
        return tuple(name for name in self.options.targets if name != self.baseline)

    @cached_property
    def rule_names(self) -> list[str]:
        """A name for each rule of the policy."""
        return [] if self.policy is None else rule_names(self.policy.rules)

    def suite_at(self, path: Path) -> Suite:
        """The suite of a file.

        Raises:
            SuiteError: it cannot be loaded, or is not the project's.
        """
        file = path.resolve()
        if file in self.broken:
            raise self.broken[file]
        if file not in self.suites:
            hint = f"add its folder to them, it has {', '.join(self.project.config.suites)}"
            raise SuiteError(
                f"is not among `suites:` of {self.options.config.name}", where=str(path), hint=hint
            )
        return self.suites[file]

    def scope(self, names: tuple[str, ...]) -> GateContext:
        """The context on which only the named suites count.

        Raises:
            UsageError: there is no policy, or another suite cannot be loaded.
        """
        from harness.session.context import open_context

        if self.context is not None and len(names) == len(self.context.suites):
            return self.context
        return open_context(self.project, self.candidates, self.options.baseline, names)

    def answers(self, target: str) -> Answers | None:
        """What was answered for a target or a sealed baseline, None where it was not asked."""
        if target not in self._answers:
            found = self._look_up(target)
            if found is None:
                return None
            self._answers[target] = found
        return self._answers[target]

    @contextmanager
    def live(self, target: str, log: Path, say: Callable[[str], None]) -> Iterator[Endpoint]:
        """An endpoint at which the target answers for as long as the block runs.

        A managed server is started for all targets of the session that are on it.

        Raises:
            ServerError: it does not start.
        """
        server = self.project.target(target).server
        names = (*self.options.targets, *(self.context.live_baseline if self.context else ()))
        there = [name for name in dict.fromkeys(names) if self._server(name) == server]
        with connect(self.project, server, there, log, say) as endpoint:
            yield endpoint

    def error_line(self, error: HarnessError) -> str:
        """The error on one line, its paths as seen from the project."""
        return error_line(error, self.project.root)

    def _server(self, target: str) -> str:
        return self.project.target(target).server

    def _look_up(self, target: str) -> Answers | None:
        if target.startswith(SEALED):
            sealed = None if self.context is None else self.context.sealed
            return None if sealed is None else held_answers(sealed, target)
        run = None if self.findings is None else self.findings.runs.get(target)
        return None if run is None else stored_answers(RunFolder(self.project.runs / run))

    def _suite_files(self) -> Iterator[tuple[Path, Path]]:
        """The project's suite files, resolved, with the path by which each is loaded."""
        for place, given in enumerate(self.project.config.suites):
            path = self.project.resolve(given, f"suites[{place}]")
            yield (path / SUITE_FILE if path.is_dir() else path).resolve(), path

    def _load(self) -> dict[Path, Suite]:
        """The suites by their files; where one cannot be loaded, those that can."""
        try:
            if self.project.config.gate is None and self.options.baseline is None:
                suites = load_suites(self.project)
            else:
                self.context = self._open()
                # What a gate leaves out must not be asked for here either.
                suites = load_suites(self.project) if self.options.order else self.context.suites
        except SuiteError:
            loaded, self.broken = self._load_each()
            if not self.broken:
                raise
            return loaded
        wanted = self._wanted() or {suite.name for suite in suites}
        files = zip(self.files, suites, strict=True)
        return {file: suite for file, suite in files if suite.name in wanted}

    def _wanted(self) -> tuple[str, ...]:
        """The suites that a gate's order is about; of any other session, none are named."""
        return self.options.order.suites if self.options.order else ()

    def _open(self) -> GateContext:
        from harness.session.context import open_context  # brings the statistics

        named = self.options.baseline or self.project.policy().baseline
        candidates = [name for name in self.options.targets if name != named]
        context = open_context(self.project, candidates, self.options.baseline, self._wanted())
        for candidate in candidates:
            context.check_repeats(candidate, self.options.repeats)
        return context

    def _load_each(self) -> tuple[dict[Path, Suite], dict[Path, HarnessError]]:
        loaded: dict[Path, Suite] = {}
        broken: dict[Path, HarnessError] = {}
        for file, path in self.files.items():
            try:
                loaded[file] = load_suite(path, kinds())
            except SuiteError as error:
                broken[file] = error
        return loaded, broken
