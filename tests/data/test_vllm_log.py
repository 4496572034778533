"""The log of a vLLM server; `recorded/vllm.log` has the lines of the logger of vLLM 0.32."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.rows import read_rows
from harness.data.vllm_log import read_log
from harness.errors import UsageError

LOG = Path(__file__).with_name("recorded") / "vllm.log"


def test_requests_are_put_together_with_their_answers() -> None:
    found = list(read_rows(LOG))
    assert [place.rpartition(":")[2] for place, _ in found] == ["1", "6"]
    first, second = (row for _, row in found)
    assert first["request"]["messages"][-1]["content"] == 'When do you "open"?'
    assert first["output"] == "We open at 9.\nIt's free."
    assert (second["output"], second["finish_reason"]) == ("Yes, for 12 dollars.", "stop")


def test_what_lacks_its_other_half_is_named_in_its_place() -> None:
    lines = LOG.read_text().splitlines()
    unanswered = [*lines[:4], *lines[5:]]
    (_, whole), (at, lacking) = read_log(unanswered)
    assert whole["output"] == "Yes, for 12 dollars."
    assert (at, str(lacking)) == (1, "the answer was not logged")
    ((at, lacking),) = read_log(lines[4:5])
    assert (at, str(lacking)) == (1, "the request was not logged")


def test_a_body_that_was_cut_is_no_request() -> None:
    lines = LOG.read_text().splitlines()
    ((_, row),) = read_log([lines[0][:-20], lines[4]])
    assert isinstance(row, ValueError)


@given(st.lists(st.text()))
def test_no_other_line_is_anything(lines: list[str]) -> None:
    assert list(read_log(lines)) == []


def test_a_log_without_requests_says_what_to_switch_on(tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    file.write_text("INFO 12-01 started\n")
    with pytest.raises(UsageError, match="no logged request of vLLM - vLLM writes requests"):
        list(read_rows(file))
