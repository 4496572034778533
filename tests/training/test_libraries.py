"""What is said of the training libraries, and what importing them leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from harness.training.libraries import PACKAGES, WAIT_POLICY, silent
from harness.version import installed_versions


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "bitsandbytes":
            raise metadata.PackageNotFoundError(name)
        return f"{name} 1"

    monkeypatch.setattr(metadata, "version", version)
    assert installed_versions(PACKAGES) == {
        name: f"{name} 1" for name in PACKAGES if name != "bitsandbytes"
    }


@pytest.mark.parametrize("given", [None, "ACTIVE"])
def test_the_policy_of_waiting_holds_while_torch_is_loaded(
    given: str | None, tmp_path: Path
) -> None:
    """A stand-in for torch says which policy it finds."""
    look = f"import os; print(os.environ.get({WAIT_POLICY!r}))\n"
    (tmp_path / "torch.py").write_text(look)
    code = (
        "from harness.training.libraries import import_torch_patiently\n"
        f"import_torch_patiently()\n{look}"
    )
    environment = {key: value for key, value in os.environ.items() if key != WAIT_POLICY}
    environment["PYTHONPATH"] = str(tmp_path)
    if given is not None:
        environment[WAIT_POLICY] = given
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [given or "PASSIVE", str(given)]


def test_silence_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    silent("training", 1, 2, "loss 3")
    assert capsys.readouterr() == ("", "")
