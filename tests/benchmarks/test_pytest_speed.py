"""The benchmark of pytest sessions, on a handful of cases: that both ask, and what is printed."""

import pytest

from benchmarks import pytest_speed


def test_every_command_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--cases", "12", "--delay", "0", "--concurrency", "4", "--repeat", "1"]
    assert pytest_speed.main(given) == 0
    printed = capsys.readouterr().out
    rows = [line.split(" | ") for line in printed.splitlines() if line.startswith("| `")]
    assert [row[0].strip("| `") for row in rows] == list(pytest_speed.COMMANDS)
    assert (rows[0][2], rows[0][4].rstrip(" |")) == ("1.00", "1.00")
    assert "pytest: 12 passed" in printed
