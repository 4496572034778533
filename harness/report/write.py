"""The files of reports, each in one folder and written whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import StorageError
from harness.files import read_bytes, storage_error, write_atomic
from harness.records.comparison import Comparison
from harness.records.history import History
from harness.records.latency import LatencySection
from harness.records.leaderboard import Leaderboard
from harness.records.verdict import RuleResult, Verdict
from harness.report.content import ReportContent

HTML, MARKDOWN, JUNIT, VERDICT = "report.html", "report.md", "junit.xml", "verdict.json"
FILES = (HTML, MARKDOWN, JUNIT, VERDICT)
LATENCY_HTML, LATENCY_MARKDOWN = "latency.html", "latency.md"


@dataclass(frozen=True, slots=True)
class ReportPaths:
    """Where the files of a report lie."""

    html: Path
    markdown: Path
    junit: Path
    verdict: Path


def remove_report(folder: Path) -> None:
    """Remove an earlier report's files from the folder, the verdict first.

    Raises:
        StorageError: one of them cannot be removed.
    """
    remove_files(folder, reversed(FILES))


def copy_report(source: Path, folder: Path) -> None:
    """Copy a report's files into another folder, each whole and `verdict.json` last.

    Raises:
        StorageError: one of them cannot be read or written.
    """
    for name in FILES:
        data = read_bytes(source / name)
        if data is None:
            raise StorageError("is gone", where=str(source / name), hint="gate again")
        write_atomic(folder / name, data)


def remove_files(folder: Path, names: Iterable[str]) -> None:
    """Remove the named files from the folder, as far as they are there.

    Raises:
        StorageError: one of them cannot be removed.
    """
    for name in names:
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, folder / name) from error


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

    report = ReportContent(verdict, comparison)
    paths = ReportPaths(
        html=folder / HTML,
        markdown=folder / MARKDOWN,
        junit=folder / JUNIT,
        verdict=folder / VERDICT,
    )
    write_atomic(paths.html, render_html(report))
    write_atomic(paths.markdown, render_markdown(report))
    write_atomic(paths.junit, render_junit(report))
    write_atomic(paths.verdict, render_json(verdict))
    return paths


def write_latency(
    section: LatencySection,
    candidate: str,
    baseline: str,
    rules: Sequence[RuleResult],
    folder: Path,
) -> None:
    """Write `latency.html` and `latency.md`: the section by itself, with its own rules.

    Raises:
        StorageError: the folder cannot be written.
    """
    from harness.report.html import render_latency_html
    from harness.report.latency_text import LatencyContent
    from harness.report.markdown import render_latency_markdown

    latency = LatencyContent(section, candidate, baseline, tuple(rules))
    write_atomic(folder / LATENCY_HTML, render_latency_html(latency))
    write_atomic(folder / LATENCY_MARKDOWN, render_latency_markdown(latency))


def write_history(history: History, folder: Path) -> tuple[Path, Path, Path]:
    """The paths of `history.html`, `history.md` and `history.json`.

    Raises:
        StorageError: the folder cannot be written.
    """
    from harness.report.history_text import HistoryContent
    from harness.report.html import render_history_html
    from harness.report.json import render_history_json
    from harness.report.markdown import render_history_markdown

    content = HistoryContent(history)
    page, text, data = (folder / f"history.{ending}" for ending in ("html", "md", "json"))
    write_atomic(page, render_history_html(content))
    write_atomic(text, render_history_markdown(content))
    write_atomic(data, render_history_json(history))
    return page, text, data


def write_leaderboard(leaderboard: Leaderboard, folder: Path) -> tuple[Path, Path, Path]:
    """The paths of `compare.html`, `compare.md` and `compare.json`.

    Raises:
        StorageError: the folder cannot be written.
    """
    from harness.report.html import render_leaderboard_html
    from harness.report.json import render_leaderboard_json
    from harness.report.leaderboard_text import LeaderboardContent
    from harness.report.markdown import render_leaderboard_markdown

    content = LeaderboardContent(leaderboard)
    page, text, data = (folder / f"compare.{ending}" for ending in ("html", "md", "json"))
    write_atomic(page, render_leaderboard_html(content))
    write_atomic(text, render_leaderboard_markdown(content))
    write_atomic(data, render_leaderboard_json(leaderboard))
    return page, text, data
