"""A model that the list does not vouch for: its chat route is tried before anything is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from harness.client.credentials import KeyRefused
from harness.config import Project, load_project
from harness.errors import AdapterNotApplied, ConfigError, HarnessError, ServerError, UsageError
from harness.targets.identity import identify
from tests.shop import config, write_project
from tests.sites import Site, chat

CHAT = "/v1/chat/completions"


def project_on(folder: Path, url: str, **target: Any) -> Project:
    write_project(folder, "http://unused")
    settings = config("http://unused")
    settings["servers"]["main"]["url"] = url
    settings["targets"]["base"] = {"server": "main", "model": "base", **target}
    (folder / "harness.yaml").write_text(yaml.safe_dump(settings))
    return load_project(folder / "harness.yaml")


LISTS: Mapping[str, Any] = {
    "403": web.Response(status=403),
    "404": web.Response(status=404),
    "405": web.Response(status=405),
    "null": None,
    "page": web.Response(text="<html>", content_type="text/html"),
    "others": {"data": [{"id": "other"}]},
    "empty": {"data": []},
}


@pytest.mark.parametrize("listed", LISTS)
async def test_a_model_that_is_not_listed_and_answers(listed: str, tmp_path: Path) -> None:
    said: list[str] = []
    async with Site({"/v1/models": LISTS[listed], CHAT: chat()}) as site:
        found = await identify(project_on(tmp_path, site.url), "base", said.append)
    assert (found.root, found.adapter, found.weights) == (None, None, None)
    assert site.bodies[0]["max_tokens"] == 16
    assert "prompt_logprobs" not in site.bodies[0]
    (line,) = said
    assert line.startswith(f"base: `base` is not listed by {site.url}/v1 (")
    assert "its weights are not known, nor whether it is an adapter" in line


async def test_a_listed_model_is_not_asked(tmp_path: Path) -> None:
    said: list[str] = []
    async with Site({"/v1/models": [{"id": "base"}], CHAT: chat()}) as site:
        await identify(project_on(tmp_path, site.url), "base", said.append)
    assert (site.bodies, said) == ([], [])


def refused(status: int, words: str = "") -> web.Response:
    return web.json_response({"error": {"message": words}}, status=status)


@pytest.mark.parametrize(
    ("listed", "route", "kind", "words"),
    [
        ("404", refused(401, "who?"), KeyRefused, "asks for an API key (HTTP 401: who?)"),
        ("403", refused(403, "not you"), KeyRefused, "asks for an API key (HTTP 403: not you)"),
        ("404", refused(404, "no such thing"), ServerError, "has no chat route there (HTTP 404"),
        ("404", refused(404, "The model `base` does not exist."), UsageError,
         "does not know the model `base`"),
        ("404", refused(404, "database at baseline"), ServerError, "has no chat route there"),
        ("404", refused(400, "seed is unknown"), ServerError, "HTTP 400: seed is unknown"),
        ("404", chat(model="else"), UsageError, "write that name under `answers_as`"),
        ("page", web.Response(text="<html>", content_type="text/html"), ServerError, "a page"),
        ("405", web.Response(status=308, headers={"Location": "https://o.example/v1"}),
         ServerError, "redirected to https://o.example/v1"),
        # A list that is there is believed where the server does not say otherwise.
        ("others", refused(404), UsageError, "has no model `base`"),
        ("others", refused(401), KeyRefused, "asks for an API key (HTTP 401"),
        ("others", refused(400, "Unsupported parameter: 'seed'"), ConfigError, "omit: [seed]"),
        ("others", refused(400), UsageError, "it lists `other`"),
        ("others", refused(503), UsageError, "has no model `base`"),
        ("others", chat(model="other"), UsageError, "has no model `base`"),
    ],
)  # fmt: skip
async def test_a_model_that_is_not_listed_and_does_not_answer(
    listed: str, route: Any, kind: type[HarnessError], words: str, tmp_path: Path
) -> None:
    async with Site({"/v1/models": LISTS[listed], CHAT: route}) as site:
        with pytest.raises(kind) as caught:
            await identify(project_on(tmp_path, site.url), "base")
    assert type(caught.value) is kind
    assert words in caught.value.line
    assert "\n" not in caught.value.line


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_is_busy_is_left_to_the_run(status: int, tmp_path: Path) -> None:
    said: list[str] = []
    async with Site({CHAT: refused(status)}) as site:
        await identify(project_on(tmp_path, site.url), "base", said.append)
    assert "and cannot be asked yet; its weights are not known" in said[0]


@pytest.mark.parametrize(
    ("written", "there", "write"),
    [
        ("/gateway", "/gateway/chat/completions", "/gateway/chat/completions"),
        ("/v2/gateway", "/v2/gateway/v1/chat/completions", "/v2/gateway/v1/chat/completions"),
        ("/wrong", CHAT, CHAT),
        ("", "/chat/completions", "/chat/completions"),
    ],
)
async def test_a_route_near_by_is_named(
    written: str, there: str, write: str, tmp_path: Path
) -> None:
    async with Site({there: chat()}) as site:
        with pytest.raises(ServerError, match="has no chat route there") as caught:
            await identify(project_on(tmp_path, f"{site.url}{written}"), "base")
        assert caught.value.hint == f"there is one: write `url: {site.url}{write}`"
        assert await identify(project_on(tmp_path / "mended", f"{site.url}{write}"), "base")


async def test_an_adapter_must_be_listed_though_it_answers(tmp_path: Path) -> None:
    async with Site({CHAT: chat()}) as site:
        project = project_on(tmp_path, site.url, adapter="adapters/a")
        with pytest.raises(AdapterNotApplied, match=r"the adapter `base` \(HTTP 404 on /models\)"):
            await identify(project, "base")
    assert site.bodies == []


def with_key(project: Project, folder: Path) -> Project:
    text = (folder / "harness.yaml").read_text()
    (folder / "harness.yaml").write_text(text.replace("url:", "api_key_env: A_KEY\n    url:"))
    return load_project(folder / "harness.yaml")


async def test_azures_key_has_a_header_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "s3cret-s3cret")
    base = "/openai/deployments/d"
    async with Site({f"{base}/chat/completions": chat()}) as site:
        project = project_on(tmp_path, f"{site.url}{base}?api-version=2024-10-21")
        await identify(with_key(project, tmp_path), "base")
    assert site.headers[-1]["api-key"] == "s3cret-s3cret"
    assert "Authorization" not in site.headers[-1]


async def test_a_field_that_it_refuses_is_named_with_the_line_to_write(tmp_path: Path) -> None:
    refused = web.json_response({"error": {"message": "Unknown parameter: 'seed'."}}, status=400)
    async with Site({"/v1/models": LISTS["404"], CHAT: refused}) as site:
        with pytest.raises(ConfigError) as raised:
            await identify(project_on(tmp_path, site.url), "base")
        assert raised.value.hint == "under servers.main write `request: {omit: [seed]}`"


async def test_it_holds_the_fields_of_the_target(tmp_path: Path) -> None:
    own = {"chat_template_kwargs": {"enable_thinking": False}, "min_tokens": 30}
    async with Site({"/v1/models": LISTS["404"], CHAT: chat()}) as site:
        await identify(project_on(tmp_path, site.url, generation=own), "base", lambda _: None)
    (body,) = site.bodies
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert "min_tokens" not in body
