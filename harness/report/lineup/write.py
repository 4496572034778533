"""The files of a line-up, in one folder."""

from __future__ import annotations

from pathlib import Path

from harness.files import write_atomic
from harness.records.lineup import Lineup
from harness.report.lineup.view import build_lineup


def write_lineup(lineup: Lineup, folder: Path) -> tuple[Path, Path, Path]:
    """The paths of `compare.html`, `compare.md` and `compare.json`, each written whole.

    Raises:
        StorageError: the folder cannot be written.
    """
    from harness.report.lineup.html import render_lineup_html
    from harness.report.lineup.json import render_lineup_json
    from harness.report.lineup.markdown import render_lineup_markdown

    view = build_lineup(lineup)
    paths = folder / "compare.html", folder / "compare.md", folder / "compare.json"
    write_atomic(paths[0], render_lineup_html(view))
    write_atomic(paths[1], render_lineup_markdown(view))
    write_atomic(paths[2], render_lineup_json(lineup))
    return paths
