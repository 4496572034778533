"""`harness show` writes a page of one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.builders import call


def test_a_run_is_a_page_by_its_target_or_by_its_name(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("show", "base") == 2
    assert "`base` has no finished run - harness run base" in capsys.readouterr().err
    assert call("run", "base") == 0
    (folder,) = (project_dir / ".harness/runs").glob("base-*")
    capsys.readouterr()
    assert call("show", "base") == 0
    shown = f"reports/runs/{folder.name}/run.html\n"
    assert capsys.readouterr().out == shown
    page = Path(shown.strip()).read_text()
    assert "Failing <span" in page
    assert "wrong: 30, right: 10" in page
    assert page.index("shop/scope/s0") < page.index("shop/gold/g1")
    assert call("show", folder.name, "--output", "there") == 0
    assert Path("there/run.html").read_text() == page
    file = project_dir / "suites/shop/gold.jsonl"
    file.write_text(file.read_text().replace("What is fact 1?", "What was fact 1?"))
    assert call("show", "base") == 0
    assert "Changed since this run: shop." in Path(shown.strip()).read_text()


def test_what_is_no_run_is_named(project_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("nobody", "../x", ""):
        assert call("show", name) == 2
        assert "no run and no target" in capsys.readouterr().err
