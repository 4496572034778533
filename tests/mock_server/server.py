"""A small OpenAI-compatible server for tests and first steps, without any model.

As a process: `python -m tests.mock_server --answer-file answers.json`, which prints its address
on one line. The file holds an object from the last message to its answer; `*` answers the rest;
an answer may be an object from the model asked for to its text. `--faults 0.05` spoils the answers
in each of 17 ways with a chance of 5 %, and `--sent` names the file that says which.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from harness.clock import SYSTEM_CLOCK, Clock
from harness.errors import HarnessError, UsageError
from harness.files import read_text
from tests.mock_server.faults import Answering, Troubled
from tests.mock_server.replies import (
    MockReply,
    contents,
    error_event,
    first_events,
    last_events,
    whole,
)

AnswerFunction = Callable[[dict[str, Any]], str | MockReply]


class MockServer:
    """A server on loopback that answers from a function of the request's body.

    `models` are the names it lists; a mapping gives each its parent, or None for a base.
    `requests` holds the body of every request it took, in order of arrival. `context` is the
    length that the list tells, `roots` the folder of a model, and `tokenize` answers vLLM's route
    of that name, which is not there without it: with the tokens, or with a whole reply.
    """

    def __init__(
        self,
        answer: AnswerFunction,
        *,
        models: Sequence[str] | Mapping[str, str | None] = ("mock",),
        api_key: str | None = None,
        port: int = 0,
        clock: Clock = SYSTEM_CLOCK,
        context: int | None = None,
        roots: Mapping[str, str] | None = None,
        tokenize: Callable[[dict[str, Any]], list[int] | dict[str, Any]] | None = None,
    ) -> None:
        self._answer = answer
        self._context, self._roots, self._tokenize = context, dict(roots or {}), tokenize
        self._models = dict(models) if isinstance(models, Mapping) else dict.fromkeys(models)
        self._api_key = api_key
        self._port = port
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()
        self.requests: list[dict[str, Any]] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.get("/version", self._version),
                web.get("/requests-count", self._count),
                web.get("/v1/models", self._list),
                web.post("/v1/chat/completions", self._chat),
            ]
        )
        if self._tokenize is not None:
            app.router.add_post("/tokenize", self._tokens)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=1024)
        try:
            await site.start()
        except (OSError, OverflowError) as error:  # OverflowError: no port has that number
            await self._runner.cleanup()
            number = getattr(error, "errno", None)
            reason = os.strerror(number) if number is not None else str(error)
            raise UsageError(
                f"cannot listen: {reason}", where=f"127.0.0.1:{self._port}", hint="choose a port"
            ) from None
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "mock"})

    async def _count(self, _: web.Request) -> web.Response:
        """How many requests came, and how many for each last message."""
        by_prompt: dict[str, int] = {}
        for body in self.requests:
            prompt = body["messages"][-1]["content"]
            by_prompt[prompt] = by_prompt.get(prompt, 0) + 1
        return web.json_response({"count": len(self.requests), "by_prompt": by_prompt})

    async def _list(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        data = [
            {
                "id": name, "object": "model", "owned_by": "mock", "parent": parent,
                "root": self._roots.get(name, name),
            }
            for name, parent in self._models.items()
        ]  # fmt: skip
        for entry in data if self._context is not None else ():
            entry["max_model_len"] = self._context
        return web.json_response({"object": "list", "data": data})

    async def _tokens(self, request: web.Request) -> web.Response:
        assert self._tokenize is not None
        found = self._tokenize(await request.json())
        whole = isinstance(found, dict)
        return web.json_response(found if whole else {"count": len(found), "tokens": found})

    def _refusal(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization")
        if self._api_key is None or given == f"Bearer {self._api_key}":
            return None
        return _error(401, "Unauthorized")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._reply(request)
        except ConnectionError:  # the client went away: nobody reads this
            return web.Response()

    async def _reply(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body = await request.json()
        self.requests.append(body)
        if body.get("model") not in self._models:
            return _error(404, f"The model `{body.get('model')}` does not exist.")
        said = self._answer(body)
        reply = MockReply(said) if isinstance(said, str) else said
        if reply.fault == "reset":
            return _reset(request, web.StreamResponse())
        if reply.fault == "hang":
            await self._closing.wait()
            return _error(503, "closing")
        if reply.status != 200:
            return _error(reply.status, reply.text, reply.headers)
        if reply.fault == "html":
            return web.Response(text="<html>", content_type="text/html")
        if not body.get("stream") or reply.fault == "not_streaming":
            await self._clock.sleep(reply.first_delay)
            return web.json_response(whole(body, reply))
        return await self._stream(request, body, reply)

    async def _stream(
        self, request: web.Request, body: dict[str, Any], reply: MockReply
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream; charset=utf-8", **reply.headers}
        )
        await response.prepare(request)
        for event in first_events(body, reply):
            await response.write(event)
        for number, event in enumerate(contents(body, reply)):
            if number == 1 and reply.fault is not None:
                if reply.fault == "reset_midstream":
                    return _reset(request, response)
                if reply.fault == "hang_midstream":
                    await self._closing.wait()
                    return response
                if reply.fault == "cut":
                    return response
                if reply.fault == "error_event":
                    await response.write(error_event("the engine died"))
                    return response
                if reply.fault == "malformed":
                    event = b'data: {"choices": [{"delta": \n\n'
            delay = reply.gap if number else reply.first_delay
            if delay:
                await self._clock.sleep(delay)
            await self._write(response, event, reply)
        for event in last_events(body, reply):
            await self._write(response, event, reply)
        if reply.fault == "linger":
            await self._closing.wait()
        return response

    async def _write(self, response: web.StreamResponse, event: bytes, reply: MockReply) -> None:
        if reply.fault != "drip":
            await response.write(event)
            return
        for position in range(len(event)):
            await response.write(event[position : position + 1])
            await self._clock.sleep(reply.gap)


def _error(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(
        {"error": {"message": text, "type": "mock", "code": status}},
        status=status,
        headers=headers,
    )


def _reset(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Close the connection with a TCP reset, not a farewell."""
    if request.transport is not None:
        sock = request.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return response


