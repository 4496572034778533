"""What a model's answers show: the stream, counts, log-probabilities, seed, system role, limits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from harness.client.failures import TransportFailed
from harness.client.protocol import Answer
from harness.client.transport.exchange import Transport, WholeBody
from harness.clock import SYSTEM_CLOCK
from harness.doctor.step import Step
from harness.doctor.visit import Visit
from harness.errors import UsageError
from harness.records.suite import Message, counted
from harness.suites.load import system_prompt_of
from harness.targets.chat_trial import explained

_LIMIT_HEADERS = ("x-ratelimit-", "ratelimit", "retry-after")
_PER_MINUTE = {
    "x-ratelimit-limit-requests": "max_requests_per_minute",
    "x-ratelimit-limit-tokens": "max_tokens_per_minute",
}
_VARIED = "Write one sentence about any animal and any town that come to your mind."
_BODY = 64 * 1024


async def check_answer(visit: Visit) -> Step:
    """Whether the model answers one question as a run would put it."""
    reply = await visit.client.ask(visit.question())
    if isinstance(reply, Answer):
        visit.answer = reply
        pieces = len(reply.timing.chunks)
        how = f"streamed in {pieces} piece{'' if pieces == 1 else 's'}" if pieces else "whole"
        thinks = bool(reply.reasoning) and not reply.text.strip()
        all_of_it = "; all of it is thinking, so leave `max_tokens` room for an answer"
        found = f"{how}, ended by `{reply.finish_reason}`{all_of_it if thinks else ''}"
        return Step("answer", "ok", found)
    failure = reply.failure
    if failure.cause in ("stalled", "timeout", "reset"):
        hint = "is the model loaded? Look at the server's log; a slow one needs more `case_timeout`"
        return Step("answer", "failed", failure.detail, hint)
    error = await explained(visit.endpoint, visit.dialect, visit.model, failure)
    return replace(Step.of_error("answer", error), found=error.what)


async def check_usage(visit: Visit) -> Step:
    """Whether the server counts tokens."""
    usage = visit.answer.usage if visit.answer is not None else None
    if usage is None:
        return Step(
            "usage",
            "cannot",
            "the server counts no tokens",
            "cost and tokens per second are not known; `max_tokens_per_minute` goes by estimates",
        )
    found = f"{counted(usage.prompt_tokens, 'token')} asked, {usage.completion_tokens} answered"
    return Step("usage", "ok", found)


async def check_logprobs(visit: Visit) -> Step:
    """Whether generated tokens come with log-probabilities, which prove an adapter."""
    reply = await visit.client.ask(visit.question(logprobs=True))
    if isinstance(reply, Answer) and reply.token_logprobs:
        return Step("logprobs", "ok", f"of {len(reply.token_logprobs)} generated tokens")
    why = "none came" if isinstance(reply, Answer) else reply.failure.detail
    entry = visit.description.model(visit.model)
    is_adapter = visit.chosen.adapter is not None or (entry is not None and entry.parent)
    if is_adapter:
        return Step(
            "logprobs",
            "failed",
            f"{why}: the adapter cannot be proven",
            "allow `logprobs` on the server, or in what stands before it",
        )
    return Step(
        "logprobs", "cannot", why, "replicas are compared by their texts, and no adapter is proven"
    )


async def check_seed(visit: Visit) -> Step:
    """Whether one seed gives one answer at temperature 1, and another seed another."""
    if "seed" in visit.endpoint.form.omit:
        return Step("seed", "cannot", "not sent, as `request` of the server says")
    texts = []
    varied = (Message(role="user", content=_VARIED),)
    for seed in (1, 1, 2):
        asked = visit.question(
            messages=varied, temperature=1.0, top_p=1.0, seed=seed, max_tokens=24
        )
        reply = await visit.client.ask(asked)
        if not isinstance(reply, Answer):
            return Step(
                "seed",
                "cannot",
                f"not tried to the end: {reply.failure.detail}",
                reply.failure.remedy
                or "keep `temperature: 0`, or `repeats` will measure another server than you think",
            )
        texts.append((reply.text, reply.reasoning))
    first, again, other = texts
    if first != again:
        return Step(
            "seed",
            "cannot",
            "not honoured: two answers at temperature 1 with one seed differ",
            "use `temperature: 0` and more `repeats`, or `harness gate --aa` to see what it costs",
        )
    if first == other:
        return Step("seed", "ok", "not to be told: all answers at temperature 1 are alike")
    return Step("seed", "ok", "honoured: one answer a seed at temperature 1")


async def check_system(visit: Visit) -> Step:
    """Whether the chat template takes a system message."""
    system = Message(role="system", content="You are brief.")
    user = Message(role="user", content="Hi")
    reply = await visit.client.ask(visit.question(messages=(system, user)))
    if isinstance(reply, Answer):
        return Step("system role", "ok", "taken")
    return Step(
        "system role",
        "failed" if _is_system_needed(visit) else "cannot",
        f"refused: {reply.failure.detail}",
        reply.failure.remedy
        or "write `request: {system_as: user}` on the server, or leave out `system_prompt`",
    )


def _is_system_needed(visit: Visit) -> bool:
    """Whether the target or a suite has a system prompt; a suite that cannot be read tells none."""
    if visit.chosen.system_prompt:
        return True
    project = visit.project
    for place, given in enumerate(project.config.suites):
        with suppress(UsageError):
            if system_prompt_of(project.resolve(given, f"suites[{place}]")):
                return True
    return False


async def check_limits(visit: Visit) -> Step:
    """The limits that the server tells with an answer, or with a refusal."""
    path, body = visit.dialect.build(visit.question(max_tokens=1))
    heard = WholeBody(_BODY)
    transport = Transport(visit.dialect.route, generation=visit.settings, clock=SYSTEM_CLOCK)
    try:
        async with asyncio.timeout(visit.settings.case_timeout), transport as one:
            await one.exchange("POST", path, visit.dialect.headers(), body, heard)
    except (TransportFailed, TimeoutError):
        return Step("limits", "cannot", "not to be told: a second question failed")
    told = {name: value for name, value in heard.headers.items() if name.startswith(_LIMIT_HEADERS)}
    words = visit.dialect.credentials.redact(", ".join(f"{k}: {v}" for k, v in told.items()))
    if heard.status == 429:
        return Step(
            "limits",
            "cannot",
            f"HTTP 429 ({words or 'no word on how long'})",
            "lower `concurrency`, or set `max_requests_per_minute` of the server",
        )
    if not told:
        return Step("limits", "ok", "none are told")
    return Step("limits", "ok", words, _settings(told))


def _settings(told: Mapping[str, str]) -> str:
    """What to write for limits that are those of a minute."""
    lines = [
        f"`{key}: {told[name]}`"
        for name, key in _PER_MINUTE.items()
        if told.get(name, "").isdigit()
    ]
    return f"if these are a minute's, write {' and '.join(lines)} on the server" if lines else ""
