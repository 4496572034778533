"""The identity of a target: everything its answers depend on, as far as it can be known."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from harness.client.credentials import KeyRefused
from harness.client.dialect import ModelEntry, ServerDescription
from harness.config import Project
from harness.errors import AdapterNotApplied, ConfigError, HarnessError, ServerError, UsageError
from harness.files import directory_digest, file_digest
from harness.model_files import chat_template_digest, check_model, model_digest
from harness.records.http_server import HttpServer
from harness.records.server import ManagedServer, RemoteServer
from harness.records.server_url import is_local
from harness.records.target import Identity, Target
from harness.serving.adapter import read_adapter
from harness.serving.command import ArgValue, ServeSpec, effective_args, require_vllm
from harness.storage import runs_of
from harness.targets.additions import additions
from harness.targets.chat_trial import check_answers
from harness.targets.endpoint import (
    Endpoint,
    model_name,
    remote_endpoint,
    serve_spec,
)
from harness.targets.models import server_model, target_adapter

_SHOWN = 20  # models of a list that an error names


async def identify(
    project: Project, target: str, say: Callable[[str], None] = lambda _: None
) -> Identity:
    """The identity of the target with what it puts before a question, as `_served` finds it."""
    added = additions(project, target)
    return (await _served(project, target, say)).model_copy(update=added)


async def _served(project: Project, target: str, say: Callable[[str], None]) -> Identity:
    """The identity of what answers as the target; a managed server need not run.

    A server at a url that does not list the model is asked one question; if the model answers,
    `say` gets a line on what is not known of it. So it does on a key that answers are not searched
    for.

    Raises:
        UsageError: a file of the model or adapter is missing, or the url has no such model.
        ServerError: the server at the url cannot be reached, or has no chat route.
        AdapterNotApplied: the server at the url has dropped the adapter.
    """
    chosen = project.target(target)
    configured = project.config.servers[chosen.server]
    if isinstance(configured, ManagedServer):
        spec = serve_spec(project, chosen.server, [target], Path(os.devnull))
        adapter = target if chosen.adapter is not None else None
        managed = managed_identity(chosen.server, spec, adapter)
        return managed.model_copy(update={"request": configured.request})
    place, model, form = _configured(project, target)
    endpoint = remote_endpoint(configured, chosen.server, project.file)
    url, server = await _described(endpoint)
    if unsought := endpoint.dialect_of(url).credentials.unsought:
        headers = ", ".join(f"`{name}`" for name in unsought)
        say(
            f"{target}: the key in {headers} is too short or too plain to be looked for in "
            "answers: where the server says it back, it is kept and shown"
        )
    known = Identity(server=place, server_version=server.version, model=model, engine_args=form)
    if isinstance(configured, HttpServer):
        return known.model_copy(update={"root": _root(configured, chosen, server, project.file)})
    entry = server.model(model)
    if entry is None and (server.lists_models or server.no_list):
        answers = await _check_unlisted(project, target, endpoint.at(url), server)
        say(
            f"{target}: `{model}` is not listed by {url} ({listing(server)}), and "
            f"{'answers' if answers else 'cannot be asked yet'}; its weights are not known, nor "
            "whether it is an adapter"
        )
    adapter = adapter_behind(project, target, place, entry)
    source = None if chosen.adapter is None else target_adapter(project, target).source
    found = {
        "root": entry and entry.root,
        "adapter": adapter,
        "adapter_source": source,
        "request": configured.request,
    }
    return known.model_copy(update=found)


def _configured(project: Project, target: str) -> tuple[str, str, dict[str, ArgValue]]:
    """What an identity holds of a target on a url before its server is asked.

    That is the place, which stands for the weights, the model, and the form of requests, where it
    is not OpenAI's: another form may get another answer.
    """
    chosen = project.target(target)
    server = project.config.servers[chosen.server]
    assert not isinstance(server, ManagedServer)
    form = form_of_requests(server)
    if isinstance(server, RemoteServer):
        return " ".join(sorted(server.urls)), model_name(project, target), form
    return server.url, chosen.model or server.preset or "http", form


def form_of_requests(server: RemoteServer | HttpServer) -> dict[str, ArgValue]:
    """What an identity's `engine_args` hold of a server on a url."""
    if isinstance(server, RemoteServer):
        return {} if server.dialect == "openai" else {"dialect": server.dialect}
    return {
        "preset": server.preset or "none",
        "stream": server.stream,
        "turns": "replay" if server.replays else "history",
        "mapping": server.digest(),
    }


