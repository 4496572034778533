"""The endpoint of a configured server: addresses, key, and the managed process if there is one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from harness.client.credentials import for_address, from_environment
from harness.client.dialect import Access, Dialect, ServerDescription
from harness.client.dialects import make_dialect
from harness.client.meter import Meter
from harness.clock import SYSTEM_CLOCK
from harness.config import Project
from harness.errors import UsageError
from harness.files import read_bytes
from harness.model_files import (
    chat_template_digest,
    check_model,
    is_base,
    is_chat_template,
    model_digest,
)
from harness.records.base import explain
from harness.records.http_server import HttpServer
from harness.records.request_fields import USUAL, RequestForm
from harness.records.server import ManagedServer, RemoteServer, Server
from harness.serving.adapter import check_fits
from harness.serving.command import ArgValue, ServeSpec
from harness.serving.replicas import VllmReplicas
from harness.serving.servable import check_servable
from harness.targets.models import (
    TOKENIZER,
    check_fetched,
    check_named,
    server_model,
    server_tokenizer,
    target_adapter,
)
from harness.training.candidate import DOSSIER, Dossier

BASE = "base-model"
Args = Mapping[str, ArgValue]  # a managed server's options


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server's addresses and key; `managed` is the process behind them, where it is ours.

    Several addresses are replicas of one server. `meter` holds the limits that all its clients
    share, where there are any; `dialect` is how requests are put to it, with its `access` where it
    is not OpenAI-compatible, else the `form` that it wants them in; `key` is its place in the
    configuration. `known` are descriptions of addresses that were read before, `log` is the log of
    a server that we started.
    """

    addresses: tuple[str, ...]
    api_key: str | None = field(repr=False)
    api_key_env: str | None = None
    managed: VllmReplicas | None = None
    meter: Meter | None = None
    dialect: str = "openai"
    access: Access | None = None
    form: RequestForm = USUAL
    key: str = ""
    known: Mapping[str, ServerDescription] = field(default_factory=dict)
    log: Path | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """The server's addresses now: a managed one that was restarted may have moved."""
        return self.managed.urls if self.managed is not None else self.addresses

    def at(self, url: str) -> Endpoint:
        """The endpoint with one of its addresses alone; a process behind it stays where it is."""
        return replace(self, addresses=(url,), managed=None)

    def dialect_of(self, url: str) -> Dialect:
        """The dialect of the server at one of the addresses.

        Raises:
            UsageError: the address or the key cannot be used.
        """
        access = self.access
        if access is None:
            access = Access(for_address(self.api_key, url), form=self.form, key=self.key)
        return make_dialect(self.dialect, url, access)

    async def describe(self, url: str | None = None) -> ServerDescription:
        """The models and version of the server at one of the addresses, by default the first.

        Raises:
            ServerError: it cannot be reached, or refuses.
        """
        dialect = self.dialect_of(url or self.urls[0])
        return await dialect.describe(api_key_env=self.api_key_env)


def model_name(project: Project, target: str) -> str:
    """The name by which a target is asked for on its server."""
    chosen = project.target(target)
    if chosen.model is not None:
        return chosen.model
    return BASE if chosen.adapter is None else target


def serve_spec(
    project: Project, server: str, targets: Sequence[str], log: Path, *, here: bool = False
) -> ServeSpec:
    """What to start for the targets of one managed server; its files are fetched and checked.

    With `here` no hub is asked: what is not cached is missing.

    Raises:
        UsageError: the model or an adapter is missing, an adapter is for another base, or vLLM
            cannot serve it.
        InfrastructureError: a model's hub cannot be reached, or the disk has no room for it.
    """
    configured = project.config.servers[server]
    if not isinstance(configured, ManagedServer):
        raise UsageError(
            f"`{server}` is given by url and already runs", where=f"{project.file}: servers"
        )
    check_named(project, server)
    base = server_model(project, server, here=here)
    check_fetched(project, base, f"servers.{server}.model")
    check_model(base.path)
    adapters = {
        name: target_adapter(project, name, here=here)
        for name in targets
        if project.target(name).adapter is not None
    }
    args = _with_template(project, configured)
    tokenizer = server_tokenizer(project, server, here=here)
    if tokenizer is not None:
        args[TOKENIZER] = str(tokenizer.path)
    for name, adapter in adapters.items():
        check_fetched(project, adapter, f"targets.{name}.adapter")
        check_fits(adapter.path, base.path)
        check_servable(adapter.path, base.path)
        _check_dossier(adapter.path, base.path, args)
    fetched = (base, *adapters.values(), *([tokenizer] if tokenizer else []))
    return ServeSpec(
        model=base.path,
        log=log,
        adapters={name: adapter.path for name, adapter in adapters.items()},
        args=args,
        sources={one.path: one.source for one in fetched if one.source is not None},
        trust_remote_code=configured.trust_remote_code,
        port=configured.port,
        start_timeout=configured.start_timeout,
        base_name=BASE,
    )


