"""The output of a gate for CI: files, annotations and a comment, also where it gives no verdict."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

import click

from harness.ci.annotations import (
    Annotation,
    Place,
    build_annotations,
    find_places,
    named_place,
    render_codequality,
    render_github,
    repository_root,
)
from harness.ci.change_request import COMMENT, MARK
from harness.clock import SYSTEM_CLOCK, iso
from harness.errors import INTERRUPTED, EvidenceError, HarnessError, StorageError, UsageError
from harness.files import read_bytes, seen_from, write_atomic
from harness.report.content import GateFailure, ReportContent
from harness.report.junit import render_failure_junit
from harness.report.markdown import render_markdown
from harness.report.rendering import render_text
from harness.report.write import FILES, JUNIT, copy_report, remove_files, remove_report
from harness.session.context import GateContext
from harness.session.gate import GateOutcome
from harness.storage.working_files import gate_line
from harness.yaml_files import line_of

SUMMARY, GATES = "summary.md", "gates.jsonl"
ANNOTATIONS, CODE_QUALITY = "annotations.txt", "codequality.json"
_OWN_FILES = (SUMMARY, COMMENT, ANNOTATIONS, CODE_QUALITY, GATES)
_CASES = 5
_LINK = 2_000


def marker(candidate: str, baseline: str, config: str) -> str:
    """A line that no reader sees and by which the comment is found again.

    It names the inputs of the job and not its outcome, so that it stays the same when a
    configuration does not load or names another baseline.
    """
    parts = (quote(part, safe="").replace("-", "%2D") for part in (candidate, baseline, config))
    return f"{MARK}{' '.join(part or '*' for part in parts)} -->"


def link(url: str, label: str = "The whole report") -> str:
    """A link to where the report can be read; empty without a url."""
    if not url or len(url) > _LINK:
        return ""
    return f"[{label}]({quote(url, safe='/:?#&=%@+~,;')})"


def render_comment(report: ReportContent, mark: str, url: str) -> str:
    """The comment under `mark`: verdict, deciding rules, the worst new failures, a link.

    No line begins with the words of a model, and all of these are code on one line: what a site
    makes of a line's beginning, such as a command, is never theirs.
    """
    group = report.group("new_failure")
    failures = group.once if group else ()
    order = ("fail", "invalid", "inconclusive")
    return render_text(
        "comment.md.j2",
        mark=mark,
        report=report,
        verdict=report.verdict,
        open_rules=sorted(
            (rule for rule in report.rules if rule.outcome != "pass"),
            key=lambda rule: order.index(rule.outcome),
        ),
        group=group,
        critical=sum(case.critical for case in failures),
        failures=failures[:_CASES],
        link=link(url),
    )


def render_failure(failure: GateFailure, url: str) -> str:
    """The summary of a gate without a verdict: the word, why, and what it does not mean."""
    return render_text("failure.md.j2", failure=failure, link=link(url, "The job's page"))


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
        self._folder = options.output_dir
        self._echo = echo
        self._mark = marker(candidate, self.baseline, seen_from(self._root, config))
        self._url = options.report_url or job_url()
        self._annotations = ""

    def __enter__(self) -> Self:
        if self._folder is not None:
            _clear(self._folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, SystemExit):
            self._fail(self._failure(error))
        if self._options.annotations and not isinstance(error, SystemExit):
            self._echo(self._annotations)

    def give(self, context: GateContext, outcome: GateOutcome) -> None:
        """Write the files; the annotations are printed at the end, below the verdict.

        Raises:
            StorageError: the folder cannot be written.
        """
        if self._folder is None and not self._options.annotations:
            return
        verdict, comparison = outcome.verdict, outcome.comparison
        places = find_places(context, comparison, self._config, self._root)
        annotations = build_annotations(verdict, comparison, places)
        self._annotations = render_github(annotations)
        if self._folder is not None:
            report = ReportContent(verdict, comparison)
            summary = f"{render_markdown(report)}\n{link(self._url)}".rstrip() + "\n"
            comment = render_comment(report, self._mark, self._url)
            self._write(self._folder, summary, comment, annotations)
            write_atomic(self._folder / GATES, gate_line(outcome.entry) + "\n")
            copy_report(context.folder(verdict.candidate), self._folder)

    def _fail(self, failure: GateFailure) -> None:
        """Write the files of a gate without a verdict."""
        title, place = f"{failure.word}: no verdict", self._place(failure.where)
        annotations = (Annotation("error", "no verdict", title, failure.reason, place),)
        self._annotations = render_github(annotations)
        if self._folder is None:
            return
        try:
            _clear(self._folder)
            write_atomic(self._folder / JUNIT, render_failure_junit(failure))
            summary = render_failure(failure, self._url)
            self._write(self._folder, summary, f"{self._mark}\n{summary}", annotations)
        except StorageError as second:
            # The first error is the one to report.
            click.echo(f"warning: {second.line}", err=True)

    def _write(
        self, folder: Path, summary: str, comment: str, annotations: Sequence[Annotation]
    ) -> None:
        if self._options.summary:
            write_atomic(folder / SUMMARY, summary)
        write_atomic(folder / COMMENT, comment)
        write_atomic(folder / ANNOTATIONS, self._annotations)
        write_atomic(folder / CODE_QUALITY, render_codequality(annotations))

    def _place(self, where: str) -> Place:
        """Where the error is: in the file that it names if there is one, else the configuration."""
        name, line, key = named_place(where)
        if os.path.isfile(name):  # noqa: PTH113 - is quiet about what can be no path
            file = Path(name)
        else:  # a server's port looks like a line
            file, line, key = self._config, None, ""
        return Place(seen_from(self._root, file), line_of(file, key) if key else line)

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


def _clear(folder: Path) -> None:
    """Remove the files of an earlier gate, so that none is taken for a new one.

    Raises:
        UsageError: a file of that name exists that no gate has written.
        StorageError: the folder cannot be written.
    """
    if any((folder / name).exists() for name in (*FILES, *_OWN_FILES)):
        comment = read_bytes(folder / COMMENT)
        if comment is None or not comment.startswith(MARK.encode()):
            raise UsageError(
                "holds files that a gate would replace, and that none has handed out",
                where=str(folder),
                hint="name a folder of its own for --output-dir",
            )
    remove_report(folder)
    remove_files(folder, _OWN_FILES)


def job_url() -> str:
    """The page of the present CI job, empty outside CI."""
    known = os.environ.get
    if known("GITHUB_RUN_ID"):
        server, repository = known("GITHUB_SERVER_URL", ""), known("GITHUB_REPOSITORY", "")
        return f"{server}/{repository}/actions/runs/{known('GITHUB_RUN_ID')}"
    return known("CI_JOB_URL", "")
