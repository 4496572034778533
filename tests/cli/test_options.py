"""The options that several commands share: those that go together, and those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.builders import call


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "base", "--workers", "2"), "go with --engine ray"),
        (("run", "base", "--ray-address", "auto"), "go with --engine ray"),
        (("gate", "candidate", "--workers", "2"), "go with --engine ray"),
        (("gate", "candidate", "--stored", "--engine", "ray"), "neither with --aa nor with"),
        (("gate", "--aa", "--engine", "ray"), "neither with --aa nor with"),
        (("run", "base", "--engine", "dask"), "'dask' is not one of"),
        (("run", "base", "--engine", "ray", "--ray-address", "ray://h:1"), "is no address of a"),
    ],
)
def test_options_of_a_cluster_that_do_not_fit(
    project_dir: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert call(*arguments) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert not (project_dir / ".harness").exists()


def test_a_cluster_that_is_not_there_is_one_line(
    project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", "base", "--engine", "ray", "--ray-address", "127.0.0.1:1") == 3
    assert capsys.readouterr().err.startswith("error: 127.0.0.1:1: no Ray cluster there: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("candidate", "--summary", "md"), "go with --output-dir"),
        (("candidate", "--report-url", "https://x"), "go with --output-dir"),
        (("candidate", "--output-dir", ".harness"), "keeps its own records"),
        (("candidate", "--output-dir", "out", "--report-url", "javascript:x"), "https://"),
        (("--aa", "--output-dir", "out"), "nothing to hand out"),
    ],
)
def test_options_of_a_job_that_do_not_fit(
    arguments: tuple[str, ...], told: str, project_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("gate", *arguments) == 2
    assert told in capsys.readouterr().err
