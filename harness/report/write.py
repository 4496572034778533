"""The four files of a report, in one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.files import write_atomic
from harness.records.comparison import Comparison
from harness.records.verdict import Verdict
from harness.report.view import build_view


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """Where the files of a report lie."""

    html: Path
    markdown: Path
    junit: Path
    verdict: Path


def write_report(verdict: Verdict, comparison: Comparison, folder: Path) -> ReportPaths:
    """The paths of `report.html`, `report.md`, `junit.xml` and `verdict.json`, each written whole.

    `verdict.json` comes last, so that a folder that holds it holds the rest.

    Raises:
        StorageError: the folder cannot be written.
    """
    from harness.report.html import render_html
    from harness.report.json import render_json
    from harness.report.junit import render_junit
    from harness.report.markdown import render_markdown

    view = build_view(verdict, comparison)
    paths = ReportPaths(
        html=folder / "report.html",
        markdown=folder / "report.md",
        junit=folder / "junit.xml",
        verdict=folder / "verdict.json",
    )
    write_atomic(paths.html, render_html(view))
    write_atomic(paths.markdown, render_markdown(view))
    write_atomic(paths.junit, render_junit(view))
    write_atomic(paths.verdict, render_json(verdict))
    return paths
