"""A hub whose answers would lead out of the cache."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import file_download

from harness.errors import InfrastructureError
from harness.hub import client
from harness.hub.guard import checked_answers
from tests.hub.conftest import fetch
from tests.hub_server import HubServer

OUT = "../" * 8 + "escaped"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"sha": OUT}, "a commit is not 40"),
        ({"sha": "main"}, "a commit is not 40"),
        ({"etag": OUT}, "an ETag is no name"),
        ({"etag": "a/b"}, "an ETag is no name"),
        ({"etag": ".."}, "an ETag is no name"),
        ({"named_commit": OUT}, "a commit is not 40"),
        ({"named_commit": OUT, "missing": {"config.json"}}, "a commit is not 40"),
        ({"sizes": {"config.json": -1}}, "the size that it says, of 'config.json'"),
        ({"sizes": {"model.safetensors": 2**63}}, "the size that it says"),
    ],
)
def test_what_would_lead_out_of_the_cache_is_refused(
    hub: HubServer,
    commit: str,
    tmp_path: Path,
    told: dict[str, object],
    message: str,
) -> None:
    for name, value in told.items():
        setattr(hub, name, value)
    with pytest.raises(InfrastructureError, match=message) as caught:
        fetch(tmp_path)
    assert OUT not in caught.value.line
    assert not list(Path(tmp_path.anchor).glob("*escaped*"))
    written = [path.name for path in client.cache_folder().rglob("*") if path.is_file()]
    assert not set(written) - {f"{commit}.json", "CACHEDIR.TAG"}


def test_so_is_the_digest_that_the_list_of_files_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """With hf_xet installed the client asks no header: the list has the name of the file."""
    listed = SimpleNamespace(xet_hash="0" * 64, lfs_sha256=OUT, lfs_size=1)
    monkeypatch.setattr(file_download, "is_xet_available", lambda: True)
    monkeypatch.setattr(file_download, "read_tree_cache", lambda *_: {"config.json": listed})
    with checked_answers(), pytest.raises(InfrastructureError, match="an ETag is no name"):
        file_download.hf_hub_download("org/tiny", "config.json", revision="0" * 40)


def test_a_link_in_the_cache_that_leads_elsewhere_is_refused(
    hub: HubServer, commit: str, tmp_path: Path
) -> None:
    config = fetch(tmp_path).path / "config.json"
    config.unlink()
    config.symlink_to(tmp_path / "made/config.json")
    with pytest.raises(InfrastructureError, match=r"config\.json: leads out of the cache"):
        fetch(tmp_path)
