"""The page has a row for each planted fault and each clean chain, and tells what was planted."""

from __future__ import annotations

from pathlib import Path

from tests.chain.planted import CLEAN, FAULTS, Planted

PAGE = Path(__file__).parents[2] / "docs/chain.md"


def where(planted: Planted) -> str:
    names = ["adapter", *planted.links]
    return f"{names[planted.at]} → {names[planted.at + 1]}: {planted.cause}"


def test_the_page_has_the_planted_faults_and_the_clean_chains() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = lines.index("| planted | where | named |") + 2
    rows = lines[begin : lines.index("", begin)]
    faults = [f"| {name} | {where(one)} |" for name, one in FAULTS.items()]
    clean = [f"| *{name}* | nothing |" for name in CLEAN]
    assert [row.rsplit(" | ", 1)[0] + " |" for row in rows] == [*faults, *clean]
