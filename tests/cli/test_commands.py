"""Every command, as a user runs it, against a server that answers as a script says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.builders import call

BAD = [
    (("run", "nobody"), 2, "no target `nobody`"),
    (("gate", "base"), 2, "`base` is the baseline itself"),
    (("gate", "candidate", "--suite", "x"), 2, "no suite `x`"),
    (("gate", "candidate", "--baseline", "sealed:none"), 2, "no such baseline"),
    (("gate",), 2, "Missing argument"),
    (("dance",), 2, "No such command"),
    (("run", "base", "--case", "none"), 2, "no case `none`"),
    (("run", "base", "--limit", "0"), 2, "--limit"),
    (("validate", "--config", "none.yaml"), 2, "no such file"),
    (("report", "candidate"), 2, "no verdict there"),
    (("promote", "candidate", "--name", "../x"), 2, "use letters, digits"),
    (("serve",), 2, "one managed server at a time"),
    (("train", "none.yaml"), 2, "none.yaml"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), BAD)
def test_bad_input_is_one_line_and_the_right_code(
    project_dir: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    assert call(*arguments) == code
    shown = capsys.readouterr().err
    assert message in shown
    errors = [line for line in shown.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert "Traceback" not in shown
