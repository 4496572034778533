"""What a model's answers show."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from harness.doctor.answers import (
    check_answer,
    check_limits,
    check_logprobs,
    check_seed,
    check_system,
    check_usage,
)
from harness.doctor.step import Step
from harness.doctor.visit import Visit
from harness.records.request_fields import RequestForm
from tests.doctor.conftest import KEY, Visiting
from tests.mock_server import MockReply, MockServer
from tests.sites import Site, chat

ROUTE = "/v1/chat/completions"
Check = Callable[[Visit], Any]


async def one(visiting: Visiting, check: Check, route: Any, **target: Any) -> Step:
    async with Site({ROUTE: route}) as site, visiting(site.url, keyed=True, **target) as visit:
        found: Step = await check(visit)
    assert all("prompt_logprobs" not in body for body in site.bodies)
    assert KEY not in f"{found}"
    return found


def refusing(field: str) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        roles = [message["role"] for message in body["messages"]]
        if field in body or field in roles:
            return web.json_response({"error": {"message": f"no {field}, {KEY}"}}, status=400)
        return await chat()(request)

    return answer


async def test_a_whole_examination_of_answers(visiting: Visiting) -> None:
    checks = (check_answer, check_usage, check_logprobs, check_system, check_limits)
    async with (
        MockServer(lambda _: MockReply("one two three"), models=("m",)) as server,
        visiting(server.url) as visit,
    ):
        found = [await check(visit) for check in checks]
    assert [step.outcome for step in found] == ["ok"] * 5
    assert found[0].found == "streamed in 3 pieces, ended by `stop`"
    assert found[1].found == "1 token asked, 3 answered"
    assert found[2].found == "of 3 generated tokens"
    assert found[4].found == "none are told"


@pytest.mark.parametrize(
    ("route", "words", "remedy"),
    [
        (web.Response(status=404), "has no chat route there", "full route"),
        (web.json_response({"error": f"key {KEY}?"}, status=401), "refuses the API key", "A_KEY"),
        (web.Response(text="<html>", content_type="text/html"), "a page", "log"),
        (web.Response(status=308, headers={"Location": f"https://o.example{ROUTE}"}),
         "write `url: https://o.example/v1/chat/completions`", "nothing was sent there"),
        (web.json_response({"error": "no model m"}, status=404), "does not know", "`model`"),
    ],
)  # fmt: skip
async def test_no_answer(route: Any, words: str, remedy: str, visiting: Visiting) -> None:
    found = await one(visiting, check_answer, route)
    assert found.outcome == "failed"
    assert words in found.found
    assert remedy in found.remedy


async def test_no_counts(visiting: Visiting) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        event = 'data: {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}\n\n'
        return web.Response(text=f"{event}data: [DONE]\n\n")

    async with Site({ROUTE: answer}) as site, visiting(site.url) as visit:
        assert (await check_answer(visit)).outcome == "ok"
        assert (await check_usage(visit)).outcome == "cannot"


@pytest.mark.parametrize(
    ("adapter", "outcome"), [(None, "cannot"), (".harness/candidates/a", "failed")]
)
async def test_no_logprobs(adapter: str | None, outcome: str, visiting: Visiting) -> None:
    target = {} if adapter is None else {"adapter": adapter}
    for route in (chat(), refusing("logprobs")):
        found = await one(visiting, check_logprobs, route, **target)
        assert found.outcome == outcome


@pytest.mark.parametrize(
    ("text", "outcome", "words"),
    [
        (lambda seed, _: f"sea {seed}", "ok", "honoured"),
        (lambda _, number: f"dice {number}", "cannot", "not honoured"),
        (lambda _, __: "always", "ok", "not to be told"),
    ],
)
async def test_the_seed(
    text: Callable[[int, int], str], outcome: str, words: str, visiting: Visiting
) -> None:
    numbers = itertools.count()

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        assert body["temperature"] == 1.0
        return await chat(text(body["seed"], next(numbers)))(request)

    found = await one(visiting, check_seed, answer)
    assert (found.outcome, found.found[: len(words)]) == (outcome, words)


async def test_a_seed_that_is_refused(visiting: Visiting) -> None:
    found = await one(visiting, check_seed, refusing("seed"))
    assert (found.outcome, "no seed" in found.found) == ("cannot", True)


def saying(words: str) -> web.Response:
    return web.json_response({"error": {"message": words}}, status=400)


async def test_a_refused_field_comes_with_the_line_to_write(visiting: Visiting) -> None:
    for check, words, line in (
        (check_answer, "Unknown parameter: 'seed'.", "{omit: [seed]}"),
        (check_seed, "Unknown parameter: 'seed'.", "{omit: [seed]}"),
        (check_system, "System role not supported", "{system_as: user}"),
    ):
        found = await one(visiting, check, saying(words))
        assert found.remedy == f"under servers.main write `request: {line}`"


async def test_a_seed_that_is_not_sent_is_not_tried(
    visiting: Visiting,
) -> None:
    async with visiting("http://127.0.0.1:1") as visit:
        visit.endpoint = replace(visit.endpoint, form=RequestForm(omit=("seed",)))
        assert (await check_seed(visit)).found == "not sent, as `request` of the server says"


@pytest.mark.parametrize(("prompt", "outcome"), [(None, "cannot"), ("Be kind.", "failed")])
async def test_a_template_without_a_system_role(
    prompt: str | None, outcome: str, visiting: Visiting
) -> None:
    target = {} if prompt is None else {"system_prompt": prompt}
    found = await one(visiting, check_system, refusing("system"), **target)
    assert (found.outcome, "no system" in found.found) == (outcome, True)


async def test_a_system_prompt_of_a_suite_needs_the_role_too(
    visiting: Visiting, tmp_path: Path
) -> None:
    suite = tmp_path / "suites/none/suite.yaml"
    suite.parent.mkdir(parents=True)
    for line, outcome in (("name: none", "cannot"), ("system_prompt: Be kind.", "failed")):
        suite.write_text(f"{line}\n")
        found = await one(visiting, check_system, refusing("system"))
        assert found.outcome == outcome


async def test_limits_that_are_told(visiting: Visiting) -> None:
    headers = {"x-ratelimit-limit-requests": "60", "X-Request-Id": KEY}
    found = await one(visiting, check_limits, web.Response(headers=headers))
    assert found.found == "x-ratelimit-limit-requests: 60"
    assert "`max_requests_per_minute: 60`" in found.remedy
    busy = web.Response(status=429, headers={"Retry-After": "7"})
    found = await one(visiting, check_limits, busy)
    assert (found.outcome, found.found) == ("cannot", "HTTP 429 (retry-after: 7)")
