"""The identity of a target on a bot: what its answers depend on, as far as anybody can tell."""

from __future__ import annotations

import os

from harness.client.bots.about import about
from harness.client.bots.headers import Headers
from harness.client.bots.http import Access
from harness.clock import SYSTEM_CLOCK
from harness.errors import UsageError
from harness.records.http_server import HttpServer
from harness.records.target import Identity, Target


def access_to(server: HttpServer, name: str, file: str) -> Access:
    """The bot with its headers, those from the environment read now; `file` configures it.

    Raises:
        UsageError: a variable is not set.
    """
    return Access(server, Headers(server, os.environ, f"{file}: servers.{name}"))


async def identify_bot(server: HttpServer, name: str, target: Target, file: str) -> Identity:
    """What a target's answers depend on; an Ollama model's digest stands for its weights.

    Raises:
        UsageError: a variable is not set, or the server does not have the model.
        ServerError: the server cannot be reached.
    """
    said = await about(access_to(server, name, file), clock=SYSTEM_CLOCK)
    root = said.root
    if said.models is not None and target.model is not None:
        called = next((one for one in _names(target.model) if one in said.models), None)
        if called is None:
            listed = ", ".join(f"`{model}`" for model in said.models) or "no model at all"
            raise UsageError(
                f"{server.base} has no model `{target.model}`",
                where=f"{file}: targets",
                hint=f"it lists {listed}",
            )
        root = said.models[called]
    return Identity(
        server=server.url,
        server_version=said.version,
        model=_model(server, target),
        root=root,
        engine_args=_dialect(server),
    )


def is_still_bot(server: HttpServer, target: Target, identity: Identity) -> bool:
    """Whether a stored identity is that of the target as it is configured now."""
    known = (identity.server, identity.model, identity.engine_args)
    return known == (server.url, _model(server, target), _dialect(server))


def _names(model: str) -> tuple[str, ...]:
    return (model,) if ":" in model else (model, f"{model}:latest")


def _model(server: HttpServer, target: Target) -> str:
    """The model's name, or, of a bot that has none, its preset's."""
    return target.model or server.preset or "http"


def _dialect(server: HttpServer) -> dict[str, str | int | float | bool]:
    """How the bot is spoken to: whoever asks another way may be answered another way."""
    return {
        "preset": server.preset or "none",
        "stream": server.stream,
        "turns": "replay" if server.replays else "history",
        "mapping": server.digest(),
    }
