"""What a hub says is not trusted with paths: its words are checked before they become any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import InfrastructureError

_COMMIT = re.compile(r"[0-9a-f]{40}")
# The client makes a file's name of it: a digest, or what a mirror has in place of one.
_ETAG = re.compile(r"[0-9A-Za-z_-]+")
_LARGEST = 2**63


def check_listing(commit: object, sizes: dict[str, Any]) -> None:
    """Return if a repository's commit and the sizes of its files, in bytes, can be true.

    Raises:
        InfrastructureError: they cannot.
    """
    _check_commit(commit)
    for path, size in sizes.items():
        if not isinstance(size, int) or not 0 <= size < _LARGEST:
            raise _refused(f"a file cannot have the size that it says, of {path!a}")


@contextmanager
def checked_answers() -> Iterator[None]:
    """Within the block nothing is written where a hub's words would lead out of the cache.

    The client joins two words of an answer to paths, a file's ETag and its commit, whether they
    are from a header or from the list of files; only between its own functions can they be seen.

    Raises:
        InfrastructureError: such a word is no name of a file.
    """
    from huggingface_hub import errors, file_download

    all_of = file_download._get_metadata_or_catch_error
    of_header = file_download.get_hf_file_metadata

    def checked(*args: Any, **kwargs: Any) -> Any:
        found = all_of(*args, **kwargs)
        _, etag, commit, *_ = found
        if etag is not None and not _ETAG.fullmatch(etag):
            raise _refused("an ETag is no name of a file")
        if commit is not None:
            _check_commit(commit)
        return found

    def checked_header(*args: Any, **kwargs: Any) -> Any:
        try:
            return of_header(*args, **kwargs)
        except errors.RemoteEntryNotFoundError as error:  # remembered below the commit it names
            _check_commit(error.response.headers.get("X-Repo-Commit", "0" * 40))
            raise

    file_download._get_metadata_or_catch_error = checked
    file_download.get_hf_file_metadata = checked_header
    try:
        yield
    finally:
        file_download._get_metadata_or_catch_error = all_of
        file_download.get_hf_file_metadata = of_header


def check_inside(snapshot: Path, cache: Path) -> None:
    """Return if every file of a snapshot is one of its repository's, or of the cache's store.

    Raises:
        InfrastructureError: a link leads elsewhere.
    """
    allowed = (snapshot.parent.parent.resolve(), cache.resolve())
    for path in sorted(snapshot.iterdir()):
        if not any(path.resolve().is_relative_to(folder) for folder in allowed):
            raise InfrastructureError(
                "leads out of the cache",
                where=str(path),
                hint="remove the model's folder from the cache; it is fetched again",
            )


def _check_commit(commit: object) -> None:
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise _refused("a commit is not 40 hexadecimal digits")


def _refused(what: str) -> InfrastructureError:
    from huggingface_hub import constants

    return InfrastructureError(
        f"the hub {constants.ENDPOINT} answers what no hub may: {what}",
        hint="nothing of it was written; check that HF_ENDPOINT is a hub that you trust",
    )
