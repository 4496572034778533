"""Models by name, through the real client, from a hub on loopback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from huggingface_hub import constants

from harness.errors import UsageError
from harness.hub import client
from harness.hub.failures import HubUnreachable
from harness.hub.lock import write_lock
from harness.hub.name import HubName
from harness.hub.resolve import ModelFolder, known, newest_commit
from tests.hub.conftest import NAME, fetch
from tests.hub_project import Heard, new_process, use_hub
from tests.hub_server import HubServer
from tests.serving.made import write_model

TINY = HubName(NAME)


def test_weights_and_texts_are_fetched_once_and_nothing_else(
    hub: HubServer, commit: str, tmp_path: Path
) -> None:
    heard = Heard()
    found = fetch(tmp_path, heard=heard)
    assert found.source == f"{NAME}@{commit}"
    fetched = [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer.model.v3",
        "tokenizer_config.json",
        "vocab.bpe",
    ]
    assert sorted(path.name for path in found.path.iterdir()) == fetched
    assert set(hub.fetched()) <= set(fetched)
    assert not any("harnesses" in one.path for one in hub.requests)
    assert "no such folder; asking http://127.0.0.1" in heard.text
    assert "is not in harness.lock" in heard.text
    assert heard.counts[-1] == (f"fetching {NAME} (MB)", 1, 1)
    before = len(hub.requests)
    assert fetch(tmp_path, heard=heard) == found
    assert len(hub.requests) == before


def test_a_branch_a_tag_and_a_commit(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = hub.put(NAME, write_model(tmp_path / "other", hidden=4), branch="v1")
    assert fetch(tmp_path, f"{NAME}@v1").source == f"{NAME}@{older}"
    new_process(monkeypatch)
    hub.requests.clear()
    # The commit says all: nobody is asked what is here already.
    assert fetch(tmp_path, f"{NAME}@{older}").source == f"{NAME}@{older}"
    assert hub.requests == []
    assert fetch(tmp_path, f"hf:{NAME}").source == f"{NAME}@{commit}"


def test_the_next_call_fetches_what_the_last_one_did_not(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    hub.breaks["model.safetensors"] = [0] * 6
    with pytest.raises(HubUnreachable, match="run the command again"):
        fetch(tmp_path)
    assert known(NAME, tmp_path, "model") == ModelFolder(
        Path("/dev/null/org/tiny"), f"{NAME}@{commit}", TINY
    )
    new_process(monkeypatch)
    hub.requests.clear()
    assert fetch(tmp_path).source == f"{NAME}@{commit}"
    assert hub.fetched() == ["model.safetensors"]


def test_a_locked_model_stays_and_that_it_moved_is_said_once(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lock(tmp_path, {TINY: commit})
    heard = Heard()
    assert fetch(tmp_path, heard=heard).source == f"{NAME}@{commit}"
    assert "has moved" not in heard.text
    new_process(monkeypatch)
    moved = hub.put(NAME, write_model(tmp_path / "new", hidden=4))
    for _ in range(2):
        assert fetch(tmp_path, heard=heard).source == f"{NAME}@{commit}"
    (said,) = [line for line in heard.lines if "has moved" in line]
    assert said == (
        f"org/tiny@main has moved from the locked {commit[:12]} to {moved[:12]}; the locked one is "
        "used, `harness lock --update` takes the new one"
    )
    assert newest_commit(TINY, "here") == moved


def test_without_a_lock_a_process_stays_with_what_it_was_told_first(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(tmp_path)
    moved = hub.put(NAME, write_model(tmp_path / "new", hidden=4))
    assert fetch(tmp_path).source == f"{NAME}@{commit}"
    new_process(monkeypatch)
    assert fetch(tmp_path).source == f"{NAME}@{moved}"


def test_in_ci_only_what_is_locked_is_fetched(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(UsageError, match=r"org/tiny@main is not in harness.lock, and in CI"):
        fetch(tmp_path)
    assert hub.requests == []
    monkeypatch.setenv("CI", "false")
    assert fetch(tmp_path).source == f"{NAME}@{commit}"
    monkeypatch.setenv("CI", "true")
    write_lock(tmp_path, {TINY: commit})
    assert fetch(tmp_path).source == f"{NAME}@{commit}"
    assert fetch(tmp_path, f"{NAME}@{commit}").source == f"{NAME}@{commit}"


def test_offline_with_and_without_a_cache(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match="not in the cache, and HF_HUB_OFFLINE forbids") as caught:
        fetch(tmp_path)
    assert str(client.cache_folder()) in caught.value.line
    assert hub.requests == []
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    found = fetch(tmp_path)
    new_process(monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.requests.clear()
    assert fetch(tmp_path) == found
    write_lock(tmp_path, {TINY: "1" * 40})
    with pytest.raises(UsageError, match="HF_HUB_OFFLINE forbids"):
        fetch(tmp_path)
    assert hub.requests == []


def test_no_network(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    there = hub.url
    closed = "http://127.0.0.1:9"
    use_hub(monkeypatch, closed)
    said = rf"there is no folder `.*`, and the hub {closed} cannot be reached: ConnectError"
    with pytest.raises(HubUnreachable, match=said):
        fetch(tmp_path)
    use_hub(monkeypatch, there)
    found = fetch(tmp_path)
    new_process(monkeypatch)
    use_hub(monkeypatch, closed)
    heard = Heard()
    assert fetch(tmp_path, heard=heard) == found
    assert f"org/tiny@main is {commit[:12]}, as it was when it was last asked" in heard.text
    new_process(monkeypatch)
    write_lock(tmp_path, {TINY: commit})
    heard = Heard()
    assert fetch(tmp_path, heard=heard) == found
    assert heard.lines == []


def test_what_is_known_without_asking(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Path("/dev/null/org/tiny")
    assert known(NAME, tmp_path, "model") == ModelFolder(nowhere, None, TINY)
    assert known(".harness/models/x", tmp_path, "model") is None
    write_lock(tmp_path, {TINY: commit})
    assert known(NAME, tmp_path, "model") == ModelFolder(nowhere, f"{NAME}@{commit}", TINY)
    assert hub.requests == []
    found = fetch(tmp_path)
    assert known(NAME, tmp_path, "model") == found
    monkeypatch.setattr("harness.hub.resolve.find_spec", lambda _name: None)
    assert known(NAME, tmp_path, "model") == ModelFolder(nowhere, f"{NAME}@{commit}", TINY)
