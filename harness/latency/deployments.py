"""Deployments: on which servers the arms are, whether these compare, and how they are up."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from harness.config import Project
from harness.errors import ServerError, UsageError
from harness.latency.analyse import whole_rounds
from harness.records.deployment import Deployment, Deployments, ServerMode
from harness.records.http_server import HttpServer
from harness.records.latency import ARMS, Block, LatencySettings, Measurement
from harness.records.server import ManagedServer, RemoteServer, Server
from harness.records.server_url import is_local
from harness.records.target import Identity
from harness.serving.room import room_for
from harness.targets.endpoint import serve_spec

_HERE = "this machine"


def check_servers(
    project: Project, candidate: str, baseline: str, settings: LatencySettings
) -> tuple[str, ...]:
    """The names of the servers: the one that both targets are on, or the candidate's and the other.

    Raises:
        UsageError: one's replies are no streams or come from several machines, or it is not to be
            asked as fast as it answers; two are on two machines, or cannot be started in turns.
    """
    ours, theirs = (project.target(name).server for name in (candidate, baseline))
    names = tuple(dict.fromkeys((ours, theirs)))
    for name in names:
        _check_server(project.config.servers[name], f"{project.file}: servers.{name}")
    if len(names) == 1:
        return names
    machines = [_machine(project.config.servers[name]) for name in names]
    if machines[0] != machines[1]:
        raise UsageError(
            f"`{candidate}` is on {machines[0]}, `{baseline}` on {machines[1]}: two machines "
            "cannot be told from two deployments",
            where=f"{project.file}: targets",
            hint="measure both on one machine; if it is one, give both urls by the same name of it",
        )
    for name in names if settings.servers == "in_turns" else ():
        if not isinstance(project.config.servers[name], ManagedServer):
            raise UsageError(
                f"in_turns starts the servers again and again, and `{name}` is given by url",
                where=project.place("latency.servers"),
                hint="leave `servers` out: what is given by url is up all the time",
            )
    return names


def _check_server(server: Server, where: str) -> None:
    if isinstance(server, HttpServer):
        raise UsageError(
            "latency is measured on OpenAI-compatible servers, which stream", where=where
        )
    several = len(server.urls) if isinstance(server, RemoteServer) else server.replicas
    if several > 1:
        raise UsageError(
            f"has {several} replicas, whose differences would be measured too",
            where=where,
            hint="measure one of them",
        )
    limits = (server.max_requests_per_minute, server.max_tokens_per_minute, server.max_cost)
    if limits != (None, None, None):
        raise UsageError(
            "has limits on how it is asked, and they would be measured instead of it",
            where=where,
            hint="measure on a server without max_requests_per_minute and the like",
        )


def _machine(server: Server) -> str:
    """The machine that a server is on, as far as its address says."""
    if not isinstance(server, RemoteServer):
        return _HERE
    host = urlsplit(server.urls[0]).hostname or ""
    return _HERE if is_local(host) else host


def choose_mode(
    project: Project, candidate: str, baseline: str, settings: LatencySettings
) -> tuple[ServerMode, str]:
    """How the two targets' servers are to be up, and why, in words; files are here by now.

    Raises:
        UsageError: a file of a model or an adapter is missing, or vLLM cannot serve it.
    """
    names = [project.target(name).server for name in (candidate, baseline)]
    servers = [project.config.servers[name] for name in names]
    managed = [one for one in servers if isinstance(one, ManagedServer)]
    if settings.servers != "auto":
        return settings.servers, "as `latency.servers` says"
    if len(managed) < len(servers):
        given = next(name for name, one in zip(names, servers, strict=True) if one not in managed)
        return "side_by_side", f"`{given}` is given by url and up all the time"
    if managed[0].port is not None and managed[0].port == managed[1].port:
        return "in_turns", f"both have port {managed[0].port}"
    specs = [
        serve_spec(project, server, [target], Path(os.devnull))
        for server, target in zip(names, (candidate, baseline), strict=True)
    ]
    room = room_for(specs)
    return ("side_by_side" if room.fits else "in_turns"), room.words


def with_deployments(project: Project, header: Measurement, mode: ServerMode) -> Measurement:
    """The header with the record of its two deployments, which are up in that mode."""
    candidate = _deployment(project, header.candidate, header.identities["candidate"])
    baseline = _deployment(project, header.baseline, header.identities["baseline"])
    servers = Deployments(mode=mode, candidate=candidate, baseline=baseline)
    return header.model_copy(update={"servers": servers})


def _deployment(project: Project, target: str, identity: Identity) -> Deployment:
    chosen = project.target(target)
    server = project.config.servers[chosen.server]
    managed = server if isinstance(server, ManagedServer) else None
    return Deployment(
        server=chosen.server,
        version=identity.server_version,
        address=identity.server if managed is None else None,
        model=identity.model if managed is None else managed.model,
        adapter=chosen.adapter,
        args=identity.engine_args,
    )


def check_mode(begun: Measurement, now: Measurement, why: str) -> str:
    """Why the measurement that was begun goes on in its mode; `why` is for the mode of `now`.

    Raises:
        ServerError: its servers were up side by side, for which there is no room now.
    """
    assert begun.servers is not None
    assert now.servers is not None
    if begun.servers.mode == now.servers.mode:
        return why
    if begun.servers.mode == "side_by_side":
        raise ServerError(
            f"{begun.id} began with both servers side by side, and they have no room now: {why}",
            hint="end what else takes it, or begin anew with --no-cache",
        )
    return "as it began"


def begin_words(begun: Measurement, blocks: Sequence[Block], why: str) -> str:
    """What is about to be compared, how the servers are up, and how often they are started."""
    servers = begun.servers
    assert servers is not None
    words = (
        f"latency: deployments are compared, `{begun.candidate}` on `{servers.candidate.server}` "
        f"and `{begun.baseline}` on `{servers.baseline.server}`, "
    )
    if servers.mode == "side_by_side":
        return f"{words}both up side by side ({why})"
    starts = _most_starts(begun, blocks)
    return f"{words}one up at a time ({why}), with up to {starts} starts"


def _most_starts(begun: Measurement, blocks: Sequence[Block]) -> int:
    """How often servers are started at most.

    Each once to begin with, one for each arm in each round, and one to see what an open load's
    baseline can answer.
    """
    settings, starts = begun.settings, 2
    for load in settings.loads:
        left = settings.rounds - len(whole_rounds(blocks, load))
        if str(load) in begun.stopped or not left:
            continue
        starts += len(ARMS) * left + (load.kind == "poisson" and begun.pace(load) is None)
    return starts
