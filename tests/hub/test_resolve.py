"""Models by name, through the real client, from a hub on loopback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from huggingface_hub import constants

from harness.errors import HarnessError, StorageError, UsageError
from harness.hub import client
from harness.hub.failures import HubUnreachable
from harness.hub.lock import write_lock
from harness.hub.name import HubName
from harness.hub.resolve import ModelFolder, find, known, newest_commit
from tests.hub_project import Heard, new_process, use_hub
from tests.hub_server import TOKEN, HubServer
from tests.serving.made import write_adapter, write_model

NAME = "org/tiny"
TINY = HubName(NAME)


@pytest.fixture
def commit(hub: HubServer, tmp_path: Path) -> str:
    """The commit of a model that has more beside it than is ever fetched."""
    files = {path.name: path.read_bytes() for path in write_model(tmp_path / "made").iterdir()}
    others = ("pytorch_model.bin", "training_args.bin", "modeling.py", "README.md", "x.gguf")
    files |= dict.fromkeys(others, b"never")
    return hub.put(NAME, files | {"original/model.safetensors": b"never", "sub/x.json": b"never"})


def fetch(root: Path, given: str = NAME, heard: Heard | None = None) -> ModelFolder:
    found = find(given, root, "model", "harness.yaml:3: servers.local.model", heard)
    assert found is not None
    return found


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
        "tokenizer_config.json",
    ]
    assert sorted(path.name for path in found.path.iterdir()) == fetched
    assert set(hub.fetched()) <= set(fetched)
    assert not any("harnesses" in one.path for one in hub.requests)
    assert "no such folder; asking http://127.0.0.1" in heard.text
    assert "is not in harness.lock" in heard.text
    assert heard.counts[-1] == (f"fetching {NAME}", 1, 1)
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


def test_what_cannot_be_loaded(hub: HubServer, tmp_path: Path) -> None:
    hub.put("org/pickles", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    hub.put("org/gguf", {"config.json": b"{}", "model.gguf": b"x"})
    hub.put("org/adapter", write_adapter(tmp_path / "adapter"))
    with pytest.raises(UsageError, match=r"holds pickles only \(pytorch_model.bin\)"):
        fetch(tmp_path, "org/pickles")
    with pytest.raises(UsageError, match=r"holds no \*.safetensors \(but model.gguf\)"):
        fetch(tmp_path, "org/gguf")
    with pytest.raises(UsageError, match=r"is no model: it has no config.json .* under `adapter`"):
        fetch(tmp_path, "org/adapter")
    assert hub.fetched() == []
    assert find("org/adapter", tmp_path, "adapter", "here") is not None


def test_a_tokenizer_is_fetched_without_the_weights(
    hub: HubServer, commit: str, tmp_path: Path
) -> None:
    assert find(NAME, tmp_path, "tokenizer", "here") is not None
    assert "model.safetensors" not in hub.fetched()
    assert "tokenizer.json" in hub.fetched()
    fetch(tmp_path)
    assert "model.safetensors" in hub.fetched()


def test_a_file_that_is_gone(hub: HubServer, commit: str, tmp_path: Path) -> None:
    hub.missing.add("tokenizer.json")
    with pytest.raises(UsageError, match="a file of org/tiny@main is gone"):
        fetch(tmp_path)


def test_no_room_is_said_before_a_byte_is_fetched(
    hub: HubServer, commit: str, tmp_path: Path
) -> None:
    hub.sizes["model.safetensors"] = 10**18
    with pytest.raises(StorageError, match=r"no room for org/tiny@main: 1e\+09 GB are .* HF_HOME"):
        fetch(tmp_path)
    assert hub.fetched() == []


def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 64)  # kept piece by piece
    hub.breaks["model.safetensors"] = [128]
    found = fetch(tmp_path)
    tries = [
        one.range
        for one in hub.requests
        if one.method == "GET" and one.path.endswith("model.safetensors")
    ]
    assert tries == [None, "bytes=128-"]
    assert (found.path / "model.safetensors").read_bytes() == (
        tmp_path / "made/model.safetensors"
    ).read_bytes()


def test_the_next_call_fetches_what_the_last_one_did_not(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    hub.breaks["model.safetensors"] = [0] * 6
    with pytest.raises(HubUnreachable, match="run the command again"):
        fetch(tmp_path)
    assert known(NAME, tmp_path, "model") == ModelFolder(
        Path("/dev/null/org/tiny"), f"{NAME}@{commit}"
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
    with pytest.raises(HubUnreachable, match=rf"the hub {closed} cannot be reached: ConnectError"):
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


def test_a_hub_that_fails(hub: HubServer, commit: str, tmp_path: Path) -> None:
    hub.status = 503
    with pytest.raises(HubUnreachable, match="answers with HTTP 503 for org/tiny - try again"):
        fetch(tmp_path)
    hub.status = 200  # no hub at all: a page that is no JSON
    with pytest.raises(HarnessError, match="cannot be fetched"):
        fetch(tmp_path)


def test_what_is_known_without_asking(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Path("/dev/null/org/tiny")
    assert known(NAME, tmp_path, "model") == ModelFolder(nowhere, None)
    assert known(".harness/models/x", tmp_path, "model") is None
    write_lock(tmp_path, {TINY: commit})
    assert known(NAME, tmp_path, "model") == ModelFolder(nowhere, f"{NAME}@{commit}")
    assert hub.requests == []
    found = fetch(tmp_path)
    assert known(NAME, tmp_path, "model") == found
    monkeypatch.setattr("harness.hub.resolve.find_spec", lambda _name: None)
    assert known(NAME, tmp_path, "model") == ModelFolder(nowhere, f"{NAME}@{commit}")


def test_a_part_that_another_program_fetched_is_completed(
    hub: HubServer, commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(NAME, "config.json", revision=commit)
    assert not client.is_whole(TINY, commit, "model")
    hf_hub_download(NAME, "model.safetensors", revision=commit)
    assert client.is_whole(TINY, commit, "model")
    assert not client.is_whole(TINY, commit, "model", surely=True)
    assert (fetch(tmp_path).path / "tokenizer.json").exists()


def test_without_the_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"needs the package huggingface_hub - pip install"):
        fetch(tmp_path)
