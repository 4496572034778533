"""Where cases stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_project
from harness.records.suite import Suite
from harness.sections.section_kinds import load_suites
from harness.suites.cases import case_lines
from tests.shop import write_project


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    write_project(tmp_path, "http://127.0.0.1:9")
    file = tmp_path / "suites/shop/gold.jsonl"
    lines = file.read_text().splitlines()
    odd = r'{"id": " \u0067-odd ", "prompt": "Hi", "expect": {"answers": ["x"]}}'
    file.write_text("\ufeff" + "\n".join([lines[0], "", odd, *lines[1:]]) + "\n")
    return load_suites(load_project(tmp_path / "harness.yaml"))[0]


def lines_of(suite: Suite, wanted: list[str]) -> dict[str, tuple[Path, int]]:
    found = {}
    for section in suite.sections:
        found |= case_lines(Path(suite.folder) / section.cases_file, wanted)
    return found


def test_each_case_is_found_in_its_file_at_its_line(suite: Suite) -> None:
    folder = Path(suite.folder)
    assert lines_of(suite, ["s0", "g1", "g0", "g-odd"]) == {
        "g0": (folder / "gold.jsonl", 1),
        "g-odd": (folder / "gold.jsonl", 3),
        "g1": (folder / "gold.jsonl", 4),
        "s0": (folder / "scope.jsonl", 1),
    }


def test_what_is_not_there_is_left_out(suite: Suite) -> None:
    file = Path(suite.folder) / "gold.jsonl"
    file.write_text('{"id": "g0"\n[]\n{"id": 7}\n"g1"\n' + "[" * 100_000 + '\n{"id": "g2"}\n')
    assert lines_of(suite, ["g0", "g1", "g2", "none"]) == {"g2": (file, 6)}
    file.unlink()
    assert lines_of(suite, ["g2", "s1"]) == {"s1": (Path(suite.folder) / "scope.jsonl", 2)}
