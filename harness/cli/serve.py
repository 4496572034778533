"""`harness serve`."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from harness.cli.console import Console
from harness.cli.options import config_option
from harness.client.metrics import Metrics, scrape
from harness.clock import SYSTEM_CLOCK, Clock
from harness.config import Project, load_project
from harness.errors import ServerError, UsageError
from harness.event_loop import run_async
from harness.files import make_folder, short_path, write_atomic
from harness.records.server import ManagedServer
from harness.targets.connection import start
from harness.targets.endpoint import Endpoint, model_name
from harness.targets.models import fetch_models
from harness.targets.running_server import in_use, publish, server_file, withdraw

POLL_SECONDS = 1.0
COUNT_SECONDS = 5.0
NEVER = "never"
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Duration(click.ParamType[float | None]):
    """Seconds, written `90s`, `30m` or `2h`; None for `never`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        """The seconds of a text."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", str(value))
        if found is not None and float(found[1]) > 0.0:
            return float(found[1]) * _UNITS[found[2]]
        if value != NEVER:
            self.fail(f"`{value}` is no time: write 90s, 30m, 2h or {NEVER}", param, ctx)
        return None


@click.command("serve")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "--idle",
    type=Duration(),
    metavar="TIME",
    default="1h",
    show_default=True,
    help=f"End once nothing was asked for so long: 90s, 30m, 2h or {NEVER}.",
)
@config_option
def command(targets: tuple[str, ...], idle: float | None, config: Path) -> None:
    """Serve a managed server's base and its TARGETs' adapters until Ctrl-C.

    Without a TARGET, all targets of the only managed server are served. Every other command that
    needs exactly this server asks it and starts none: `.harness/serve-<pid>.json` tells them,
    readable by its owner alone. The address is printed, one for each replica; the key, drawn anew,
    is in `.harness/serve-<pid>.key`. After an hour without a request, or as `--idle` says, it ends.
    """
    project = load_project(config)
    server, names = _chosen(project, targets)
    log = project.root / ".harness" / "serve.log"
    make_folder(log.parent)
    with Console() as console:
        fetch_models(project, names, console)
    path = server_file(project)
    key_file = path.with_suffix(".key")

    def say(text: str) -> None:
        click.echo(text, err=True)

    with _ended_by_sigterm(), start(project, server, names, log, say) as (endpoint, content):
        try:
            key = endpoint.api_key or ""
            write_atomic(key_file, key, access="secret")
            publish(path, content, endpoint.urls, key, log)
            for url in endpoint.urls:
                click.echo(f"url: {url}")
            click.echo(f"key: in {key_file}")
            for name in names:
                click.echo(f"{name}: model `{model_name(project, name)}`")
            click.echo(f"for other commands: {short_path(path)}{_until(idle)}")
            if _serve(endpoint, path, idle):
                click.echo(f"ends: nothing was asked for {_minutes(idle)}")
                return
        finally:
            withdraw(path)
            key_file.unlink(missing_ok=True)
        raise ServerError("the server ended by itself", where=str(log), hint="its log says why")


def _serve(endpoint: Endpoint, path: Path, idle: float | None) -> bool:
    """Return true once nothing was asked for so long, false once the server is gone."""
    watch = IdleWatch(endpoint, path)
    while endpoint.managed is not None and endpoint.managed.serving():
        if idle is not None and watch.idle_for() >= idle and withdraw(path, unused=True):
            return True
        time.sleep(POLL_SECONDS)
    return False


class IdleWatch:
    """How long a server has had nothing to do: no command uses it, and nobody else asks it."""

    def __init__(self, endpoint: Endpoint, path: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self._endpoint = endpoint
        self._path = path
        self._clock = clock
        self._since = self._counted = clock.now()
        self._before = self._count()

    def idle_for(self) -> float:
        """Seconds since it last had something to do, as far as could be seen."""
        now = self._clock.now()
        if in_use(self._path):
            self._since = now
        elif now - self._counted >= COUNT_SECONDS:
            self._counted = now
            counted = self._count()
            if counted != self._before or any(one is not None and one.busy for one in counted):
                self._before, self._since = counted, now
        return now - self._since

    def _count(self) -> list[Metrics | None]:
        return [_tokens(url, self._endpoint.api_key) for url in self._endpoint.urls]


def _tokens(url: str, api_key: str | None) -> Metrics | None:
    """The counters that move with requests alone."""
    found = run_async(scrape(url, api_key))
    if found is None:
        return None
    return Metrics(
        prompt_tokens=found.prompt_tokens,
        generation_tokens=found.generation_tokens,
        running=found.running,
        waiting=found.waiting,
    )


def _until(idle: float | None) -> str:
    return "" if idle is None else f", until nothing is asked for {_minutes(idle)}"


def _minutes(seconds: float | None) -> str:
    whole = seconds or 0.0
    return f"{whole / 60.0:g} min" if whole >= 60.0 else f"{whole:g} s"


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Within the block SIGTERM leaves like Ctrl-C does, so that everything is put away."""

    def leave(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one must not break the putting away
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _chosen(project: Project, targets: tuple[str, ...]) -> tuple[str, list[str]]:
    servers = {project.target(name).server for name in targets} or {
        name for name, server in project.config.servers.items() if isinstance(server, ManagedServer)
    }
    if len(servers) != 1:
        raise UsageError(
            f"one managed server at a time, here there are {len(servers)}",
            hint="name targets of one server",
        )
    server = servers.pop()
    if not isinstance(project.config.servers[server], ManagedServer):
        raise UsageError(
            f"`{server}` is given by url and already runs", hint="name targets of a managed server"
        )
    names = list(targets) or [
        name for name, target in project.config.targets.items() if target.server == server
    ]
    return server, names
