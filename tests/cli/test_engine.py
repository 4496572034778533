"""Where the asking is done: the options that go together, and those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.main import main


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


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
def test_options_that_do_not_fit(
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
