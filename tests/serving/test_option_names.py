from __future__ import annotations

import subprocess
import sys

import pytest

from harness.serving import option_names
from harness.serving.option_names import LIST, option_problem


@pytest.mark.parametrize(
    "key", ["max-model-len", "max_model_len", "--dtype", "compilation-config.mode", "max-model"]
)
def test_what_vllm_knows_is_no_problem(key: str) -> None:
    assert option_problem(key) is None


@pytest.mark.parametrize("installed", [True, False])
def test_an_unknown_option_comes_with_the_nearest_one(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = option_names._known()[0] if installed else None
    monkeypatch.setattr(option_names, "vllm_version", lambda: version)
    found = option_problem("max-modell-len")
    assert found is not None
    assert "has no option `max-modell-len`; did you mean `max-model-len`?" in found.what
    assert found.certain is installed


def test_what_the_harness_sets_is_not_for_users() -> None:
    found = option_problem("served_model_name")
    assert found is not None
    assert (found.what, found.certain) == ("is set by the harness: take it out", True)


@pytest.mark.slow
def test_the_list_is_that_of_the_installed_vllm() -> None:
    """Run `python -m tests.serving.vllm_options` after a change of vLLM's version."""
    pytest.importorskip("vllm")
    line = "from tests.serving.vllm_options import listed; print(listed(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", line], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.endswith(LIST.read_text())
