from __future__ import annotations

from urllib.parse import quote

import pytest

from harness.client.credentials import Credentials, from_environment
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


@pytest.mark.parametrize("environment", [{}, {"KEY": ""}, {"KEY": " "}])
def test_a_variable_that_is_not_set_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError) as raised:
        from_environment(BOT, environment, "harness.yaml: servers.bot")
    assert raised.value.line == (
        "harness.yaml: servers.bot.headers.Authorization: the environment variable KEY is not "
        "set - it must hold the header's value"
    )


def test_a_secret_that_no_header_can_carry_is_not_shown() -> None:
    with pytest.raises(UsageError) as raised:
        headers("very\nsecret")
    assert "secret" not in raised.value.line


def test_values_are_sent_and_not_shown() -> None:
    found = headers("very-secret")
    assert found.headers == {"Authorization": "Bearer very-secret", "X-Team": "blue"}
    assert "very-secret" not in repr(found)


@pytest.mark.parametrize("secret", ["very-secret", 'qu"o\\te/+%&', "a b c d e f"])
def test_a_secret_is_found_in_all_its_forms(secret: str) -> None:
    found = headers(secret)
    text = f"{secret} {quote(secret, safe='')} Bearer {secret}"
    assert found.redact(text) == "*** *** Bearer ***"
    assert found.leak(f"it is {secret}")


def test_a_short_stand_in_is_no_leak() -> None:
    assert not headers("test").leak("a test")