async def _check_unlisted(
    project: Project, target: str, endpoint: Endpoint, server: ServerDescription
) -> bool:
    """Whether the model answers all the same; false where that cannot be told now.

    Raises:
        AdapterNotApplied: it was an adapter once, or is declared to be one: it must be listed.
        UsageError: it does not answer, and another is on the list; or a field is refused.
        ServerError: no model answers there, or the key is refused.
    """
    chosen = project.target(target)
    place, model, _ = _configured(project, target)
    error = not_listed(project, target, place, server)
    if isinstance(error, AdapterNotApplied):
        raise error
    settings = project.generation(target)
    try:
        answers = await check_answers(
            endpoint, endpoint.urls[0], model, settings, chosen.answers_as
        )
    except (ConfigError, KeyRefused):
        raise
    except HarnessError:
        if server.models:
            raise error from None
        raise
    if server.models and not answers:
        raise error
    return answers


async def _described(endpoint: Endpoint) -> tuple[str, ServerDescription]:
    """The first address that answers and its description, or the first one's error."""
    errors = []
    for url in endpoint.urls:
        try:
            return url, await endpoint.describe(url)
        except ServerError as error:
            errors.append(error)
    raise errors[0]


def is_still(project: Project, target: str, identity: Identity) -> bool:
    """Whether a stored identity is that of the target as it is configured now.

    Files are compared where they are here, commits of a hub where they are known; the version of
    the server may differ. No hub is asked.
    """
    chosen = project.target(target)
    configured = project.config.servers[chosen.server]
    added = additions(project, target)
    if (identity.few_shot, identity.retrieval) != (added.get("few_shot"), added.get("retrieval")):
        return False
    if not isinstance(configured, ManagedServer):
        if (identity.server, identity.model, identity.engine_args) != _configured(project, target):
            return False
        if isinstance(configured, RemoteServer) and identity.request != configured.request:
            return False
        return chosen.adapter is None or _is_adapter(project, target, identity)
    if (identity.server, identity.model) != (chosen.server, model_name(project, target)):
        return False
    if (chosen.adapter is None) != (identity.adapter is None):
        return False
    if chosen.adapter is not None and not _is_adapter(project, target, identity):
        return False
    base = server_model(project, chosen.server, here=True)
    if not _may_be(base.source, identity.weights_source):
        return False
    if not base.path.is_dir() or _is_away(project, target):
        return True
    spec = serve_spec(project, chosen.server, [target], Path(os.devnull), here=True)
    adapter = target if chosen.adapter is not None else None
    now = managed_identity(chosen.server, spec, adapter, identity.server_version)
    return now.model_copy(update={"request": configured.request, **added}) == identity


def _is_adapter(project: Project, target: str, identity: Identity) -> bool:
    """Whether the identity's adapter is the one in the target's folder, if that is here."""
    adapter = target_adapter(project, target, here=True)
    if not _may_be(adapter.source, identity.adapter_source):
        return False
    return not adapter.path.is_dir() or read_adapter(adapter.path).digest == identity.adapter


def _is_away(project: Project, target: str) -> bool:
    """Whether the target's adapter is on a hub and not here."""
    if project.target(target).adapter is None:
        return False
    return target_adapter(project, target, here=True).missing is not None


def _may_be(source: str | None, stored: str | None) -> bool:
    """Whether a hub's commits do not differ; what is not known differs from nothing."""
    return None in (source, stored) or source == stored


def managed_identity(
    server_name: str, spec: ServeSpec, adapter: str | None, version: str | None = None
) -> Identity:
    """The identity of the base of `spec`, or of one of its adapters by name.

    `version` stands for that of the vLLM installed here, which is asked for where it is None.

    Raises:
        UsageError: the model or the adapter is not there or cannot be read; no vLLM installed.
    """
    check_model(spec.model)
    if adapter is not None and adapter not in spec.adapters:
        raise UsageError(f"serves no adapter `{adapter}`", where=server_name)
    template = spec.args.get("chat-template", spec.args.get("chat_template"))
    return Identity(
        server=server_name,
        server_version=version or require_vllm(),
        model=adapter or spec.base_name,
        weights=model_digest(spec.model, with_code=spec.trust_remote_code),
        adapter=None if adapter is None else read_adapter(spec.adapters[adapter]).digest,
        chat_template=chat_template_digest(
            spec.model, template if isinstance(template, str) else None
        ),
        weights_source=spec.sources.get(spec.model),
        adapter_source=None if adapter is None else spec.sources.get(spec.adapters[adapter]),
        engine_args=_args(spec),
    )


