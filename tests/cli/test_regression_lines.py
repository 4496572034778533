"""What `harness gate` prints of regressions."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.gate import print_verdict
from tests.report.fixtures import pair


def printed(verdict: object, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_verdict(verdict, Path("x"))  # type: ignore[arg-type]
    return [line for line in capsys.readouterr().out.splitlines() if "regression" in line]


def test_each_regression_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(pair("BLOCK")[0], capsys) == [
        "  regression: support.scope.f1 -0.548 [-0.641, -0.437], p < 0.001 (Holm, 7 metrics)",
        "  regression: support.general.accuracy -0.067 [-0.121, -0.018], p 0.031 (Holm, 7 metrics)",
    ]


def test_without_a_regression_no_line_speaks_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(pair("PROMOTE")[0], capsys) == []


def test_a_name_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = pair("BLOCK")[0]
    bad = verdict.regressions[0].model_copy(update={"metric": "s.\x1b[31mred\nPROMOTE"})
    (line,) = printed(verdict.model_copy(update={"regressions": (bad,)}), capsys)
    assert "\x1b" not in line
    assert "s.\u241b[31mred PROMOTE -0.548" in line
