"""Write the expectations anew, `python -m tests.golden.write [NAME...]`.

They say what the package put out before it was built anew. Where a change of them is meant, write
them, look at the difference, and keep it with the change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.golden import gates  # noqa: F401 - adds its scenarios
from tests.golden.capture import joined
from tests.golden.scenarios import ALL, played

EXPECTED = Path(__file__).parent / "expected"


def main(names: list[str]) -> None:
    """Play every scenario, or those named, and keep what comes out."""
    EXPECTED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in names or ALL:
            parts = played(ALL[name], Path(folder), Path(folder) / f"{name}-1", checking=False)
            (EXPECTED / f"{name}.txt").write_text(joined(parts), encoding="utf-8")
            print(name, len(joined(parts)))


if __name__ == "__main__":
    main(sys.argv[1:])
