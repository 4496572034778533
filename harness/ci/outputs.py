"""The files of a CI job, in one folder: what it shows, what it posts, what it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.ci.annotations import (
    Annotation,
    Places,
    build_annotations,
    render_codequality,
    render_github,
)
from harness.ci.comment import MARK, link, render_comment, render_failure
from harness.errors import UsageError
from harness.files import read_bytes, write_atomic
from harness.records.comparison import Comparison
from harness.records.history import PastGate
from harness.records.verdict import Verdict
from harness.report.content import Failure, ReportContent
from harness.report.junit import render_failure_junit
from harness.report.markdown import render_markdown
from harness.report.write import FILES, JUNIT, copy_report, remove_files, remove_report
from harness.storage.working_files import gate_line

SUMMARY, COMMENT = "summary.md", "comment.md"
ANNOTATIONS, CODE_QUALITY = "annotations.txt", "codequality.json"
GATES = "gates.jsonl"


@dataclass(frozen=True, slots=True)
class JobOutputs:
    """A folder that a CI job named, and what the files in it must know.

    `mark` is the comment's hidden first line, `url` where its link leads, empty for none.
    """

    folder: Path
    mark: str
    url: str
    summary: bool

    def clear(self) -> None:
        """Remove what an earlier gate left there: none of it may be taken for today's.

        Raises:
            UsageError: a file of that name is there that no gate has handed out.
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
        """Whether what has the names of our files there was handed out by an earlier gate."""
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
        told = link(self.url)
        written = self._write(
            f"{render_markdown(report_content)}\n{told}".rstrip() + "\n",
            render_comment(report_content, self.mark, self.url),
            build_annotations(verdict, comparison, places),
        )
        write_atomic(self.folder / GATES, gate_line(kept) + "\n")
        copy_report(report, self.folder)
        return written

    def fail(self, failure: Failure, annotation: Annotation) -> str:
        """Write what tells that there is no verdict, and return the annotations.

        Raises:
            StorageError: the folder cannot be written.
        """
        self.clear()
        told = render_failure(failure, self.url)
        write_atomic(self.folder / JUNIT, render_failure_junit(failure))
        return self._write(told, f"{self.mark}\n{told}", (annotation,))

    def _write(self, summary: str, comment: str, annotations: tuple[Annotation, ...]) -> str:
        shown = render_github(annotations)
        if self.summary:
            write_atomic(self.folder / SUMMARY, summary)
        write_atomic(self.folder / COMMENT, comment)
        write_atomic(self.folder / ANNOTATIONS, shown)
        write_atomic(self.folder / CODE_QUALITY, render_codequality(annotations))
        return shown