def _from_file(path: Path, first_delay: float, gap: float) -> Answering:
    try:
        answers = json.loads(read_text(path))
    except ValueError as error:
        raise UsageError(f"not JSON: {error}", where=str(path)) from None
    if not isinstance(answers, dict):
        raise UsageError("must hold an object from message to answer", where=str(path))

    def answer(body: dict[str, Any]) -> MockReply:
        found = answers.get(body["messages"][-1]["content"], answers.get("*", ""))
        if isinstance(found, dict):
            found = found.get(body["model"], found.get("*", ""))
        return MockReply(str(found), first_delay=first_delay, gap=gap)

    return answer


async def _serve(server: MockServer) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stopped.set)
    async with server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        await stopped.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit code, after it was told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.mock_server")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--answer-file", type=Path, required=True, help="JSON: prompt to answer")
    parser.add_argument("--model", action="append", help="NAME or ADAPTER=PARENT; repeatable")
    parser.add_argument("--first-delay", type=float, default=0.0, help="seconds")
    parser.add_argument("--gap", type=float, default=0.0, help="seconds between two pieces")
    parser.add_argument("--api-key-env", help="the environment variable that holds the key")
    parser.add_argument("--faults", type=float, metavar="SHARE", help="of each kind, needs --sent")
    parser.add_argument("--sent", type=Path, help="a log of what was answered, appended to")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    given = parser.parse_args(arguments)
    key = os.environ.get(given.api_key_env) if given.api_key_env else None
    names = [name.partition("=") for name in given.model or ["mock"]]
    try:
        if given.api_key_env and not key:
            raise UsageError(f"the environment variable {given.api_key_env} is not set")
        answer = _from_file(given.answer_file, given.first_delay, given.gap)
        if given.sent is not None:
            answer = Troubled(answer, share=given.faults or 0.0, seed=given.seed, log=given.sent)
        elif given.faults is not None:
            raise UsageError("--faults needs --sent", hint="name a file for what was answered")
        server = MockServer(
            answer,
            models={name: parent or None for name, _, parent in names},
            api_key=key,
            port=given.port,
        )
        asyncio.run(_serve(server))
    except HarnessError as error:
        sys.stderr.write(f"{error.line}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
