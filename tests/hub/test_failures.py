"""What goes wrong with a hub is one line that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError, UsageError
from harness.hub.failures import HubUnreachable
from tests.hub.conftest import NAME, fetch
from tests.hub_server import TOKEN, HubServer


def test_a_private_model_needs_the_token(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repos[NAME].private = True
    with pytest.raises(UsageError, match=r"shows no model `org/tiny`.*HF_TOKEN") as caught:
        fetch(tmp_path)
    assert "there is no such folder" in caught.value.line
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(UsageError, match="refuses the token") as caught:
        fetch(tmp_path)
    assert "hf_other" not in caught.value.line
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert fetch(tmp_path).source == f"{NAME}@{commit}"


def test_a_gated_model_without_a_token(hub: HubServer, commit: str, tmp_path: Path) -> None:
    hub.repos[NAME].gated = True
    with pytest.raises(
        UsageError, match=r"gated.* ask for access at .*/org/tiny, and set HF_TOKEN"
    ):
        fetch(tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("org/unknown", "shows no model `org/unknown`, and there is no such folder - check the sp"),
        ("hf:org/unknown", "shows no model `org/unknown` - check the spelling"),
        (f"{NAME}@v9", "org/tiny has no revision `v9` - see its branches and tags at"),
        (f"{NAME}@{'0' * 40}", f"org/tiny has no revision `{'0' * 40}`"),
    ],
)
def test_what_is_not_there(
    hub: HubServer, commit: str, tmp_path: Path, given: str, message: str
) -> None:
    with pytest.raises(UsageError, match=r"harness.yaml:3: servers.local.model: ") as caught:
        fetch(tmp_path, given)
    assert message in caught.value.line
    assert "\n" not in caught.value.line


def test_a_file_that_is_gone(hub: HubServer, commit: str, tmp_path: Path) -> None:
    hub.missing.add("tokenizer.json")
    with pytest.raises(UsageError, match="a file of org/tiny@main is gone"):
        fetch(tmp_path)


def test_a_hub_that_fails(hub: HubServer, commit: str, tmp_path: Path) -> None:
    hub.status = 503
    with pytest.raises(HubUnreachable, match="answers with HTTP 503 for org/tiny - try again"):
        fetch(tmp_path)
    hub.status = 200  # no hub at all: a page that is no JSON
    with pytest.raises(HarnessError, match="cannot be fetched"):
        fetch(tmp_path)
