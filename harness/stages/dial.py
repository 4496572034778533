"""Dial: from an endpoint to a client that asks it, with all that a request may need on its way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from harness.client.http import HttpClient
from harness.client.openai import OpenAIClient
from harness.client.pace import PacedClient, PacedTries
from harness.client.protocol import ChatClient
from harness.client.replay import ReplayClient
from harness.client.retry import RetryingClient
from harness.clock import Clock
from harness.records.target import Generation
from harness.stages.connect import Endpoint


@asynccontextmanager
async def dial(
    endpoint: Endpoint, generation: Generation, clock: Clock
) -> AsyncIterator[ChatClient]:
    """A client of the endpoint, open for as long as the block runs.

    Raises:
        UsageError: the address or the key cannot be used.
    """
    async with _once(endpoint, generation, clock) as once:
        client = RetryingClient(once, generation=generation, clock=clock)
        yield client if endpoint.meter is None else PacedClient(client, endpoint.meter)


@asynccontextmanager
async def _once(
    endpoint: Endpoint, generation: Generation, clock: Clock
) -> AsyncIterator[ChatClient]:
    """A client that asks a single time; each turn of a replayed conversation is a request."""
    if endpoint.bot is not None:
        async with HttpClient(endpoint.bot, generation=generation, clock=clock) as bot:
            turn = _paced(bot, endpoint)
            yield ReplayClient(turn, clock=clock) if endpoint.bot.server.replays else turn
        return
    async with OpenAIClient(
        endpoint.url, api_key=endpoint.api_key, generation=generation, clock=clock
    ) as direct:
        yield _paced(direct, endpoint)


def _paced(client: ChatClient, endpoint: Endpoint) -> ChatClient:
    return client if endpoint.meter is None else PacedTries(client, endpoint.meter)
