from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from harness.config import Config
from harness.records.base import explain
from harness.records.http_mapping import KNOWN, PRESETS
from harness.records.http_server import HttpServer
from harness.records.server import RemoteServer

ROOT = Path(__file__).parents[2]
OWN = "engine: http, url: 'https://h/talk', request: {q: {$: last_message}}, answer: reply"
RASA = "engine: http, preset: rasa, url: 'http://h:5005'"
OLLAMA = "engine: http, preset: ollama, url: 'http://h:11434'"


def config(server: str, target: str = "") -> Config:
    text = f"suites: [s]\nservers:\n  http: {{{server}}}\ntargets:\n  t: {{server: http{target}}}\n"
    return Config.model_validate(yaml.safe_load(text))


def bot(server: str, target: str = "") -> HttpServer:
    found = config(server, target).servers["http"]
    assert isinstance(found, HttpServer)
    return found


@pytest.mark.parametrize(
    ("server", "target", "message"),
    [
        ("engine: http, url: 'https://h/t'", "", "servers.http.request: missing key (and 1 more)"),
        ("engine: http, url: 'https://h/t', request: {q: {$: messages}}", "",
         "servers.http.answer: missing key"),
        ("engine: http, preset: rasa", "", "servers.http.url: missing key"),
        ("engine: http, preset: raza, url: 'http://h'", "",
         "servers.http.preset: must be `rasa`, `dialogflow-cx` or `ollama`; did you mean"),
        (OWN + ", stream: websocket", "",
         "servers.http.stream: must be `none`, `ndjson` or `sse`"),
        (OWN + ", api_key_env: KEY", "", "servers.http.api_key_env: unknown key"),
        (OWN.replace("{$: last_message}", "{$: last_mesage}"), "",
         "servers.http.request: q: no placeholder `last_mesage`; there is `dialogue`, "),
        (OWN.replace("{$: last_message}", "[1, {$: {a: 1}}]"), "",
         "servers.http.request: q[1]: no placeholder `{'a': 1}`"),
        (OWN.replace("{$: last_message}", "{a: {$: messages, b: 1}}"), "",
         "servers.http.request: q.a: `$` must be the only key of a placeholder"),
        (OWN.replace("{$: last_message}", "'{{last_message}}'"), "",
         "servers.http.request: holds nothing of the case; put a placeholder in: `dialogue`, "),
        (OWN.replace("q:", "day: 2026-01-01, q:"), "",
         "servers.http.request: day: JSON cannot hold datetime.date(2026, 1, 1); write it in"),
        (OWN.replace("q:", "omit: [seed], q:"), "",
         "servers.http.request.omit: is for servers without `engine: http`; here it would be sent"),
        (OWN.replace("q:", "max_tokens_as: max_new_tokens, q:"), "",
         "servers.http.request.max_tokens_as: is for servers without `engine: http`"),
        (OWN.replace("q:", "1: x, q:"), "", "servers.http.request: the key 1 must be a string"),
        (OWN.replace("answer: reply", "answer: 'reply['"), "",
         "servers.http.answer: `reply[` is no JMESPath: "),
        (OWN.replace("answer: reply", "answer: 'a[?upper(b)==c]'"), "",
         "servers.http.answer: `a[?upper(b)==c]` is no JMESPath: it has no function `upper`"),
        (OWN + ", usage: {prompt_tokens: a, completion_tokens: 'b['}", "",
         "servers.http.usage.completion_tokens: `b[` is no JMESPath: "),
        (OWN + ", finish_reason: '['", "", "servers.http.finish_reason: `[` is no JMESPath: "),
        (OWN + ", turns: replay", "",
         "servers.http: turns: replay needs the placeholder `session` in `request` or `url`"),
        (RASA + ", turns: replay, request: {all: {$: messages}}", "",
         "servers.http: request: `messages` is the whole history, which turns: replay sends turn"),
        (OWN + ", language_code: de", "",
         "servers.http: language_code: `request` has no such placeholder"),
        (OWN.replace("h/talk", "h/{sesion}"), "",
         "servers.http.url: no placeholder `{sesion}` here; there is `model`, `session`"),
        (OWN.replace("h/talk", "{session}/talk"), "",
         "servers.http.url: placeholders belong into the path"),
        (OWN.replace("h/talk", "h/a}b"), "",
         "servers.http.url: holds a brace that opens or closes nothing"),
        (OWN.replace("h/talk", "h/t?key=s"), "", "servers.http.url: must hold no query"),
        (OWN.replace("h/talk", "me:pw@h/t"), "", "servers.http.url: must hold no credentials"),
        (OWN.replace("https://", ""), "", "servers.http.url: must be an address that begins with"),
        (OWN + ", headers: {Authorization: Bearer x}", "",
         "servers.http.headers: `Authorization` holds a secret: write {env: VARIABLE}"),
        (OWN + ", headers: {X-A: {env: A, perfix: b}}", "",
         "servers.http.headers: X-A.perfix: unknown key"),
        (OWN + ", headers: {X-A: {env: 'A B'}}", "", "servers.http.headers: X-A.env: "),
        (OWN + ", headers: {X-A: 5}", "",
         "servers.http.headers: X-A: must be text in quotes, or {env: VARIABLE}"),
        (OWN + ', headers: {X-A: "a\\nb"}', "",
         "servers.http.headers: holds characters that no header can carry"),
        (OWN + ", headers: {'X A': b}", "", "servers.http.headers: `X A` is no name of a header"),
        (OWN + ", headers: {content-length: '5'}", "",
         "servers.http.headers: `content-length` is set by the harness itself"),
        (OWN + ", headers: {X-A: a, x-a: b}", "",
         "servers.http.headers: two headers are called alike"),
        (OLLAMA, "", "targets.t.model: missing; the server's request names one"),
        (RASA, ", model: m", "targets.t.model: the server's request has no placeholder `model`"),
        (RASA, ", adapter: a", "targets.t.adapter: only for a managed server"),
        (OWN + ", answered_by: model", "",
         "targets.t.answers_as: missing; the server's `answered_by` is held against it"),
        (RASA, ", answers_as: a", "targets.t.answers_as: the server has no `answered_by`"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_its_key(server: str, target: str, message: str) -> None:
    with pytest.raises(ValidationError) as raised:
        config(server, target)
    assert explain(raised.value, Config).startswith(message)


def test_a_server_with_a_url_and_no_engine_is_openai_compatible() -> None:
    assert isinstance(config("url: 'https://h'", ", model: m").servers["http"], RemoteServer)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_the_address_of_a_preset_may_hold_its_route(preset: str) -> None:
    target = ", model: m" if preset == "ollama" else ""
    short = bot(f"engine: http, preset: {preset}, url: 'http://h/a/'", target)
    full = bot(f"engine: http, preset: {preset}, url: '{short.url}'", target)
    assert short == full
    assert short.base == "http://h/a"
    assert short.url == "http://h/a" + PRESETS[preset].route


@pytest.mark.parametrize(
    ("server", "replays"),
    [
        (RASA, True),
        (OWN, False),
        (OWN.replace("q:", "id: {$: session}, q:"), True),
        (OWN.replace("q:", "id: {$: session}, q:") + ", turns: history", False),
        (OWN.replace("last_message", "dialogue"), False),
        (OWN.replace("q:", "id: {$: session}, all: {$: user_turns}, q:"), False),
    ],
)
def test_how_several_turns_are_sent(server: str, replays: bool) -> None:
    assert bot(server).replays is replays


def test_what_stands_beside_a_preset_goes_before_it() -> None:
    more = ", stream: none, request: {options: {seed: 5, num_ctx: 99}, think: false}"
    given: dict[str, Any] = bot(OLLAMA + more, ", model: m").request
    assert given["options"]["seed"] == 5
    assert given["options"]["num_ctx"] == 99
    assert given["options"]["num_predict"] == {"$": "max_tokens"}
    assert given["think"] is False
    assert given["model"] == {"$": "model"}


@pytest.mark.parametrize(
    "change",
    [
        ("reply", "reply || text"),
        ("last_message", "messages"),
        ("answer: reply", "answer: reply, headers: {X-Bot: two}"),
        ("answer: reply", "answer: reply, headers: {X-Bot: {env: A}}"),
        ("answer: reply", "answer: reply, error: fault"),
        ("answer: reply", "answer: reply, usage: {prompt_tokens: a, completion_tokens: b}"),
        ("q:", "lang: {$: language_code}, q:"),
    ],
)
def test_whatever_shapes_a_request_or_its_reading_changes_the_digest(
    change: tuple[str, str],
) -> None:
    assert bot(OWN.replace(*change)).digest() != bot(OWN).digest()


def test_a_price_another_variable_and_a_limit_do_not_change_the_digest() -> None:
    key = OWN + ", headers: {X-Key: {env: A}}"
    other = OWN + ", headers: {x-key: {env: B}}, max_requests_per_minute: 5"
    assert bot(key).digest() == bot(other).digest()


NAMED = OWN.replace("request: {", "request: {model: base, ")


@pytest.mark.parametrize(
    "other",
    [
        NAMED.replace("model: base", "model: candidate"),
        NAMED.replace("model: base", "model: {$: model}"),
        NAMED.replace("https://h/talk", "https://another/talk"),
        NAMED + ", headers: {Authorization: {env: KEY}}",
    ],
)
def test_which_bot_is_asked_is_no_part_of_how_it_is_asked(other: str) -> None:
    target = ", model: m" if "$: model" in other else ""
    assert bot(other, target).form_digest() == bot(NAMED).form_digest()


@pytest.mark.parametrize(
    "other",
    [
        NAMED.replace("q:", "system: 'the answers are', q:"),
        NAMED.replace("model: base", "model: {$: system_prompt}"),
        NAMED.replace("model: base", "model: [base, more]"),
        NAMED.replace("model: base, ", ""),
        NAMED.replace("q:", "max: {$: max_tokens}, q:"),
        NAMED.replace("answer: reply", "answer: reply, reasoning: thoughts"),
        NAMED + ", headers: {X-Mode: easy}",
    ],
)
def test_what_is_asked_besides_is(other: str) -> None:
    assert bot(other).form_digest() != bot(NAMED).form_digest()


def test_the_configuration_shown_in_the_docs_is_valid() -> None:
    text = (ROOT / "docs/chatbots.md").read_text()
    shown = yaml.safe_load(text.split("```yaml\n")[1].split("```")[0])
    servers = Config.model_validate({"suites": ["s"], **shown}).servers
    assert {name: server.replays for name, server in servers.items()} == {
        "bot": True, "dialog": True, "llama": False, "own": True,
    }  # fmt: skip


def test_the_placeholders_and_presets_are_in_the_docs() -> None:
    text = (ROOT / "docs/chatbots.md").read_text()
    assert [name for name in sorted(KNOWN | set(PRESETS)) if f"`{name}`" not in text] == []


def test_a_server_read_back_is_the_same() -> None:
    first = bot(RASA + ", headers: {X-Key: {env: A, prefix: 'Bearer '}}")
    assert HttpServer.model_validate(first.model_dump(mode="json")) == first
