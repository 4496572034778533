"""The output of a gate for CI: files, annotations and a comment, also without a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from harness.ci.annotations import (
    Annotation,
    Places,
    build_annotations,
    render_codequality,
    render_github,
)
from harness.errors import UsageError
from harness.files import read_bytes, write_atomic
from harness.records.comparison import Comparison
from harness.records.history import PastGate
from harness.records.verdict import Verdict
from harness.report.cases import CaseText
from harness.report.content import GateFailure, ReportContent
from harness.report.junit import render_failure_junit
from harness.report.markdown import render_markdown
from harness.report.rendering import render_text
from harness.report.write import FILES, JUNIT, copy_report, remove_files, remove_report
from harness.storage.working_files import gate_line

# What every comment of a gate begins with.
MARK = "<!-- harness gate "
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
    first: dict[int, CaseText] = {}
    for case in group.cases if group else ():
        first.setdefault(case.number, case)
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
        critical=len({case.number for case in first.values() if case.critical}),
        failures=list(first.values())[:_CASES],
        link=link(url),
    )


def render_failure(failure: GateFailure, url: str) -> str:
    """The summary of a gate without a verdict: the word, why, and what it does not mean."""
    return render_text("failure.md.j2", failure=failure, link=link(url, "The job's page"))


SUMMARY, COMMENT = "summary.md", "comment.md"
ANNOTATIONS, CODE_QUALITY = "annotations.txt", "codequality.json"
GATES = "gates.jsonl"


@dataclass(frozen=True, slots=True)
class JobOutputs:
    """The folder of a CI job, and the settings of the files in it.

    `mark` is the comment's hidden first line, `url` where its link leads, empty for none.
    """

    folder: Path
    mark: str
    url: str
    summary: bool

    def clear(self) -> None:
        """Remove the files of an earlier gate, so that none is taken for a new one.

        Raises:
            UsageError: a file of that name exists that no gate has written.
            StorageError: the folder cannot be written.
        """
        if not self._is_ours():
            raise UsageError(
                "holds files that a gate would replace, and that none has handed out",
                where=str(self.folder),
                hint="name a folder of its own for --output-dir",
            )
        remove_report(self.folder)
        remove_files(self.folder, (SUMMARY, COMMENT, ANNOTATIONS, CODE_QUALITY, GATES))

    def _is_ours(self) -> bool:
        """Whether the files of our names there were written by an earlier gate."""
        names = (*FILES, SUMMARY, COMMENT, ANNOTATIONS, CODE_QUALITY, GATES)
        if not any((self.folder / name).exists() for name in names):
            return True
        comment = read_bytes(self.folder / COMMENT)
        return comment is not None and comment.startswith(MARK.encode())

    def give(
        self,
        report: Path,
        verdict: Verdict,
        comparison: Comparison,
        places: Places,
        kept: PastGate,
    ) -> str:
        """Write every file, copies of those in the `report` folder too; return the annotations.

        Raises:
            StorageError: the folder cannot be written.
        """
        report_content = ReportContent(verdict, comparison)
        link_line = link(self.url)
        written = self._write(
            f"{render_markdown(report_content)}\n{link_line}".rstrip() + "\n",
            render_comment(report_content, self.mark, self.url),
            build_annotations(verdict, comparison, places),
        )
        write_atomic(self.folder / GATES, gate_line(kept) + "\n")
        copy_report(report, self.folder)
        return written

    def fail(self, failure: GateFailure, annotation: Annotation) -> str:
        """Write the files of a gate without a verdict, and return the annotations.

        Raises:
            StorageError: the folder cannot be written.
        """
        self.clear()
        summary = render_failure(failure, self.url)
        write_atomic(self.folder / JUNIT, render_failure_junit(failure))
        return self._write(summary, f"{self.mark}\n{summary}", (annotation,))

    def _write(self, summary: str, comment: str, annotations: tuple[Annotation, ...]) -> str:
        commands = render_github(annotations)
        if self.summary:
            write_atomic(self.folder / SUMMARY, summary)
        write_atomic(self.folder / COMMENT, comment)
        write_atomic(self.folder / ANNOTATIONS, commands)
        write_atomic(self.folder / CODE_QUALITY, render_codequality(annotations))
        return commands
