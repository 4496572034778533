"""The trial of a chat route, where a server's model list does not vouch for a model."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from harness.client.credentials import key_refused
from harness.client.dialect import Dialect
from harness.client.dialect_client import DialectClient
from harness.client.failures import TransportFailed, busy
from harness.client.protocol import Answer, ChatRequest, Reply
from harness.client.refused_fields import refused
from harness.client.transport.exchange import Transport, WholeBody
from harness.client.transport.route import path_of
from harness.clock import SYSTEM_CLOCK
from harness.errors import HarnessError, ServerError, UsageError
from harness.records.attempt import Failure
from harness.records.suite import Message
from harness.records.target import Generation
from harness.targets.endpoint import Endpoint

TOKENS = 16
_PATIENCE = 60.0
# What a server answers where it has no such route; of a single conversation few say so.
NO_ROUTE_STATUS = frozenset({404, 405})


def short_question(model: str, settings: Generation, answers_as: str | None) -> ChatRequest:
    """The least that a model can be asked, put as a run would put it."""
    return ChatRequest(
        model=model,
        messages=(Message(role="user", content="Hi"),),
        max_tokens=min(TOKENS, settings.max_tokens),
        temperature=settings.temperature,
        top_p=settings.top_p,
        seed=settings.seed,
        answers_as=answers_as,
        extra=settings.probe_fields(),
    )


async def _first_answer(dialect: Dialect, request: ChatRequest, settings: Generation) -> Reply:
    """The reply to one question, which is put once; no budget counts it."""
    patience = min(_PATIENCE, settings.case_timeout)
    limits = settings.model_copy(update={"case_timeout": patience})
    async with DialectClient(dialect, generation=limits, clock=SYSTEM_CLOCK) as client:
        return await client.ask(request)


async def check_answers(
    endpoint: Endpoint, url: str, model: str, settings: Generation, answers_as: str | None
) -> bool:
    """Whether the model answers a question at an address; false where it cannot be told now.

    Raises:
        ConfigError: a field of the question is refused.
        ServerError: there is no connection, no chat route, or the key or the question is refused.
        UsageError: the server does not know the model, or calls it otherwise.
    """
    dialect = endpoint.dialect_of(url)
    question = short_question(model, settings, answers_as)
    reply = await _first_answer(dialect, question, settings)
    if isinstance(reply, Answer):
        return True
    failure = reply.failure
    if failure.cause == "connect":
        raise ServerError(
            failure.detail, where=dialect.address, hint="check the address, and that it runs"
        )
    later = failure.cause in ("reset", "stalled", "timeout")
    if later or busy(failure) or (failure.status or 0) >= 500:
        return False  # a run has more patience
    raise await explained(endpoint, dialect, model, failure)


async def explained(
    endpoint: Endpoint, dialect: Dialect, model: str, failure: Failure
) -> HarnessError:
    """What a failure says of the address, the key, the model or the question."""
    where = dialect.address
    if failure.remedy is not None:
        return refused(failure, where)
    if failure.status in (401, 403):
        return key_refused(dialect.credentials, where, failure.detail, endpoint.api_key_env)
    if failure.cause == "wrong_model":
        return UsageError(
            failure.detail,
            where=where,
            hint="write that name under `answers_as` of the target if it is the same model",
        )
    if failure.status in NO_ROUTE_STATUS and not _is_of_model(failure, model):
        return ServerError(
            f"has no chat route there ({failure.detail})",
            where=where,
            hint=await other_route(dialect)
            or "give the address up to and with /v1, or the full route …/chat/completions",
        )
    if failure.status in NO_ROUTE_STATUS:
        return UsageError(
            f"does not know the model `{model}` ({failure.detail})",
            where=where,
            hint="look at the target's `model`",
        )
    if 300 <= (failure.status or 0) <= 399:
        hint = "nothing was sent there: the key is for this server alone"
        return ServerError(failure.detail, where=where, hint=hint)
    return ServerError(
        f"`{model}` does not answer a first question: {failure.detail}",
        where=where,
        hint="look at the server's log, and at the target's `generation`",
    )


def _is_of_model(failure: Failure, model: str) -> bool:
    """Whether a 404 speaks of the model, and not of the route."""
    names = f"{re.escape(model)}|models?|deployments?"
    return bool(re.search(rf"(?i)(?<!\w)({names})(?!\w)", failure.detail))


async def other_route(dialect: Dialect) -> str | None:
    """What to write instead of an address without a chat route, if there is one near by."""
    last = dialect.last_of_route
    for url in _neighbours(dialect.address, last) if last else ():
        if await _takes_requests(dialect, url):
            return f"there is one: write `url: {url}`"
    return None


def _neighbours(address: str, last: str) -> Iterator[str]:
    parts = urlsplit(address)
    base = parts.path.removesuffix(last)
    bases = [base.removesuffix("/v1") if base.endswith("/v1") else f"{base}/v1", "/v1", ""]
    for other in dict.fromkeys(bases):
        if other != base:
            yield urlunsplit(parts._replace(path=f"{other}{last}"))


async def _takes_requests(dialect: Dialect, url: str) -> bool:
    """Whether a route of the same server refuses an empty request as one that it could read."""
    body = WholeBody(1)
    limits = Generation(connect_timeout=5.0, chunk_timeout=5.0, concurrency=1)
    address, _, query = url.partition("?")
    path = path_of(address) + (f"?{query}" if query else "")
    try:
        async with (
            asyncio.timeout(5.0),
            Transport(dialect.route, generation=limits, clock=SYSTEM_CLOCK) as transport,
        ):
            await transport.exchange("POST", path, dialect.headers(), b"{}", body)
    except (TransportFailed, TimeoutError):
        return False
    return body.status in (200, 400, 401, 403, 422)
