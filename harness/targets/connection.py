"""Connections to configured servers: one that runs, one that is kept, or one that is started.

Within a command a managed server is started once: what comes after its answers, Python tests and
latency, asks the same process.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from harness.config import Project
from harness.errors import UsageError
from harness.files import open_private
from harness.records.server import ManagedServer
from harness.serving.command import ServeSpec
from harness.serving.replicas import VllmReplicas
from harness.targets.endpoint import Endpoint, meter_of, remote_endpoint, serve_spec
from harness.targets.running_server import (
    VARIABLE,
    ServedContent,
    content_of,
    left_alone,
    publish,
    running_server,
    server_file,
    withdraw,
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Wish:
    """A managed server that somebody wants to ask, as it would be started for them."""

    project: Project
    server: str
    configured: ManagedServer
    spec: ServeSpec

    def content(self) -> ServedContent:
        return content_of(self.server, self.spec, self.configured.replicas)


@contextmanager
def connect(
    project: Project,
    server: str,
    targets: Sequence[str],
    log: Path,
    on_progress: Say,
    *,
    alone: bool = False,
) -> Iterator[Endpoint]:
    """The server's endpoint for as long as the block runs.

    A managed server is the one that this command keeps, else one that `harness serve` keeps and
    that is exactly what would be started, else it is started; the `log` is written then. With
    `alone` nobody else may ask it, and it serves these targets and no other.

    Raises:
        UsageError: the key's environment variable is not set, or a file is missing.
        ServerError: the managed server does not start.
    """
    configured = project.config.servers[server]
    meter = meter_of(server, configured)
    if not isinstance(configured, ManagedServer):
        yield replace(remote_endpoint(configured, server, project.file), meter=meter)
        return
    kept = _KEPT.get()
    wish = _Wish(project, server, configured, serve_spec(project, server, targets, log))
    with ExitStack() as stack:
        endpoint = None if kept is None else kept.held(stack, wish, exactly=alone)
        if endpoint is None and not alone:
            endpoint = _borrowed(stack, wish, on_progress)
        if endpoint is None:
            if alone:
                left_alone(project, server, on_progress)
            if kept is None:
                endpoint = stack.enter_context(_started(wish, on_progress))
            else:
                endpoint = kept.start(stack, wish, on_progress, exactly=alone)
        yield replace(endpoint, meter=meter)


@contextmanager
def start(
    project: Project, server: str, targets: Sequence[str], log: Path, on_progress: Say
) -> Iterator[tuple[Endpoint, ServedContent]]:
    """A managed server of its own for as long as the block runs, and what it is.

    Raises:
        UsageError: a file is missing, or the server is no managed one.
        ServerError: it does not start.
    """
    configured = project.config.servers[server]
    spec = serve_spec(project, server, targets, log)
    assert isinstance(configured, ManagedServer)
    wish = _Wish(project, server, configured, spec)
    content = wish.content()
    with _started(wish, on_progress) as endpoint:
        if wish.content() != content:
            raise UsageError(
                f"the files of `{server}` changed while it was started", hint="start it again"
            )
        yield endpoint, content


@contextmanager
def start_anew(
    project: Project, server: str, targets: Sequence[str], log: Path, on_progress: Say
) -> Iterator[Endpoint]:
    """A managed server that is started for this block alone, whatever is kept.

    Those that this command keeps and nobody asks are stopped first: memory may hold one.

    Raises:
        UsageError: a file is missing.
        ServerError: it does not start.
    """
    configured = project.config.servers[server]
    assert isinstance(configured, ManagedServer)
    stop_idle()
    left_alone(project, server, on_progress)
    spec = serve_spec(project, server, targets, log)
    with _started(_Wish(project, server, configured, spec), on_progress) as endpoint:
        yield endpoint


@contextmanager
def _started(wish: _Wish, on_progress: Say) -> Iterator[Endpoint]:
    with VllmReplicas(wish.spec, wish.configured.replicas, on_progress) as managed:
        yield Endpoint(
            (),
            managed.api_key,
            managed=managed,
            form=wish.configured.request,
            key=f"servers.{wish.server}",
            log=wish.spec.log,
        )


def _borrowed(stack: ExitStack, wish: _Wish, say: Say) -> Endpoint | None:
    """The server of another process, where there is one that is exactly what is wished for."""
    wanted = wish.content
    found = stack.enter_context(running_server(wish.project, wanted, wish.server, say))
    if found is None:
        return None
    return Endpoint(
        found.urls,
        found.api_key,
        form=wish.configured.request,
        key=f"servers.{wish.server}",
        log=Path(found.log),
    )


@dataclass
class _Held:
    wish: _Wish
    content: ServedContent
    endpoint: Endpoint
    stack: ExitStack
    users: int = 0

    def fits(self, wish: _Wish, *, exactly: bool) -> bool:
        """Whether it is still what is wished for, as the files are now."""
        same = self.wish.spec.adapters.keys() == wish.spec.adapters.keys()
        managed = self.endpoint.managed
        return (
            self.wish.project.root == wish.project.root
            and (same or not exactly)
            and managed is not None
            and managed.alive()
            and not self.content.unlike(wish.content())
        )


class KeptServers:
    """The managed servers of one command: each runs on until another one is needed.

    `targets` are those that the command is about: a server is started for all of them at once.
    """

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = tuple(targets)
        self._held: dict[str, _Held] = {}

    def held(self, stack: ExitStack, wish: _Wish, *, exactly: bool) -> Endpoint | None:
        """The endpoint of a server that is kept and fits; `stack` says when it is left."""
        held = self._held.get(wish.server)
        if held is None or not held.fits(wish, exactly=exactly):
            return None
        return self._used(stack, held)

    def start(self, stack: ExitStack, wish: _Wish, say: Say, *, exactly: bool) -> Endpoint:
        """A new server, for which those that nobody asks are stopped: memory holds one.

        Raises:
            UsageError, ServerError: it cannot be started.
        """
        self.stop_idle()
        if wish.server in self._held:  # and is asked now, as something else
            return stack.enter_context(_started(wish, say))
        if not exactly:
            wish = self._for_all(wish)
        own = ExitStack()
        content = wish.content()
        endpoint = own.enter_context(_started(wish, say))
        self._held[wish.server] = held = _Held(wish, content, endpoint, own)
        return self._used(stack, held)

    def stop_idle(self) -> None:
        """Stop the servers that nobody asks."""
        for name, held in list(self._held.items()):
            if not held.users:
                del self._held[name]
                held.stack.close()

    def close(self) -> None:
        """Stop every server."""
        held, self._held = self._held, {}
        with ExitStack() as stack:
            for each in held.values():
                stack.callback(each.stack.close)

    @contextmanager
    def lent(self) -> Iterator[dict[str, str]]:
        """What a child process needs in its environment to ask the server that is kept here."""
        held = next(iter(self._held.values()), None)
        if held is None:
            yield {}
            return
        path = server_file(held.wish.project, "gate")
        urls, key = held.endpoint.urls, held.endpoint.api_key or ""
        publish(path, held.content, urls, key, held.wish.spec.log)
        try:
            yield {VARIABLE: str(path)}
        finally:
            withdraw(path)

    def _for_all(self, wish: _Wish) -> _Wish:
        """The wish with every other target of the command that is on its server."""
        project, server = wish.project, wish.server
        targets = [name for name in self._targets if project.target(name).server == server]
        try:
            own = serve_spec(project, server, targets, wish.spec.log)
        except UsageError:
            return wish  # what is wrong with another target is said when that one is asked
        adapters = {**own.adapters, **wish.spec.adapters}
        sources = {**own.sources, **wish.spec.sources}
        return replace(wish, spec=replace(wish.spec, adapters=adapters, sources=sources))

    def _used(self, stack: ExitStack, held: _Held) -> Endpoint:
        held.users += 1

        def leave() -> None:
            held.users -= 1

        stack.callback(leave)
        return held.endpoint


_KEPT: ContextVar[KeptServers | None] = ContextVar("kept_servers", default=None)


@contextmanager
def keep_servers(targets: Sequence[str]) -> Iterator[KeptServers]:
    """Within the block managed servers that are started run on; it ends with all of them stopped.

    A block inside another one keeps nothing of its own.
    """
    outer = _KEPT.get()
    if outer is not None:
        yield outer
        return
    kept = KeptServers(targets)
    _KEPT.set(kept)
    try:
        yield kept
    finally:
        _KEPT.set(None)
        kept.close()


def stop_idle() -> None:
    """Stop the servers that this command keeps and nobody asks, if there are any."""
    kept = _KEPT.get()
    if kept is not None:
        kept.stop_idle()


@contextmanager
def lent_server() -> Iterator[dict[str, str]]:
    """What a child process needs in its environment to ask the server that is kept, if any is."""
    kept = _KEPT.get()
    if kept is None:
        yield {}
        return
    with kept.lent() as environment:
        yield environment


def copy_log(endpoint: Endpoint, to: Path) -> None:
    """Copy the log of a server that was started for something else, as far as that can be."""
    if endpoint.log is None or endpoint.log == to or not to.parent.exists():
        return
    with suppress(OSError):  # a copy for convenience hides no error
        os.close(open_private(to, os.O_CREAT | os.O_WRONLY))
        shutil.copyfile(endpoint.log, to)
