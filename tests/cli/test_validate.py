"""`harness validate` reads everything and asks nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.builders import call


def test_names_that_lead_elsewhere_are_refused(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project_dir / "harness.yaml"
    good = path.read_text()
    for old, new in (
        ("  candidate:", "  ../../esc:"),
        ("  candidate:", "  c[1]:"),
        ("baseline: base", "baseline: sealed:../x"),
    ):
        path.write_text(good.replace(old, new, 1))
        assert call("validate") == 2, new
        assert capsys.readouterr().err.count("\n") == 1
    path.write_text(good)
    assert call("gate", "candidate", "--baseline", "sealed:../x") == 2
