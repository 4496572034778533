"""Stored runs lead to what they led to: verdicts, reports, words and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.capture import differences, parted
from tests.golden.scenarios import ALL, played
from tests.golden.write import EXPECTED


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worlds")


@pytest.mark.parametrize("name", ALL)
def test_it_comes_out_as_it_did(name: str, fresh: Path, tmp_path: Path) -> None:
    found = played(ALL[name], fresh, tmp_path / "project", checking=True)
    expected = parted((EXPECTED / f"{name}.txt").read_text(encoding="utf-8"))
    assert list(found) == list(expected)
    apart = {
        part: lines
        for part in expected
        if (lines := differences(part, expected[part], found[part]))
    }
    told = "\n".join(f"{part}:\n" + "\n".join(lines) for part, lines in apart.items())
    assert not apart, f"{told}\n\nIs it meant? python -m tests.golden.write {name}"
