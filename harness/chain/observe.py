"""What a link's answers show: probes, counts of tokens, the long prompt; asked at its server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from harness.chain.conversations import TESTS, long_prompt
from harness.chain.link import Answers, ProbeAnswer, Seen
from harness.client.dialect import ServerDescription
from harness.client.dialects.openai import OpenAIDialect
from harness.client.failures import TransportFailed, busy, down
from harness.client.protocol import Answer, ChatClient, ChatRequest, Failed, Reply
from harness.client.transport.exchange import Transport, WholeBody
from harness.clock import SYSTEM_CLOCK
from harness.errors import HarnessError, ServerError
from harness.records.suite import Message
from harness.records.target import Generation
from harness.targets.chat_trial import explained
from harness.targets.client_stack import open_stack
from harness.targets.endpoint import Endpoint

PROBE_TOKENS = 16
USUAL_CONTEXT, LONGEST = 4096, 8192
_SHARE = 0.8  # of the context that the long prompt fills: counts are estimates
_TRIES = 4
# Penalties change a greedy answer; these change nothing.
_NEUTRAL = {"repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
_BODY = 1024 * 1024

Probes = Sequence[Sequence[Message]]


@dataclass(frozen=True, slots=True)
class Asking:
    """How a link is asked: by which name, with which settings, and what for.

    `base` is the name of the adapter's base on the same server. `long` is the long prompt of the
    chain; the first link, which has none yet, finds one that it takes.
    """

    model: str
    settings: Generation
    answers_as: str | None
    probes: Probes
    base: str | None = None
    long: tuple[Message, ...] | None = None
    context: int | None = None


async def observe(
    endpoint: Endpoint, asking: Asking, say: Callable[[str], None]
) -> tuple[Seen, tuple[Message, ...] | None]:
    """What the link's answers show, and the long prompt that it was asked.

    Raises:
        ServerError: it does not answer.
        UsageError: it does not know the model, or refuses a field.
    """
    described = ServerDescription()
    with suppress(HarnessError):
        described = await endpoint.describe()
    entry = described.model(asking.model)
    if asking.base is None and entry is not None and entry.parent is not None:
        asking = replace(asking, base=entry.parent)
    context = None if entry is None else entry.max_model_len or entry.context_length
    context = context or asking.context
    async with open_stack(endpoint, asking.settings, SYSTEM_CLOCK, say) as stack:
        link = _Link(stack.client, endpoint, asking)
        refused = await link.find_logprobs()
        first: Answers = ()
        again: Answers = ()
        neutral: Answers | None = None
        base: Answers | None = None
        if not refused:
            first, again = await link.round(), await link.round()
            extra = {k: v for k, v in _NEUTRAL.items() if k not in asking.settings.request_fields()}
            neutral = await link.maybe_round(extra=extra)
            base = None if asking.base is None else await link.maybe_round(model=asking.base)
        counts = {name: await link.count(turns) for name, turns in TESTS.items()}
        prompt, long = await link.long(counts, context)
        return Seen(
            first=first,
            again=again,
            has_logprobs=link.logprobs,
            neutral=neutral,
            base=base,
            counts=counts,
            ids=await _ids(endpoint, asking),
            long=long,
            context=context,
            refused=refused,
        ), prompt


class _Link:
    """A link's client with the form in which it is asked."""

    def __init__(self, client: ChatClient, endpoint: Endpoint, asking: Asking) -> None:
        self._client, self._endpoint, self._asking = client, endpoint, asking
        self.logprobs = True

    def _request(self, turns: Sequence[Message], **changes: Any) -> ChatRequest:
        asking = self._asking
        extra = {**asking.settings.probe_fields(), **changes.pop("extra", {})}
        asked = ChatRequest(
            model=asking.model,
            messages=tuple(turns),
            max_tokens=PROBE_TOKENS,
            logprobs=self.logprobs,
            answers_as=asking.answers_as,
            extra=extra,
        )
        return replace(asked, **changes)

    async def find_logprobs(self) -> str:
        """Why the server refuses the probes though it answers; empty where it answers them too.

        Whether it gives log-probabilities is found out besides.

        Raises:
            ServerError: it does not answer at all.
        """
        probe = self._asking.probes[0]
        reply = await self._client.ask(self._request(probe))
        if isinstance(reply, Answer) and reply.token_logprobs:
            return ""
        self.logprobs = False
        if isinstance(reply, Answer):
            return ""
        reply = await self._client.ask(self._request(probe))
        if isinstance(reply, Answer):
            return ""
        plain = await self._client.ask(self._request(TESTS["short"]))
        if isinstance(plain, Failed) or down(reply.failure) or busy(reply.failure):
            raise await self._error(reply)
        return reply.failure.detail

    async def _error(self, reply: Failed) -> HarnessError:
        failure, url = reply.failure, self._endpoint.urls[0]
        if down(failure) or busy(failure):
            return ServerError(
                f"`{self._asking.model}` does not answer: {failure.detail}", where=url
            )
        dialect = self._endpoint.dialect_of(url)
        return await explained(self._endpoint, dialect, self._asking.model, failure)

    async def round(self, **changes: Any) -> Answers:
        """The answers to all probes.

        Raises:
            ServerError: one failed.
        """
        replies = await self._ask_probes(changes)
        for reply in replies:
            if isinstance(reply, Failed):
                raise await self._error(reply)
        return tuple(_answer(reply) for reply in replies if isinstance(reply, Answer))

    async def maybe_round(self, **changes: Any) -> Answers | None:
        """The same, None where one failed: the link may refuse what is asked besides."""
        replies = await self._ask_probes(changes)
        found = tuple(_answer(reply) for reply in replies if isinstance(reply, Answer))
        return found if len(found) == len(replies) else None

    async def _ask_probes(self, changes: dict[str, Any]) -> list[Reply]:
        asked = (self._request(turns, **changes) for turns in self._asking.probes)
        return list(await asyncio.gather(*map(self._client.ask, asked)))

    async def count(self, turns: Sequence[Message]) -> int | None:
        """How many tokens the server counts in the conversation; None where it refuses."""
        reply = await self._client.ask(self._request(turns, max_tokens=1, logprobs=False))
        usage = reply.usage if isinstance(reply, Answer) else None
        return None if usage is None else usage.prompt_tokens

    async def long(
        self, counts: Mapping[str, int | None], context: int | None
    ) -> tuple[tuple[Message, ...] | None, int | None]:
        """The long prompt, and how many tokens the server counts in it."""
        given = self._asking.long
        if given is not None:
            return given, await self.count(given)
        short, filler = counts.get("short"), counts.get("filler")
        if short is None or filler is None:
            return None, None
        size = int(min(context or USUAL_CONTEXT, LONGEST) * _SHARE)
        for _ in range(_TRIES):
            prompt = long_prompt(size, short, filler)
            counted = await self.count(prompt)
            if counted is not None:
                return prompt, counted
            size //= 2
        return None, None


