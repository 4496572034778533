"""Chatbots that speak protocols of their own, as their makers document them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

Said = str | list[str]
AGENT = "/v3/projects/p/locations/eu/agents/a"
DIGEST = "a" * 64


class Bot:
    """A server that remembers what it was asked; `answer` is given a session's user turns."""

    def __init__(self, answer: Callable[[list[str]], Said] = lambda turns: f"You: {turns[-1]}"):
        self.answer = answer
        self.requests: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.sessions: defaultdict[str, list[str]] = defaultdict(list)
        self.intercept: Callable[[int], web.Response | None] = lambda number: None
        self.key: str | None = None
        self._runner: web.AppRunner | None = None
        self.url = ""

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**26)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def take(self, request: web.Request) -> tuple[Any, web.Response | None]:
        """The request's data, and what to answer instead of an answer."""
        data = json.loads(await request.read())
        self.requests.append(data)
        self.headers.append(dict(request.headers))
        return data, self.intercept(len(self.requests))


class Rasa(Bot):
    """The REST channel (`rasa run --enable-api`, channel `rest`)."""

    model_id = "f2b1c0"
    version: str | None = "3.6.20"

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/webhooks/rest/webhook", self._webhook),
            web.get("/version", self._version),
            web.get("/status", self._status),
            web.get("/", self._hello),
        ]

    async def _webhook(self, request: web.Request) -> web.Response:
        data, instead = await self.take(request)
        if instead is not None:
            return instead
        turns = self.sessions[data["sender"]]
        turns.append(data["message"])
        said = self.answer(turns)
        texts = [said] if isinstance(said, str) else said
        return web.json_response([{"recipient_id": data["sender"], "text": text} for text in texts])

    async def _version(self, _: web.Request) -> web.Response:
        if self.version is None:
            return web.Response(status=404, text="Not Found")
        old = "3.5.0"
        return web.json_response({"version": self.version, "minimum_compatible_version": old})

    async def _status(self, request: web.Request) -> web.Response:
        if self.version is None:
            return web.Response(status=404, text="Not Found")
        if self.key is not None and request.headers.get("Authorization") != self.key:
            return web.json_response({"reason": "NotAuthenticated", "code": 401}, status=401)
        return web.json_response(
            {"model_id": self.model_id, "model_file": "m.tar.gz", "num_active_training_jobs": 0}
        )

    async def _hello(self, _: web.Request) -> web.Response:
        return web.Response(text="Hello from Rasa: 3.6.20")


class Dialogflow(Bot):
    """Dialogflow CX, `projects.locations.agents.sessions.detectIntent` of v3."""

    def routes(self) -> list[web.RouteDef]:
        return [web.post(AGENT + "/sessions/{session:[^/:]{1,36}}:detectIntent", self._detect)]

    async def _detect(self, request: web.Request) -> web.Response:
        data, instead = await self.take(request)
        if instead is not None:
            return instead
        if self.key is not None and request.headers.get("Authorization") != self.key:
            error = {"code": 401, "message": "Invalid credentials", "status": "UNAUTHENTICATED"}
            return web.json_response({"error": error}, status=401)
        query = data["queryInput"]
        turns = self.sessions[request.match_info["session"]]
        turns.append(query["text"]["text"])
        said = self.answer(turns)
        result: dict[str, Any] = {
            "text": turns[-1],
            "languageCode": query["languageCode"],
            "intentDetectionConfidence": 1,
            "match": {"matchType": "INTENT", "confidence": 1},
        }
        texts = [said] if isinstance(said, str) else said
        if texts:  # protocol buffers leave an empty list out
            messages: list[dict[str, Any]] = [{"payload": {"buttons": []}}]
            messages += [
                {"text": {"text": [text], "allowPlaybackInterruption": False}} for text in texts
            ]
            result["responseMessages"] = messages
        return web.json_response(
            {"responseId": "r", "queryResult": result, "outputAudio": "", "responseType": "FINAL"}
        )


class Ollama(Bot):
    """Ollama's native `/api/chat`."""

    thinking: str | None = None
    reason = "stop"
    name: str | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/chat", self._chat),
            web.get("/api/version", self._version),
            web.get("/api/tags", self._tags),
        ]

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "0.13.1"})

    async def _tags(self, _: web.Request) -> web.Response:
        entry = {"name": "llama3.2:latest", "model": "llama3.2:latest", "size": 1, "digest": DIGEST}
        return web.json_response({"models": [entry]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        data, instead = await self.take(request)
        if instead is not None:
            return instead
        users = [one["content"] for one in data["messages"] if one["role"] == "user"]
        said = self.answer(users)
        events = self.events(self.name or data["model"], said if isinstance(said, list) else [said])
        if not data.get("stream", True):
            message = {"role": "assistant", "content": "".join(said)}
            return web.json_response({**events[-1], "message": message})
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for event in events:
            await response.write(json.dumps(event).encode() + b"\n")
        return response

    def events(self, model: str, pieces: list[str]) -> list[dict[str, Any]]:
        def event(message: dict[str, str], **more: Any) -> dict[str, Any]:
            message = {"role": "assistant", **message}
            stamp = "2026-01-01T00:00:00Z"
            return {"model": model, "created_at": stamp, "message": message, "done": False, **more}

        thought = [] if self.thinking is None else [{"content": "", "thinking": self.thinking}]
        return [
            *(event(message) for message in thought),
            *(event({"content": piece}) for piece in pieces),
            event(
                {"content": ""}, done=True, done_reason=self.reason, total_duration=5,
                prompt_eval_count=7, eval_count=len(pieces),
            ),
        ]  # fmt: skip


class Own(Bot):
    """A bot of nobody's protocol: answers with the bytes it was given, whatever it is asked."""

    kind = "application/json"
    reply: bytes | Callable[[Any], bytes] = b'{"reply": "hi"}'

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/{path:.*}", self._talk)]

    async def _talk(self, request: web.Request) -> web.Response:
        data, instead = await self.take(request)
        if instead is not None:
            return instead
        self.sessions[request.raw_path].append("")
        body = self.reply if isinstance(self.reply, bytes) else self.reply(data)
        return web.Response(body=body, headers={"Content-Type": self.kind})


class InThread:
    """A bot in a thread of its own, so that a command under test may block."""

    def __init__(self, bot: Bot) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.bot = bot
        self._wait(bot.__aenter__())

    def stop(self) -> None:
        self._wait(self.bot.__aexit__())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
