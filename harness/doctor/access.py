"""What a server says of itself: key, models, adapter, context."""

from __future__ import annotations

from dataclasses import replace

from harness.client.credentials import KeyRefused
from harness.doctor.step import Step
from harness.doctor.visit import Visit
from harness.errors import HarnessError
from harness.targets.identity import check_listing, identify, listing, not_listed


async def check_key(visit: Visit) -> Step:
    """Whether a key is sent, and not refused where the models are listed."""
    try:
        visit.described = await visit.endpoint.describe(visit.url)
    except HarnessError as error:
        visit.described = error
    if isinstance(visit.described, KeyRefused):
        return Step("key", "failed", visit.described.what, visit.described.hint)
    headers = ", ".join(f"`{name}`" for name in visit.dialect.credentials.headers)
    if not headers:
        return Step("key", "ok", "none is sent")
    variable = visit.endpoint.api_key_env
    return Step("key", "ok", f"sent as {headers}" + (f", from {variable}" if variable else ""))


async def check_models(visit: Visit) -> Step:
    """Whether the server lists the target's model."""
    found = visit.described
    if isinstance(found, HarnessError):
        return replace(Step.of_error("models", found), found=found.what)
    server = visit.description
    listed = listing(server)
    if visit.is_chatbot and not server.lists_models:
        return Step("models", "ok", f"a chatbot, known by its address ({server.version})")
    entry = server.model(visit.model)
    if entry is None:
        return Step(
            "models",
            "cannot",
            f"`{visit.model}` is not listed: {listed}",
            "what is behind the name is not known, and no adapter can be proven; the next step "
            "shows whether it answers",
        )
    root = f", weights from {entry.root}" if entry.root else ""
    return Step("models", "ok", f"lists `{visit.model}`{root} ({server.version})")


async def check_adapter(visit: Visit) -> Step:
    """Whether an adapter is listed under its base, so that it can be proven to be applied."""
    chosen, server = visit.chosen, visit.description
    entry = server.model(visit.model)
    if entry is None and chosen.adapter is not None:
        error = not_listed(visit.project, visit.target, visit.url, server)
        return Step.of_error("adapter", error)
    if entry is None or (entry.parent is None and chosen.adapter is None):
        unknown = "not known" if entry is None else "none: the server lists no parent"
        return Step("adapter", "ok", f"{unknown}; nothing is to be proven")
    if entry.parent is None or server.model(entry.parent) is None:
        return Step(
            "adapter",
            "failed",
            f"`{visit.model}` is listed without a base that is listed too",
            "serve the base and the adapter on one server, by vLLM with --enable-lora",
        )
    try:
        if chosen.adapter is not None:
            known = await identify(visit.project, visit.target)
            check_listing(visit.project, visit.target, known, server)
    except HarnessError as error:
        return Step.of_error("adapter", error)
    return Step("adapter", "ok", f"on `{entry.parent}`; a run proves that it is applied")


async def check_context(visit: Visit) -> Step:
    """Whether the context is known and holds an answer."""
    entry, longest = visit.description.model(visit.model), visit.settings.max_tokens
    length = None if entry is None else entry.context_length
    if length is None and entry is not None and entry.parent is not None:
        # vLLM tells it for the base alone, and an adapter has its base's.
        base = visit.description.model(entry.parent)
        length = None if base is None else base.context_length
    if length is None:
        return Step("context", "cannot", "the server does not say how long a conversation may be")
    if longest >= length:
        return Step(
            "context",
            "failed",
            f"{length} tokens, and `max_tokens` alone is {longest}",
            "lower `max_tokens` under `generation:`, or serve the model with a longer context",
        )
    return Step("context", "ok", f"{length} tokens, {longest} of them for the answer")
