"""The three files of a history, in a folder of its suite."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.files import write_atomic
from harness.records.history import History
from harness.report.history.view import build_history


@dataclass(frozen=True, slots=True)
class HistoryPaths:
    """Where the files of a history lie."""

    html: Path
    markdown: Path
    json: Path


def write_history(history: History, folder: Path) -> HistoryPaths:
    """The paths of `history.html`, `history.md` and `history.json`, each written whole.

    Raises:
        StorageError: the folder cannot be written.
    """
    from harness.report.history.html import render_history_html
    from harness.report.history.markdown import render_history_markdown

    view = build_history(history)
    paths = HistoryPaths(folder / "history.html", folder / "history.md", folder / "history.json")
    write_atomic(paths.html, render_history_html(view))
    write_atomic(paths.markdown, render_history_markdown(view))
    write_atomic(paths.json, render_history_json(history))
    return paths


def render_history_json(history: History) -> str:
    """The history as indented JSON."""
    return history.model_dump_json(indent=2) + "\n"
