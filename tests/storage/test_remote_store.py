from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import StorageError, UsageError
from harness.storage.remote_store import Store
from tests.storage.bucket import SECRET, Bucket


def test_files_come_back_as_they_were_put(url: str, tmp_path: Path) -> None:
    store = Store.open(url)
    assert store.read("a/b") is None
    assert store.names("a") == []
    store.write("a/b", b"one")
    store.write("a/b", b"two")
    (tmp_path / "large").write_bytes(b"x" * 6_000_000)
    store.upload(tmp_path / "large", "a/c/d")
    assert store.read("a/b") == b"two"
    assert store.names() == ["a"]
    assert store.names("a") == ["b", "c"]
    assert store.download("a/c/d", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"x" * 6_000_000
    assert not store.download("a/none", tmp_path / "none")
    store.delete("a/b")
    store.delete("a/b")
    assert store.read("a/b") is None


def test_a_file_is_created_once(url: str) -> None:
    store = Store.open(url)
    assert store.create("a/b", b"first")
    assert not store.create("a/b", b"second")
    assert store.read("a/b") == b"first"


def test_what_another_wrote_is_seen_at_once(url: str) -> None:
    one, other = Store.open(url), Store.open(url)
    assert one.names("a") == []
    other.write("a/b", b"")
    assert one.names("a") == ["b"]


def test_no_credentials_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(StorageError, match="no credentials for it") as caught:
        Store.open("s3://some-bucket/x").read("run.json")
    assert caught.value.exit_code == 3
    assert "\n" not in caught.value.line


def test_no_bucket_and_no_server_are_one_line(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match="no such bucket") as caught:
        Store.open("s3://no-such-bucket/x").write("run.json", b"")
    assert SECRET not in caught.value.line
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StorageError, match="cannot be used") as caught:
        Store.open(f"{bucket.url}/x").read("run.json")
    assert SECRET not in caught.value.line


def test_without_s3fs_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec.core

    def missing(url: str, **options: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(UsageError, match=r"pip install '\.\[s3\]'"):
        Store.open("s3://runs")
