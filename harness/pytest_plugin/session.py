"""A session: what pytest knows of the project, its targets and their answers."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness.config import SEALED, Project, load_project
from harness.errors import HarnessError, SuiteError
from harness.pytest_plugin.findings import Findings
from harness.pytest_plugin.names import rule_names
from harness.pytest_plugin.options import Options
from harness.records.attempt import Attempt, Score
from harness.records.rule import Policy
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.sections.section_kinds import kinds, load_suites
from harness.storage import RunFolder
from harness.suites.load import SUITE_FILE, load_suite

if TYPE_CHECKING:
    from harness.session.context import GateContext


class Answers:
    """The scores of a run by case, repeat after repeat; `attempts` are read when asked for."""

    def __init__(self, run: RunRecord, attempts: Mapping[str, Attempt]) -> None:
        by_case: defaultdict[str, list[Score]] = defaultdict(list)
        for score in run.scores:
            by_case[score.path].append(score)
        self.attempts = attempts
        self.scores = {
            path: tuple(sorted(scores, key=lambda score: score.repeat))
            for path, scores in by_case.items()
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
    def live_baseline(self) -> str | None:
        """The baseline's name where it is a target, None where it is sealed or there is none."""
        baseline = self.baseline
        return None if baseline is None or baseline.startswith(SEALED) else baseline

    @property
    def asked_targets(self) -> tuple[str, ...]:
        """The targets of the command line, and the baseline where it is one."""
        live = self.live_baseline
        return tuple(dict.fromkeys([*self.options.targets, *([live] if live else [])]))

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

    def scores(self, target: str | None, case: str) -> tuple[Score, ...]:
        """The scores of a case, of a target or a sealed baseline; none where it was not asked."""
        answers = None if target is None else self._answers_of(target)
        return () if answers is None else answers.scores.get(case, ())

    def attempt(self, target: str, score: Score) -> Attempt:
        """The attempt that one of the target's `scores` is about.

        Raises:
            KeyError: the target has no such score.
        """
        answers = self._answers_of(target)
        return ({} if answers is None else answers.attempts)[score.key]

    def error_line(self, error: HarnessError) -> str:
        """The error on one line, its paths as seen from the project."""
        return error_line(error, self.project.root)

    def _answers_of(self, target: str) -> Answers | None:
        if target not in self._answers:
            found = self._read_answers(target)
            if found is None:
                return None
            self._answers[target] = found
        return self._answers[target]

    def _read_answers(self, target: str) -> Answers | None:
        if target.startswith(SEALED):
            run = None if self.context is None else self.context.sealed
            return None if run is None else Answers(run, {one.key: one for one in run.attempts})
        finished = None if self.findings is None else self.findings.runs.get(target)
        if finished is None:
            return None
        folder = RunFolder(self.project.runs / finished)
        run = folder.load()
        recorded = {one.attempt.key: one.attempt for one in run.recorded}
        return Answers(run, ChainMap(recorded, cast("dict[str, Attempt]", folder.attempts())))

    def _suite_files(self) -> Iterator[tuple[Path, Path]]:
        """The project's suite files, resolved, with the path by which each is loaded."""
        for place, given in enumerate(self.project.config.suites):
            path = self.project.resolve(given, f"suites[{place}]")
            yield (path / SUITE_FILE if path.is_dir() else path).resolve(), path

    def _load(self) -> dict[Path, Suite]:
        """The suites by their files; where one cannot be loaded, those that can."""
        order = self.options.order
        try:
            if self.project.config.gate is None and self.options.baseline is None:
                suites = load_suites(self.project)
            else:
                self.context = self._open_context(order.suites if order else ())
                # What a gate leaves out must not be asked for here either.
                suites = load_suites(self.project) if order else self.context.suites
        except SuiteError:
            loaded = self._load_each()
            if not self.broken:
                raise
            return loaded
        wanted = (order.suites if order else ()) or {suite.name for suite in suites}
        files = zip(self.files, suites, strict=True)
        return {file: suite for file, suite in files if suite.name in wanted}

    def _open_context(self, suites: tuple[str, ...]) -> GateContext:
        from harness.session.context import open_context  # brings the statistics

        named = self.options.baseline or self.project.policy().baseline
        candidates = [name for name in self.options.targets if name != named]
        context = open_context(self.project, candidates, self.options.baseline, suites)
        for candidate in candidates:
            context.check_repeats(candidate, self.options.repeats)
        return context

    def _load_each(self) -> dict[Path, Suite]:
        """The suites that can be loaded, each by itself; the others go to `broken`."""
        loaded: dict[Path, Suite] = {}
        broken: dict[Path, HarnessError] = {}
        for file, path in self.files.items():
            try:
                loaded[file] = load_suite(path, kinds())
            except SuiteError as error:
                broken[file] = error
        self.broken = broken
        return loaded
