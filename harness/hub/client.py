"""The calls of `huggingface_hub`: which files a model has, what of it is cached, the download.

The library brings the cache, the token (HF_TOKEN), the mirror (HF_ENDPOINT) and the offline mode
(HF_HUB_OFFLINE). Only files at the top of a repository are ever asked for, and of those what is
part of a model's digest, or text: safetensors, configurations, tokenizers; no pickle, no code.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from types import FrameType
from typing import Any, Literal

from harness.errors import StorageError, UsageError
from harness.files import write_atomic
from harness.hub.guard import check_listing, checked_answers
from harness.hub.name import HubName
from harness.model_files import MODEL_FILES

_WEIGHTS = "*.safetensors"
# All that a model's digest counts is here, so that it is the same for a clone of the repository.
_FETCHED = (*MODEL_FILES, "*.json", "*.jinja", "*.txt")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
_CODE = (".py", ".pyc", ".so", ".sh")
_NEVER = ["*/*", *(f"*{suffix}" for suffix in (*_PICKLES, *_CODE))]
_ANSWER_SECONDS = 10.0
_SPARE = 64 * 1024 * 1024  # of the disk; a full one harms more than this download

# What is wanted of a repository; `config` is a model's config.json alone, some kilobytes.
Kind = Literal["model", "adapter", "tokenizer", "config"]
# Called with the bytes that are there, and the bytes of all.
OnBytes = Callable[[int, int], None]
_CONFIGS: dict[Kind, str] = {
    "model": "config.json",
    "adapter": "adapter_config.json",
    "config": "config.json",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """The files at the top of a repository at one commit, with their sizes in bytes."""

    commit: str
    sizes: dict[str, int]

    def wanted(self, kind: Kind) -> dict[str, int]:
        """Those that are fetched."""
        return {name: size for name, size in self.sizes.items() if _is_wanted(name, kind)}


def require_client() -> None:
    """Return if the hub's client is installed; from now on it tells the hub no more than it must.

    Raises:
        UsageError: it is not.
    """
    if find_spec("huggingface_hub") is None:
        raise UsageError(
            "a model by its name on a hub needs the package huggingface_hub",
            hint="pip install -e '.[hub]', or name a folder",
        )
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True


def endpoint() -> str:
    """The address of the hub."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) forbids to ask the hub."""
    from huggingface_hub import constants

    return constants.is_offline_mode()


