"""Write the expectations anew, `python -m tests.golden.write [NAME...]`.

They say what the package put out before it was built anew. Where a change of them is meant, write
them, look at the difference, and keep it with the change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.golden import faces, gates, latency_gates  # noqa: F401 - they add their scenarios
from tests.golden.capture import joined
from tests.golden.scenarios import ALL, played
from tests.golden.statistics import tables
from tests.golden.virtual_time import decisions

EXPECTED = Path(__file__).parent / "expected"
TABLES = EXPECTED / "statistics.json.txt"
VIRTUAL = EXPECTED / "virtual_time.json.txt"


def main(names: list[str]) -> None:
    """Play every scenario, or those named, and keep what comes out."""
    EXPECTED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or ALL:
            parts = played(ALL[name], Path(folder), Path(folder) / f"{name}-1", checking=False)
            (EXPECTED / f"{name}.txt").write_text(joined(parts), encoding="utf-8")
            print(name, len(joined(parts)))
    if not names:
        VIRTUAL.write_text(decisions() + "\n", encoding="utf-8")
        TABLES.write_text(tables() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
