"""What is fetched and what is left: through the real library, from a hub on loopback."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest
from huggingface_hub import constants

from harness.errors import StorageError, UsageError
from harness.hub import client
from harness.hub.name import HubName
from harness.hub.resolve import find
from tests.hub.conftest import NAME, fetch
from tests.hub_project import Heard
from tests.hub_server import HubServer
from tests.serving.made import write_adapter

TINY = HubName(NAME)


def test_no_room_is_said_before_a_byte_is_fetched(
    hub: HubServer, commit: str, tmp_path: Path
) -> None:
    hub.sizes["model.safetensors"] = 10**18
    with pytest.raises(StorageError, match=r"no room for org/tiny@main: 1e\+06 TB are .* HF_HOME"):
        fetch(tmp_path)
    assert hub.fetched() == []


def test_what_cannot_be_loaded(hub: HubServer, tmp_path: Path) -> None:
    hub.put("org/pickles", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    hub.put("org/gguf", {"config.json": b"{}", "model.gguf": b"x"})
    hub.put("org/adapter", write_adapter(tmp_path / "adapter"))
    with pytest.raises(UsageError, match=r"holds pickles only \(pytorch_model.bin\)"):
        fetch(tmp_path, "org/pickles")
    with pytest.raises(UsageError, match=r"holds no \*.safetensors \(but model.gguf\)"):
        fetch(tmp_path, "org/gguf")
    assert find("org/adapter", tmp_path, "adapter", "here") is not None
    with pytest.raises(UsageError, match=r"is no model: it has no config.json .* under `adapter`"):
        fetch(tmp_path, "org/adapter")
    assert not {"pytorch_model.bin", "model.gguf", "config.json"} & set(hub.fetched())


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


def test_a_tokenizer_is_fetched_without_the_weights(
    hub: HubServer, commit: str, tmp_path: Path
) -> None:
    assert find(NAME, tmp_path, "tokenizer", "here") is not None
    assert "model.safetensors" not in hub.fetched()
    assert "tokenizer_config.json" in hub.fetched()
    fetch(tmp_path)
    assert "model.safetensors" in hub.fetched()


def test_an_interrupt_ends_the_download_at_once(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 64)
    hub.put("org/large", {"config.json": b"{}", "model.safetensors": b"x" * 500_000})
    before = signal.getsignal(signal.SIGINT)

    main = threading.main_thread().ident
    assert main is not None

    class Impatient(Heard):
        def progress(self, stage: str, done: int, total: int, detail: str) -> None:
            if not self.counts:
                signal.pthread_kill(main, signal.SIGINT)
            super().progress(stage, done, total, detail)

    impatient = Impatient()
    with pytest.raises(KeyboardInterrupt):
        find("org/large", tmp_path, "model", "here", impatient)
    assert signal.getsignal(signal.SIGINT) is before
    assert len(impatient.counts) < 5_000
    assert not list(client.cache_folder().rglob("model.safetensors"))
    assert not list(client.cache_folder().rglob("*.incomplete"))
