from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client.credentials import Credentials, bearer, for_address, from_environment
from harness.errors import UsageError
from harness.records.http_server import HttpServer

BOT = HttpServer.model_validate(
    {
        "engine": "http",
        "url": "http://h",
        "request": {"$": "messages"},
        "answer": "a",
        "headers": {"Authorization": {"env": "KEY", "prefix": "Bearer "}, "X-Team": "blue"},
    }
)


def headers(secret: str) -> Credentials:
    return from_environment(BOT, {"KEY": secret}, "harness.yaml: servers.bot")


@pytest.mark.parametrize(
    ("environment", "how"),
    [({}, "is not set"), ({"KEY": ""}, "is empty"), ({"KEY": " "}, "is empty")],
)
def test_a_variable_that_is_not_set_is_named(environment: dict[str, str], how: str) -> None:
    with pytest.raises(UsageError) as raised:
        from_environment(BOT, environment, "harness.yaml: servers.bot")
    assert raised.value.line == (
        "harness.yaml: servers.bot.headers.Authorization: the environment variable KEY "
        f"{how} - it must hold the header's value"
    )


def test_a_secret_that_no_header_can_carry_is_not_shown() -> None:
    with pytest.raises(UsageError) as raised:
        headers("very\nsecret")
    assert "secret" not in raised.value.line


def test_values_are_sent_and_not_shown() -> None:
    found = headers("very-secret")
    assert found.headers == {"Authorization": "Bearer very-secret", "X-Team": "blue"}
    assert "very-secret" not in repr(found)


@pytest.mark.parametrize("secret", ["very-s3cret", 'qu"o\\te/+%&', "a b c d e 6"])
def test_a_secret_is_found_in_all_its_forms(secret: str) -> None:
    found = headers(secret)
    text = f"{secret} {quote(secret, safe='')} Bearer {secret}"
    assert found.redact(text) == "*** *** Bearer ***"
    assert found.leak(f"it is {secret}")


@pytest.mark.parametrize(
    "word",
    [
        "test",
        "secret",
        "password",
        "EMPTY",
        "not-needed",
        "customer support",
        "12345678",
        "000-000-0a0",
    ],
)
def test_a_plain_word_is_not_looked_for_and_that_is_known(word: str) -> None:
    found = headers(word)
    assert not found.leak(f"Our word for it is {word}.", word)
    assert found.unsought == ("Authorization",)
    assert for_address(word, "https://h/openai/deployments/d?api-version=1").unsought == (
        "api-key",
    )


@pytest.mark.parametrize(
    "secret", ["hunter42", "correct-horse-battery-staple", "9" * 10 + "12345678900"]
)
def test_what_no_answer_holds_by_chance_is(secret: str) -> None:
    found = headers(secret)
    assert found.leak(f"It is {secret}.")
    assert found.unsought == ()
    assert bearer(None, "h").unsought == ()


KEY = 'sk-live-7f"Qa\\9+/zZ'


@pytest.mark.parametrize(
    "said",
    [
        KEY,
        KEY.upper(),
        repr(KEY),
        repr(KEY.encode()),
        json.dumps({"k": KEY}),
        json.dumps(json.dumps(KEY)),
        "".join(f"\\u{ord(one):04x}" for one in KEY),
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f"Bearer {KEY}".encode()).decode(),
        base64.b64encode(f"u:{KEY}\n".encode()).decode(),
        base64.urlsafe_b64encode(f"me:{KEY} and more".encode()).decode().rstrip("="),
        base64.encodebytes(f"{'x' * 50}{KEY}".encode()).decode(),
        KEY.encode().hex(),
        quote(KEY),
        html.escape(KEY),
        "\u200b".join(KEY),
        "\n".join(KEY),
    ],
)
def test_no_form_of_a_secret_passes(said: str) -> None:
    found = bearer(KEY, "h")
    text = f"here: {said}, as you asked"
    assert found.leak("", None, text)
    kept = found.redact(text)
    assert "***" in kept
    assert not found.leak(kept)


@pytest.mark.parametrize("cut", range(4, len(KEY)))
def test_a_secret_that_is_cut_off_at_the_end_goes_too(cut: int) -> None:
    kept = bearer(KEY, "h").redact(f"an event of unknown form: 'x {KEY[:cut]}'")
    assert "'x ***" in kept
    assert KEY[:4] not in kept


@given(st.text())
def test_other_texts_stay_what_they_are(text: str) -> None:
    nothing = bearer(None, "h")
    assert (nothing.redact(text), nothing.leak(text)) == (text, False)


JWT = "eyJh.eyJz.c2ln"


@pytest.mark.parametrize(
    ("key", "url", "header"),
    [
        (KEY, "https://h/v1", "Authorization"),
        (KEY, "https://h/openai/deployments/d?api-version=1", "api-key"),
        (JWT, "https://h/openai/deployments/d?api-version=1", "Authorization"),
        (KEY, "https://h/v1?deployment=d", "Authorization"),
    ],
)
def test_azure_takes_a_key_in_a_header_of_its_own(key: str, url: str, header: str) -> None:
    found = for_address(key, url)
    assert list(found.headers) == [header]
    assert found.redact(f"no: {key}") == "no: ***"
    assert for_address(None, url).headers == {}
