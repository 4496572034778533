from __future__ import annotations

import pytest

from harness.ci_mode import in_ci


@pytest.mark.parametrize("value", ["true", "1", "True", "yes", "woodpecker"])
def test_a_ci_service_says_so(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", value)
    assert in_ci()


@pytest.mark.parametrize("value", [None, "", "0", "false", "False", "no", " "])
def test_elsewhere_it_is_not_said(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    assert not in_ci()