def _check_dossier(adapter: Path, model: Path, args: Args) -> None:
    """Refuse an adapter whose dossier names another base, or another chat template.

    Shapes alone cannot tell two bases apart. `args` are the server's options.
    """
    data = read_bytes(adapter / DOSSIER)
    if data is None:
        return
    try:
        dossier = Dossier.model_validate_json(data)
    except ValidationError as error:
        raise UsageError(explain(error), where=str(adapter / DOSSIER)) from None
    if dossier.base_digest == model_digest(model):
        _check_template(adapter, dossier.chat_template, model, args)
    elif not is_base(model, dossier.base_digest, dossier.chat_template):
        raise UsageError(
            f"was trained on another base than {model}",
            where=str(adapter),
            hint="train it again, or serve the base that it was trained on",
        )


def _check_template(adapter: Path, trained: str | None, model: Path, args: Args) -> None:
    given = args.get("chat-template", args.get("chat_template"))
    tokenizer = Path(str(args.get(TOKENIZER, "")))
    if isinstance(given, str):
        same = trained is None or is_chat_template(trained, given)
        served = "the server's `chat-template`"
    else:
        own = TOKENIZER in args and tokenizer.is_dir() and chat_template_digest(tokenizer)
        same = trained == (own or chat_template_digest(model))
        served = f"that of {tokenizer if own else model}"
    if not same:
        raise UsageError(
            f"was trained with another chat template than it would be served with, {served}",
            where=str(adapter),
            hint="serve it with the template that it was trained with, or train it again",
        )


def _with_template(project: Project, server: ManagedServer) -> dict[str, ArgValue]:
    """The server's options, a chat template's path seen from the project."""
    args = dict(server.args)
    for name in ("chat-template", "chat_template"):
        given = args.get(name)
        if isinstance(given, str) and (project.root / given).is_file():
            args[name] = str(project.root / given)
    return args


def meter_of(name: str, server: Server) -> Meter | None:
    """The rate limits and budget of the server, or None where nothing is limited."""
    limits = (server.max_requests_per_minute, server.max_tokens_per_minute, server.max_cost)
    if limits == (None, None, None):
        return None
    return Meter(name, server, clock=SYSTEM_CLOCK, replicas=machines(server))


def machines(server: Server) -> int:
    """How many machines a server's price by the hour counts for."""
    if isinstance(server, ManagedServer):
        return server.replicas
    return len(server.urls) if isinstance(server, RemoteServer) else 1


def remote_endpoint(server: RemoteServer | HttpServer, name: str, file: str) -> Endpoint:
    """The endpoint of a server that already runs; `file` configures it under that name.

    Raises:
        UsageError: an environment variable for a key or a header is not set.
    """
    if isinstance(server, HttpServer):
        credentials = from_environment(server, os.environ, f"{file}: servers.{name}")
        return Endpoint((server.url,), None, dialect="http", access=Access(credentials, server))
    key = None
    if server.api_key_env is not None:
        key = os.environ.get(server.api_key_env)
        if not key:
            how = "is not set" if key is None else "is empty"
            raise UsageError(
                f"the environment variable {server.api_key_env} {how}",
                where=f"{file}: servers",
                hint="it must hold the server's key",
            )
    return Endpoint(
        server.urls,
        key,
        server.api_key_env,
        dialect=server.dialect,
        form=server.request,
        key=f"servers.{name}",
    )
