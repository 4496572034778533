"""The files of reports, each in one folder and written whole.

Every function raises `StorageError` where a file cannot be read, written or removed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from harness.chain.hop import Hop
from harness.errors import StorageError
from harness.files import read_bytes, storage_error, write_atomic
from harness.records.comparison import ComparisonRecord
from harness.records.history import History
from harness.records.latency import LatencySection
from harness.records.leaderboard import Leaderboard
from harness.records.mutation import MutationReport
from harness.records.run import RunRecord
from harness.records.suite import Suite
from harness.records.verdict import RuleResult, Verdict
from harness.training.curves import Training

# Where the reports that were replaced are kept, and how many: a page may have 30 MB.
EARLIER, KEPT = "earlier", 5
FILES = HTML, MARKDOWN, JUNIT, VERDICT = "report.html", "report.md", "junit.xml", "verdict.json"


def remove_report(folder: Path) -> None:
    """Remove an earlier report's files from the folder, the verdict first."""
    remove_files(folder, reversed(FILES))


def copy_report(source: Path, folder: Path) -> None:
    """Copy a report's files into another folder, each whole and `verdict.json` last."""
    for name in FILES:
        data = read_bytes(source / name)
        if data is None:
            raise StorageError("is gone", where=str(source / name), hint="gate again")
        write_atomic(folder / name, data)


def set_aside(folder: Path) -> None:
    """Remove a report from the folder, once it is kept by its date."""
    keep_earlier(folder)
    remove_report(folder)


def keep_earlier(folder: Path, now: Verdict | None = None) -> Path | None:
    """Where the report in the folder was kept by its date, before that on `now` takes its place.

    None where there is none, or where it says the same but for its date. The last `KEPT` stay.
    """
    data = read_bytes(folder / VERDICT)
    try:
        before = None if data is None else Verdict.model_validate_json(data)
    except ValidationError:
        return None  # what cannot be read is nobody's report
    if before is None:
        return None
    if now is not None and before.model_copy(update={"created": now.created}) == now:
        return None
    moment = re.sub(r"[^0-9TZ-]", "", before.created)[:40] or "undated"
    copy = folder / EARLIER / moment
    for name in FILES:
        if (kept := read_bytes(folder / name)) is not None:
            write_atomic(copy / name, kept)
    try:
        for old in sorted(filter(_is_dated, copy.parent.iterdir()))[:-KEPT]:
            remove_report(old)
            with contextlib.suppress(OSError):  # what somebody else has put there stays
                old.rmdir()
    except OSError as error:
        raise storage_error(error, copy) from error
    return copy


def _is_dated(path: Path) -> bool:
    """Whether it is a folder as `keep_earlier` names them."""
    named = re.fullmatch(r"[0-9TZ-]+|undated", path.name)
    return named is not None and path.is_dir() and not path.is_symlink()


def remove_files(folder: Path, names: Iterable[str]) -> None:
    """Remove the named files from the folder, as far as they are there."""
    for name in names:
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, folder / name) from error


def _write(folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    for name, text in files.items():
        write_atomic(folder / name, text)
    return tuple(folder / name for name in files)


# What renders a page is imported where one is written: most commands only read the names above.


def write_report(
    verdict: Verdict,
    comparison: ComparisonRecord,
    folder: Path,
    training: Training | None = None,
) -> tuple[Path, ...]:
    """The paths of `report.html`, `report.md`, `junit.xml` and `verdict.json`.

    `verdict.json` is written last, so that a folder that holds it holds the rest.
    """
    from harness.report import content, html, json, junit, markdown

    report = content.ReportContent(verdict, comparison)
    files = {
        HTML: html.render_html(report, training),
        MARKDOWN: markdown.render_markdown(report),
        JUNIT: junit.render_junit(report),
        VERDICT: json.render_json(verdict),
    }
    return _write(folder, files)


def write_latency(
    section: LatencySection,
    candidate: str,
    baseline: str,
    rules: Sequence[RuleResult],
    folder: Path,
) -> None:
    """Write `latency.html` and `latency.md`: the section by itself, with its own rules."""
    from harness.report import html, latency_content, rendering

    latency = latency_content.LatencyContent(section, candidate, baseline, tuple(rules))
    files = {
        "latency.html": html.render_latency_html(latency),
        "latency.md": rendering.render_text("latency_page.md.j2", latency=latency),
    }
    _write(folder, files)


def write_history(history: History, folder: Path) -> tuple[Path, ...]:
    """The paths of `history.html`, `history.md` and `history.json`."""
    from harness.report import history_text, html, rendering

    content = history_text.HistoryContent(history)
    files = {
        "history.html": html.render_history_html(content),
        "history.md": rendering.render_text("history.md.j2", content=content),
        "history.json": history.model_dump_json(indent=2) + "\n",
    }
    return _write(folder, files)


def write_run(
    run: RunRecord, suites: Sequence[Suite], folder: Path, training: Training | None = None
) -> tuple[Path, ...]:
    """The path of `run.html`: the run by itself, with the prompts of the suites."""
    from harness.report import html, run_page

    page = run_page.RunPage(run, tuple(suites))
    return _write(folder, {"run.html": html.render_run_html(page, training)})


def write_chain(hops: Sequence[Hop], folder: Path) -> tuple[Path, ...]:
    """The paths of `chain.html` and `chain.json`."""
    from harness.report import html, json

    files = {
        "chain.html": html.render_chain_html(hops),
        "chain.json": json.render_chain_json(hops),
    }
    return _write(folder, files)


def write_mutants(report: MutationReport, folder: Path) -> tuple[Path, ...]:
    """The paths of `mutants.html` and `mutants.json`."""
    from harness.report import html

    files = {
        "mutants.html": html.render_mutants_html(report),
        "mutants.json": report.model_dump_json(indent=2) + "\n",
    }
    return _write(folder, files)


def write_leaderboard(leaderboard: Leaderboard, folder: Path) -> tuple[Path, ...]:
    """The paths of `compare.html`, `compare.md` and `compare.json`."""
    from harness.report import html, json, leaderboard_content, rendering

    content = leaderboard_content.LeaderboardContent(leaderboard)
    text = rendering.render_text("leaderboard.md.j2", content=content)
    files = {
        "compare.html": html.render_leaderboard_html(content),
        "compare.md": text.rstrip() + "\n",
        "compare.json": json.render_leaderboard_json(leaderboard),
    }
    return _write(folder, files)