def _args(spec: ServeSpec) -> dict[str, ArgValue]:
    """The options in effect; an option that is a path includes the digest of its content."""
    found = effective_args(spec)
    for name, value in found.items():
        if isinstance(value, str) and (digest := _digest_at(value)) is not None:
            # Where a hub's cache is on this machine says nothing about what is in it.
            found[name] = f"{spec.sources.get(Path(value), value)} {digest}"
    return found


def _digest_at(value: str) -> str | None:
    """The digest of the file or folder that an option's value names, if there is one."""
    path = Path(value)
    with contextlib.suppress(OSError, ValueError):  # no path at all: too long, or with a NUL
        if path.is_file():
            return file_digest(path)
        if path.is_dir() and any(file.is_file() for file in path.iterdir()):
            return directory_digest(path, ("*",))
    return None


def adapter_behind(project: Project, target: str, url: str, entry: ModelEntry | None) -> str | None:
    """The identity of the adapter of a target on a url, or None where it has none.

    That is the digest of the files that the target names; else what the server lists, with the
    digest of its files where the server is on this machine and they can be read.

    Raises:
        UsageError: the target names files that are not there or are no adapter.
    """
    named = project.target(target).adapter
    if named is not None:
        return read_adapter(target_adapter(project, target).path).digest
    if entry is None or entry.parent is None:
        return None
    digest = _digest_here(url, entry.root)
    place = f"{url}#{entry.root or entry.id}"
    return place if digest is None else f"{place}@{digest}"


def not_listed(project: Project, target: str, url: str, server: ServerDescription) -> HarnessError:
    """The error for a target whose model the server does not list.

    A name that was an adapter once, or is declared to be one, was dropped; any other is mistaken.
    """
    chosen = project.target(target)
    listed = listing(server)
    once = any(
        header.identity.adapter is not None
        and (header.identity.server, header.identity.model) == (url, chosen.model)
        for _, header in runs_of(project.runs, target)
    )
    if once or chosen.adapter is not None:
        return AdapterNotApplied(
            f"the server does not list the adapter `{chosen.model}` ({listed})",
            where=url,
            hint="load it again; the server's log says why it was dropped",
        )
    return UsageError(
        f"{url} has no model `{chosen.model}`",
        where=f"{project.file}: targets.{target}.model",
        hint=listed,
    )


def listing(server: ServerDescription) -> str:
    """What a server lists, in words, cut where it lists very many."""
    if not server.models:
        return server.no_list or "it lists no model"
    names = [f"`{model.id}`" for model in server.models[:_SHOWN]]
    more = len(server.models) - len(names)
    return f"it lists {', '.join(names)}" + (f" and {more} more" if more else "")


def check_listing(
    project: Project, target: str, identity: Identity, server: ServerDescription
) -> None:
    """Return if nothing that the server lists of the target's adapter speaks against its files.

    A server elsewhere lists a path that cannot be looked at from here; that speaks for nothing.

    Raises:
        AdapterNotApplied: it lists other files under the adapter's name.
    """
    chosen = project.target(target)
    entry = server.model(identity.model)
    if entry is None or chosen.adapter is None:
        return
    folder = target_adapter(project, target).path
    if isinstance(project.config.servers[chosen.server], ManagedServer):
        other = Path(entry.root or "") != folder.absolute()
    else:
        other = _digest_here(identity.server, entry.root) not in (None, identity.adapter)
    if other:
        raise AdapterNotApplied(
            f"the server serves `{identity.model}` from {entry.root}, which is another adapter "
            f"than {chosen.adapter}",
            hint="load the right files under this name, or name in `adapter` what is served",
        )


def _digest_here(url: str, root: str | None) -> str | None:
    """The digest of the adapter at `root`, if a server on this machine can mean that folder."""
    if not all(is_local(urlsplit(one).hostname or "") for one in url.split()):
        return None
    if root is None or not Path(root).is_absolute() or not Path(root).is_dir():
        return None
    try:
        return read_adapter(Path(root)).digest
    except UsageError:
        return None


def _root(
    server: HttpServer, target: Target, described: ServerDescription, file: str
) -> str | None:
    """What stands for the weights of a bot: the digest of an Ollama model, if it lists models."""
    if not described.lists_models or target.model is None:
        return described.root
    # Ollama adds a tag to a name that has none.
    entry = described.model(target.model) or described.model(f"{target.model}:latest")
    if entry is None:
        listed = ", ".join(f"`{model.id}`" for model in described.models) or "no model at all"
        raise UsageError(
            f"{server.base} has no model `{target.model}`",
            where=f"{file}: targets",
            hint=f"it lists {listed}",
        )
    return entry.root
