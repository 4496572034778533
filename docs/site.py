"""The sources of the documentation's site: `python -m docs.site FOLDER`, then Sphinx on the folder.

They are the pages as they stand, which GitHub shows too, with the README as the first page and the
schemas of the three kinds of file as one more.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from harness.cli.schema import SCHEMAS, text_of

ROOT = Path(__file__).parents[1]
CONTENTS = {
    "Suites": [
        "suites",
        "domains",
        "scorers",
        "compliance",
        "robustness",
        "benchmarks",
        "judges",
        "data",
        "extending",
    ],
    "The gate": [
        "gate",
        "forgetting",
        "error-rates",
        "mutation-testing",
        "report",
        "history",
        "receipts",
        "ci",
        "pytest",
        "python",
    ],
    "Running": ["running", "requests", "models", "doctor", "chatbots", "faults", "scale", "gpu"],
    "People": ["people", "review"],
    "Latency": ["latency", "latency-evidence", "latency-server"],
    "Candidates": [
        "without-training",
        "own-model",
        "data-lint",
        "split",
        "loop",
        "training",
        "leakage",
        "merge",
        "chain",
        "real-model",
    ],
    "Reference": ["cli", "schemas", "troubleshooting", "security", "SECURITY", "CHANGELOG"],
}
_ABOUT = {
    "config": "`harness.yaml`, the project's configuration",
    "suite": "`suite.yaml`, one suite",
    "recipe": "a recipe, from which a candidate is trained",
}


def write_sources(folder: Path) -> None:
    """Return when the folder holds every page, its pictures and Sphinx's configuration."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(ROOT / "docs/conf.py", folder)
    beside = {"SECURITY.md": "SECURITY.md", "CHANGELOG.md": "CHANGELOG.md", "README.md": "index.md"}
    for name, page in beside.items():
        text = (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
        more = _contents() if page == "index.md" else ""
        (folder / page).write_text(text + more, encoding="utf-8")
    (folder / "schemas.md").write_text(_schemas(), encoding="utf-8")


def _contents() -> str:
    trees = (
        "\n".join(["", "```{toctree}", ":hidden:", f":caption: {title}", *pages, "```", ""])
        for title, pages in CONTENTS.items()
    )
    return "".join(trees)


def _schemas() -> str:
    parts = [
        f"## {kind}\n\nOf {_ABOUT[kind]}.\n\n```json\n{text_of(kind)}```\n" for kind in SCHEMAS
    ]
    head = "# Schemas\n\nWhat `harness schema` prints, with the scorers and kinds built in.\n"
    return "\n".join([head, *parts])


if __name__ == "__main__":
    write_sources(Path(sys.argv[1]))
