"""A managed server that another process keeps: the file that names it, and whether it is the one.

A file counts that its reader owns and nobody else may open, of a process that still runs. It holds
all that the server's answers depend on; one that differs in any of it is never asked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.clock import SYSTEM_CLOCK, iso
from harness.config import Project
from harness.errors import UsageError
from harness.files import write_atomic
from harness.records.base import Record
from harness.records.target import Identity
from harness.serving.command import SERVER_PACKAGES, ServeSpec, surroundings
from harness.serving.processes import started, this_machine
from harness.serving.vllm import served_names
from harness.targets.identity import managed_identity
from harness.version import installed_versions

# Names the file of a server to use in place of those that `harness serve` keeps, or `none`.
VARIABLE, NONE = "HARNESS_SERVER", "none"
_LARGEST = 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# A server's answers depend on these as well, and no run records them.
_BESIDE = ("tokenizers", "safetensors", "triton", "flashinfer-python", "xgrammar", "bitsandbytes")

Say = Callable[[str], None]


class ServedContent(Record):
    """All that the answers of a managed server depend on.

    `identities` are those of its models and `folders` the adapters', by the name that clients use;
    `environment` has the digest of each variable that vLLM reads.
    """

    server: str
    replicas: int
    identities: dict[str, Identity]
    folders: dict[str, str]
    python: str
    packages: dict[str, str]
    environment: dict[str, str]

    @property
    def mixes(self) -> bool:
        """Whether an adapter may answer for the base where both are in one batch.

        Seen of vLLM's CPU build (0.32.0); two adapters do not disturb each other.
        """
        return bool(self.folders) and "+cpu" in self.packages.get("torch", "")

    def unlike(self, wanted: ServedContent) -> str:
        """What differs from what a command would start itself, empty where nothing does.

        More adapters may be there than are wanted: no identity depends on what is served beside it.
        """
        for name, identity in wanted.identities.items():
            there = self.identities.get(name)
            if there is None:
                return f"it does not serve `{name}`"
            if there != identity:
                fields = (each for each in Identity.model_fields if _differ(each, there, identity))
                return f"`{name}` has another {next(fields).replace('_', ' ')} there"
        for name, folder in wanted.folders.items():
            if self.folders.get(name) != folder:
                return f"`{name}` is served from {self.folders.get(name)}"
        for name in ("replicas", "python", "packages"):
            if _differ(name, self, wanted):
                return f"its {name} are others" if name != "python" else "its Python is another"
        changed = {
            name
            for name in {*self.environment, *wanted.environment}
            if self.environment.get(name) != wanted.environment.get(name)
        }
        return f"its environment differs in {', '.join(sorted(changed))}" if changed else ""


def _differ(name: str, one: Record, other: Record) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def content_of(server: str, spec: ServeSpec, replicas: int) -> ServedContent:
    """What a server of that spec started now would be.

    Raises:
        UsageError: a file of the model or of an adapter is not there; no vLLM is installed.
    """
    identities = {spec.base_name: managed_identity(server, spec, None)}
    identities |= {name: managed_identity(server, spec, name) for name in spec.adapters}
    return ServedContent(
        server=server,
        replicas=replicas,
        identities=identities,
        folders={name: str(path.absolute()) for name, path in spec.adapters.items()},
        python=sys.executable,
        packages=installed_versions((*SERVER_PACKAGES, *_BESIDE)),
        environment=surroundings(),
    )


class ServerFile(Record):
    """`.harness/serve-<pid>.json`: a server that the process `pid` keeps, and its key."""

    schema_version: Literal[1] = 1
    pid: int = Field(gt=0)
    started: str
    machine: str
    created: str
    urls: tuple[str, ...] = Field(min_length=1)
    api_key: str = Field(repr=False)
    log: str
    content: ServedContent


def server_file(project: Project, prefix: str = "serve") -> Path:
    """Where this process keeps the file of a server."""
    return project.root / ".harness" / f"{prefix}-{os.getpid()}.json"


def publish(
    path: Path, content: ServedContent, urls: tuple[str, ...], api_key: str, log: Path
) -> None:
    """Write the file of a server that this process keeps.

    Raises:
        StorageError: it cannot be written.
    """
    own = ServerFile(
        pid=os.getpid(),
        started=started(os.getpid()) or "",
        machine=this_machine(),
        created=iso(SYSTEM_CLOCK.utc()),
        urls=urls,
        api_key=api_key,
        log=str(log),
        content=content,
    )
    write_atomic(path, own.model_dump_json(indent=1), access="secret")


def withdraw(path: Path, *, unused: bool = False) -> bool:
    """Remove the file of a server; with `unused`, only where no command uses the server.

    Returns whether it is removed. No command begins to use the server from then on.
    """
    with contextlib.ExitStack() as stack:
        if unused:
            try:
                handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                return True  # somebody else has removed it
            stack.callback(os.close, handle)
            if not _alone(handle):
                return False
        path.unlink(missing_ok=True)
    return True


def in_use(path: Path) -> bool:
    """Whether a command uses the server of that file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _alone(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def running_server(
    project: Project, wanted: Callable[[], ServedContent], server: str, say: Say
) -> Iterator[ServerFile | None]:
    """A server that another process keeps and that is exactly what is wanted, marked as in use.

    None where there is no such server; `say` gets a line on each that is passed over, and on the
    one that is used. The file of a process that is gone is removed.

    Raises:
        UsageError: HARNESS_SERVER names no file.
    """
    for path, handle, found in _kept(project, say):
        if found.content.server != server:
            continue
        # Looked at before this command begins to use it.
        mixed = found.content.mixes and not _alone(handle)
        why = found.content.unlike(wanted()) or _unusable(found, path, handle)
        who = f"{server}: the server that process {found.pid} keeps"
        if why:
            say(f"{who} is not used: {why}")
            continue
        say(f"{who} since {found.created} is used")
        if mixed:
            say(
                f"warning: {server}: another command asks it too, and on vLLM's CPU build an "
                "adapter that is in the same batch answers for the base: run one after the other"
            )
        yield found
        return
    yield None


def left_alone(project: Project, server: str, say: Say) -> None:
    """Say that a server is kept which is not to be used, where there is one of that name."""
    for _, _, found in _kept(project, lambda _: None):
        if found.content.server == server:
            say(
                f"{server}: latency needs a server that nobody else asks; one is started beside "
                f"that of process {found.pid}, which should have nothing to do meanwhile"
            )


def _kept(project: Project, say: Say) -> Iterator[tuple[Path, int, ServerFile]]:
    """The files that count, each open for as long as it is looked at."""
    for path in _files(project):
        try:
            handle = os.open(path, _FLAGS)
        except FileNotFoundError:
            continue
        except OSError as error:
            say(f"{path}: is not used: it cannot be opened, or is a link ({error.strerror})")
            continue
        try:
            found = _read(path, handle, say)
            if found is not None:
                yield path, handle, found
        finally:
            os.close(handle)


def _files(project: Project) -> list[Path]:
    given = os.environ.get(VARIABLE, "").strip()
    if given == NONE:
        return []
    if not given:
        folder = project.root / ".harness"
        _clear(folder.glob("gate-*.json"))
        return sorted(folder.glob("serve-*.json"))
    if "://" in given:
        raise UsageError(
            "names an address, and nothing tells which model answers there",
            where=VARIABLE,
            hint="name the file that `harness serve` prints, or write a server with a `url`",
        )
    if not Path(given).is_file():
        raise UsageError(
            f"no such file: {given}",
            where=VARIABLE,
            hint=f"name the file that `harness serve` prints, or `{NONE}` for a server of its own",
        )
    return [Path(given)]


def _clear(gates: Iterable[Path]) -> None:
    """Remove the files of gates that were killed, for the keys that are in them."""
    for path in gates:
        with contextlib.suppress(OSError):
            handle = os.open(path, _FLAGS)
            try:
                _read(path, handle, lambda _: None)
            finally:
                os.close(handle)


def _read(path: Path, handle: int, say: Say) -> ServerFile | None:
    """What the open file holds, None where it does not count."""
    status = os.fstat(handle)
    own = status.st_uid == os.geteuid() and not status.st_mode & 0o077
    if not stat.S_ISREG(status.st_mode) or not own or status.st_size > _LARGEST:
        say(f"{path}: is not used: it must be a file that its owner alone can open (chmod 600)")
        return None
    try:
        found = ServerFile.model_validate_json(os.pread(handle, _LARGEST, 0))
    except ValidationError:
        say(f"{path}: is not used: it is damaged, or of another version of the harness")
        return None
    if found.machine != this_machine():
        return None  # process ids of another machine or container mean nothing here
    if found.started != (started(found.pid) or "gone"):
        named = os.environ.get(VARIABLE, "").strip()
        left = "HARNESS_SERVER still names it" if named else "the file is removed"
        say(f"{path}: process {found.pid}, which kept a server, is gone; {left}")
        if not named:
            for each in (path, path.with_suffix(".key")):
                with contextlib.suppress(OSError):
                    each.unlink()
        return None
    return found


def _unusable(found: ServerFile, path: Path, handle: int) -> str:
    """Why a server of the right content cannot be used, empty where it can; it is then in use."""
    fcntl.flock(handle, fcntl.LOCK_SH)  # its keeper holds it for a moment only
    if not path.exists():
        return "it is about to stop"
    missing = [
        url
        for url in found.urls
        if not found.content.identities.keys() <= served_names(url, found.api_key)
    ]
    return f"{missing[0]} does not answer as it should" if missing else ""


def _alone(handle: int) -> bool:
    """Whether nobody uses the server of an open file; nobody begins to until it is closed."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