def cache_folder() -> Path:
    """Where models are cached: HF_HUB_CACHE, or below HF_HOME."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def has_token() -> bool:
    """Whether a token is sent to the hub."""
    from huggingface_hub import get_token

    return get_token() is not None


def list_files(name: HubName, revision: str, timeout: float = _ANSWER_SECONDS) -> Listing:
    """The files of a model at a revision, which may be a commit; one request.

    Raises:
        InfrastructureError: a commit or a size that cannot be.
        Exception: as the library raises them (`harness.hub.failures` translates).
    """
    from huggingface_hub import HfApi

    found = HfApi(library_name="harness").model_info(
        name.repo, revision=revision, files_metadata=True, timeout=timeout
    )
    if found.sha is None:
        raise ValueError("the answer names no commit")
    sizes = {one.rfilename: one.size or 0 for one in found.siblings or ()}
    check_listing(found.sha, sizes)
    return Listing(found.sha, {path: size for path, size in sizes.items() if "/" not in path})


def check_loadable(name: HubName, listing: Listing, kind: Kind, where: str) -> None:
    """Return if the files are what is wanted.

    Raises:
        UsageError: there are no safetensors, or no configuration of such a thing.
    """
    if kind == "tokenizer":
        return
    if not any(fnmatchcase(path, _WEIGHTS) for path in listing.sizes):
        pickles = [path for path in listing.sizes if path.endswith(_PICKLES)]
        others = [path for path in listing.sizes if path.endswith(".gguf")]
        if pickles:
            what = f"holds pickles only ({pickles[0]}), which can run code when loaded"
        else:
            what = f"holds no *.safetensors{f' (but {others[0]})' if others else ''}"
        hint = "choose a repository or revision with safetensors, or convert the weights yourself"
        raise UsageError(f"{name} {what}", where=where, hint=hint)
    if (config := _CONFIGS[kind]) not in listing.sizes:
        raise UsageError(
            f"{name} is no {'adapter' if kind == 'adapter' else 'model'}: it has no {config} at "
            "its top",
            where=where,
            hint="name an adapter under `adapter`, and its base where a model is wanted",
        )


def check_room(name: HubName, listing: Listing, kind: Kind) -> None:
    """Return if what is missing of the model fits on the cache's disk.

    Raises:
        StorageError: it does not, by the sizes that the hub tells.
    """
    cache = cache_folder()
    there = snapshot_folder(name, listing.commit)
    missing = sum(
        size for path, size in listing.wanted(kind).items() if not (there / path).exists()
    )
    standing = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(standing).free
    if missing + _SPARE > free:
        raise StorageError(
            f"no room for {name}: {as_text(missing)} are to be fetched, {as_text(free)} free",
            where=str(cache),
            hint="make room, or set HF_HOME to a folder on another disk",
        )


def download(name: HubName, listing: Listing, kind: Kind, on_bytes: OnBytes) -> None:
    """Return once the cache has all wanted files; what it has already is not fetched again.

    A connection that breaks is taken up again where it broke.

    Raises:
        InfrastructureError: an answer that would lead out of the cache.
        Exception: as the library raises them (`harness.hub.failures` translates).
    """
    from huggingface_hub import snapshot_download

    stopped = threading.Event()
    with _quiet(), checked_answers(), _setting_when_interrupted(stopped):
        snapshot_download(
            name.repo,
            revision=listing.commit,
            allow_patterns=_patterns(kind),
            ignore_patterns=_NEVER,
            library_name="harness",
            tqdm_class=_counter(on_bytes, sum(listing.wanted(kind).values()), stopped),
        )


def snapshot_folder(name: HubName, commit: str) -> Path:
    """Where the cache keeps a commit; it may hold a part of its files, or not be there."""
    from huggingface_hub.file_download import repo_folder_name

    folder = repo_folder_name(repo_id=name.repo, repo_type="model")
    return cache_folder() / folder / "snapshots" / commit


def cached_commit(name: HubName) -> str | None:
    """The commit that the revision was when the hub was last asked, or None."""
    if name.commit is not None:
        return name.commit
    try:
        return _ref(name).read_text().strip() or None
    except OSError:
        return None


def cache_commit(name: HubName, commit: str) -> None:
    """Let the cache say what the revision is now, as other programs leave it there and read it."""
    if cached_commit(name) != commit:
        with suppress(StorageError):  # a cache that cannot be written to serves what it has
            write_atomic(_ref(name), commit, access="public")


def is_whole(name: HubName, commit: str, kind: Kind, *, surely: bool = False) -> bool:
    """Whether the cache has all wanted files of a commit.

    Where the list of its files is not cached, as after another program fetched some of them, the
    weights and a configuration are enough; `surely` asks for the list.
    """
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    folder = snapshot_folder(name, commit)
    if kind != "tokenizer" and not (folder / _CONFIGS[kind]).exists():
        return False
    try:
        listed = [file.path for file in get_cached_repo_tree(name.repo, revision=commit)]
    except CachedRepoTreeNotFoundError:
        return not surely and _is_loadable(folder, kind)
    wanted = [path for path in listed if _is_wanted(path, kind)]
    return bool(wanted) and all((folder / path).exists() for path in wanted)


def _is_loadable(folder: Path, kind: Kind) -> bool:
    if kind == "config":
        return (folder / _CONFIGS[kind]).exists()
    if kind == "tokenizer":
        return next(folder.glob("tokenizer*"), None) is not None
    index = folder / "model.safetensors.index.json"
    try:
        parts = set(json.loads(index.read_text())["weight_map"].values())
    except FileNotFoundError:
        return next(folder.glob("*.safetensors"), None) is not None
    except (OSError, ValueError, KeyError, AttributeError):
        return False
    return all((folder / PurePosixPath(str(part)).name).exists() for part in parts)


def _ref(name: HubName) -> Path:
    return snapshot_folder(name, "").parent / "refs" / name.revision


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's log off the terminal: what matters of it becomes an error or a count."""
    logger = logging.getLogger("huggingface_hub")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def _setting_when_interrupted(stopped: threading.Event) -> Iterator[None]:
    """Within the block Ctrl-C sets the event too: the library waits for the threads that fetch."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()
        before(number, frame)

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _counter(on_bytes: OnBytes, total: int, stopped: threading.Event) -> Any:
    """A class of progress bars that draw nothing and pass on the bytes that were written.

    Once `stopped` is set they end what counts with them, which nothing else can.
    """
    from tqdm.auto import tqdm

    class Counter(tqdm):  # type: ignore[misc]  # the library's class is untyped
        """A bar of the library's: one counts bytes received, one bytes written, one files."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._counts = str(kwargs.get("desc", "")).startswith("Reconstructing")
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            """Count; the base class counts nothing where it draws nothing."""
            if stopped.is_set():
                raise RuntimeError("interrupted")
            self.n += n or 0
            if self._counts:
                on_bytes(int(self.n), total)

    return Counter


def _patterns(kind: Kind) -> list[str]:
    if kind == "config":
        return [_CONFIGS[kind]]
    return [one for one in _FETCHED if kind != "tokenizer" or one != _WEIGHTS]


def _is_wanted(path: str, kind: Kind) -> bool:
    """As the library decides it by the patterns."""
    if any(fnmatchcase(path, pattern) for pattern in _NEVER):
        return False
    return any(fnmatchcase(path, pattern) for pattern in _patterns(kind))


def as_text(size: int) -> str:
    """A number of bytes, for people."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size / 1e3:.3g} kB"