def _answer(reply: Answer) -> ProbeAnswer:
    text = reply.text or reply.reasoning or ""
    tokens = reply.token_logprobs or ((text, 0.0),)
    last = tokens[-1][0]
    # vLLM tells the token that ends a turn, which is no part of the text, and llama.cpp does not.
    if reply.finish_reason == "stop" and len(tokens) > 1 and not (last and text.endswith(last)):
        tokens = tokens[:-1]
    return ProbeAnswer(tokens, text, reply.finish_reason)


async def _ids(endpoint: Endpoint, asking: Asking) -> dict[str, tuple[int, ...]]:
    """The tokens of the test conversations, from a server that has vLLM's route `/tokenize`."""
    dialect = endpoint.dialect_of(endpoint.urls[0])
    if not isinstance(dialect, OpenAIDialect):
        return {}
    found: dict[str, tuple[int, ...]] = {}
    settings = asking.settings
    kwargs = settings.chat_template_kwargs or {}
    with suppress(TransportFailed, TimeoutError):
        async with (
            asyncio.timeout(settings.case_timeout),
            Transport(dialect.route, generation=settings, clock=SYSTEM_CLOCK) as transport,
        ):
            for name, turns in TESTS.items():
                body = {
                    "model": asking.model,
                    "messages": [{"role": t.role, "content": t.content} for t in turns],
                    "add_generation_prompt": True,
                    "chat_template_kwargs": dict(kwargs),
                }
                heard = WholeBody(_BODY)
                data = json.dumps(body).encode()
                await transport.exchange("POST", "/tokenize", dialect.headers(), data, heard)
                tokens = _tokens(heard)
                if tokens is None and heard.status in (404, 405):
                    break
                if tokens is not None:
                    found[name] = tokens
    return found


def _tokens(heard: WholeBody) -> tuple[int, ...] | None:
    """The tokens in vLLM's reply, which counts them.

    llama.cpp has a route of this name too: it takes text, finds none in a conversation, and answers
    with an empty list.
    """
    with suppress(ValueError, RecursionError, TypeError, KeyError):
        reply = json.loads(heard.content)
        tokens = reply["tokens"]
        whole = reply["count"] == len(tokens) > 0
        if heard.status == 200 and whole and all(isinstance(one, int) for one in tokens):
            return tuple(tokens)
    return None
