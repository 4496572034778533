"""What a gate hands to CI: options, files, annotations; also when it comes to no verdict."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import click

from harness.ci.annotations import Place, build_annotations, render_github
from harness.ci.comment import marker
from harness.ci.failure import failure_annotation, named_place
from harness.ci.outputs import Handout
from harness.ci.places import find_places, repository_root
from harness.cli.console import unbroken
from harness.cli.trouble import INTERRUPTED
from harness.clock import SYSTEM_CLOCK, iso
from harness.config import WORKING
from harness.errors import EvidenceError, HarnessError, StorageError
from harness.files import seen_from
from harness.report.failure import Failure
from harness.session.context import GateContext
from harness.session.gate import GateOutcome
from harness.yaml_files import line_of

F = TypeVar("F", bound=Callable[..., Any])


def handout_options(command: F) -> F:
    """Add `--output-dir`, `--summary`, `--annotations` and `--report-url`, given as `wishes`."""
    for option in (
        click.option(
            "--report-url",
            metavar="URL",
            help="With --output-dir: where its files can be read; the CI job's page by default.",
        ),
        click.option(
            "--annotations",
            type=click.Choice(["github"]),
            help="Print what went wrong with file and line, as GitHub's workflow commands.",
        ),
        click.option(
            "--summary",
            type=click.Choice(["md"]),
            help="With --output-dir: write summary.md too, for a job's page.",
        ),
        click.option(
            "--output-dir",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Write the report there too, with what CI shows and posts.",
        ),
    ):
        command = option(command)
    return command


class CiJob:
    """Hands out what a gate in CI came to; as a context, also that it came to nothing.

    `baseline` is for the words of a failure, and may be set when it becomes known.
    """

    def __init__(
        self,
        candidate: str,
        baseline: str | None,
        config: Path,
        wishes: dict[str, Any],
        *,
        quiet: bool,
    ) -> None:
        self.candidate = candidate
        self.baseline = baseline or ""
        self._config = config
        self._root = repository_root()
        self._annotates = wishes["annotations"] is not None
        self._quiet = quiet
        self._shown = ""
        self._handout: Handout | None = None
        folder: Path | None = wishes["output_dir"]
        if folder is None and (wishes["summary"] or wishes["report_url"]):
            raise click.UsageError("--summary and --report-url go with --output-dir")
        if folder is not None and folder.resolve() == (config.parent / WORKING).resolve():
            raise click.BadParameter(
                "is where the project keeps its own records", param_hint="--output-dir"
            )
        url = wishes["report_url"] or ""
        if url and not url.startswith(("https://", "http://")):
            raise click.BadParameter("begins with https://", param_hint="--report-url")
        if folder is not None:
            self._handout = Handout(
                folder=folder,
                mark=marker(candidate, baseline or "", seen_from(self._root, config)),
                url=url or job_url(),
                summary=wishes["summary"] is not None,
            )

    def __enter__(self) -> Self:
        if self._handout is not None:
            self._handout.clear()
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
        if self._handout is None and not self._annotates:
            return
        verdict, comparison = outcome.verdict, outcome.comparison
        places = find_places(context, comparison, self._config, self._root)
        if self._handout is not None:
            report = context.folder(verdict.candidate)
            self._shown = self._handout.give(report, verdict, comparison, places, outcome.entry)
        else:
            self._shown = render_github(build_annotations(verdict, comparison, places))

    def _fail(self, failure: Failure) -> None:
        annotation = failure_annotation(failure, self._place(failure.where))
        self._shown = render_github([annotation])
        if self._handout is not None:
            try:
                self._handout.fail(failure, annotation)
            except StorageError as second:
                # The first error is the one to be told.
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
        if self._annotates:
            # The runner reads both streams, and JSON on standard output stays JSON.
            with unbroken():
                click.echo(self._shown, nl=False, err=self._quiet)

    def _failure(self, error: BaseException) -> Failure:
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
        return Failure(word, self.candidate, self.baseline, line, where, code, stamp)


def job_url() -> str:
    """The page of the CI job that this is, or nothing elsewhere."""
    known = os.environ.get
    if known("GITHUB_RUN_ID"):
        server, repository = known("GITHUB_SERVER_URL", ""), known("GITHUB_REPOSITORY", "")
        return f"{server}/{repository}/actions/runs/{known('GITHUB_RUN_ID')}"
    return known("CI_JOB_URL", "")
