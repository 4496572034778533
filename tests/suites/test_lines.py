from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SuiteError
from harness.suites.cases import read_cases
from harness.suites.lines import case_lines

LINES = st.lists(st.sampled_from(["case", "", "  ", "\t", "\u2028"]), max_size=12)


@given(LINES, st.booleans(), st.booleans())
def test_lines_are_those_of_the_cases_that_are_read(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], mark: bool, windows: bool
) -> None:
    file = tmp_path_factory.getbasetemp() / "cases.jsonl"
    rows = [
        f'{{"id": "c{at}", "prompt": "a\u2028b"}}' if kind == "case" else kind
        for at, kind in enumerate(kinds)
    ]
    text = ("\ufeff" if mark else "") + ("\r\n" if windows else "\n").join(rows)
    file.write_bytes(text.encode())
    read = [number for number, _, _ in read_cases(io.BytesIO(file.read_bytes()), file)]
    assert case_lines(file) == read


def test_a_file_that_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"gone\.jsonl: cannot read"):
        case_lines(tmp_path / "gone.jsonl")
