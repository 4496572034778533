"""The output of a gate for CI: files and annotations, also where it gives no verdict."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import click

from harness.ci.annotations import (
    Place,
    build_annotations,
    failure_annotation,
    find_places,
    named_place,
    render_github,
    repository_root,
)
from harness.ci.outputs import JobOutputs, marker
from harness.clock import SYSTEM_CLOCK, iso
from harness.errors import INTERRUPTED, EvidenceError, HarnessError, StorageError
from harness.files import seen_from
from harness.report.content import GateFailure
from harness.session.context import GateContext
from harness.session.gate import GateOutcome
from harness.yaml_files import line_of


@dataclass(frozen=True, slots=True)
class CiOptions:
    """The options of a CI job: a folder for the files, and annotations on the output.

    `report_url` is where the folder's files can be read, empty for the job's own page.
    """

    output_dir: Path | None = None
    summary: bool = False
    annotations: bool = False
    report_url: str = ""


class CiJob:
    """Writes and prints the CI output of a gate; as a context manager, also for a failed gate.

    `baseline` is for the words of a failure, and may be set when it becomes known. `echo` prints
    the annotations.
    """

    def __init__(
        self,
        candidate: str,
        baseline: str | None,
        config: Path,
        options: CiOptions,
        echo: Callable[[str], None],
    ) -> None:
        self.candidate = candidate
        self.baseline = baseline or ""
        self._config = config
        self._root = repository_root()
        self._options = options
        self._echo = echo
        self._annotations = ""
        self._outputs: JobOutputs | None = None
        if options.output_dir is not None:
            self._outputs = JobOutputs(
                folder=options.output_dir,
                mark=marker(candidate, baseline or "", seen_from(self._root, config)),
                url=options.report_url or job_url(),
                summary=options.summary,
            )

    def __enter__(self) -> Self:
        if self._outputs is not None:
            self._outputs.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._print()
        elif not isinstance(error, SystemExit):
            self._fail(self._failure(error))

    def give(self, context: GateContext, outcome: GateOutcome) -> None:
        """Write the files; the annotations are printed at the end, below the verdict.

        Raises:
            StorageError: the folder cannot be written.
        """
        if self._outputs is None and not self._options.annotations:
            return
        verdict, comparison = outcome.verdict, outcome.comparison
        places = find_places(context, comparison, self._config, self._root)
        if self._outputs is not None:
            report = context.folder(verdict.candidate)
            self._annotations = self._outputs.give(
                report, verdict, comparison, places, outcome.entry
            )
        else:
            self._annotations = render_github(build_annotations(verdict, comparison, places))

    def _fail(self, failure: GateFailure) -> None:
        annotation = failure_annotation(failure, self._place(failure.where))
        self._annotations = render_github([annotation])
        if self._outputs is not None:
            try:
                self._outputs.fail(failure, annotation)
            except StorageError as second:
                # The first error is the one to report.
                click.echo(f"warning: {second.line}", err=True)
        self._print()

    def _place(self, where: str) -> Place:
        """Where the error is: in the file that it names if there is one, else the configuration."""
        name, line, key = named_place(where)
        if os.path.isfile(name):  # noqa: PTH113 - is quiet about what can be no path
            file = Path(name)
        else:  # a server's port looks like a line
            file, line, key = self._config, None, ""
        return Place(seen_from(self._root, file), line_of(file, key) if key else line)

    def _print(self) -> None:
        if self._options.annotations:
            self._echo(self._annotations)

    def _failure(self, error: BaseException) -> GateFailure:
        word: Literal["INVALID", "ERROR", "INTERRUPTED"] = "ERROR"
        where, code, line = "", 3, ""
        if isinstance(error, KeyboardInterrupt | click.exceptions.Abort):
            word, code, line = "INTERRUPTED", INTERRUPTED, "the gate was interrupted"
        elif isinstance(error, HarnessError):
            word = "INVALID" if isinstance(error, EvidenceError) else "ERROR"
            where, code, line = error.where, error.exit_code, error.line
        elif isinstance(error, click.ClickException):
            code, line = error.exit_code, error.format_message()
        else:
            line = f"internal error: {type(error).__name__}: {error}"
        stamp = iso(SYSTEM_CLOCK.utc())
        return GateFailure(word, self.candidate, self.baseline, line, where, code, stamp)


def job_url() -> str:
    """The page of the present CI job, empty outside CI."""
    known = os.environ.get
    if known("GITHUB_RUN_ID"):
        server, repository = known("GITHUB_SERVER_URL", ""), known("GITHUB_REPOSITORY", "")
        return f"{server}/{repository}/actions/runs/{known('GITHUB_RUN_ID')}"
    return known("CI_JOB_URL", "")
