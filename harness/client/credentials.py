"""The headers of requests, and the secrets in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from harness.errors import UsageError
from harness.records.http_server import HttpServer

# A shorter one is a stand-in for a secret, and would be found in any text.
_UNMISTAKABLE = 8


class Credentials:
    """Headers to send, and the secrets in them that must never be printed."""

    def __init__(self, headers: Mapping[str, str], secrets: Sequence[str]) -> None:
        self.headers = dict(headers)
        self._secrets = tuple(secrets)
        forms = {
            form
            for secret in secrets
            for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""))
        }
        self._forms = sorted(forms, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Credentials({sorted(self.headers)})"

    def redact(self, text: str) -> str:
        """The text without the secrets, should a server have put them there."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text

    def leak(self, text: str) -> bool:
        """Whether the text holds a secret, as an answer that must not be kept would."""
        return any(secret in text for secret in self._secrets if len(secret) >= _UNMISTAKABLE)


def bearer(api_key: str | None, where: str) -> Credentials:
    """The credentials of a server that takes an API key, or none.

    Raises:
        UsageError: the key cannot be a header.
    """
    if not api_key:
        return Credentials({}, ())
    _check_can_be_sent(api_key, "the API key", where, "the environment variable")
    return Credentials({"Authorization": f"Bearer {api_key}"}, (api_key,))


def from_environment(server: HttpServer, environment: Mapping[str, str], where: str) -> Credentials:
    """The headers of a server's own, those with a secret from the environment.

    Raises:
        UsageError: a variable is not set, or holds what no header can carry.
    """
    headers: dict[str, str] = {}
    secrets = []
    for name, value in server.headers.items():
        if isinstance(value, str):
            headers[name] = value
            continue
        secret = environment.get(value.env, "").strip()
        if not secret:
            raise UsageError(
                f"the environment variable {value.env} is not set",
                where=f"{where}.headers.{name}",
                hint="it must hold the header's value",
            )
        variable = f"the environment variable {value.env}"
        _check_can_be_sent(secret, variable, f"{where}.headers.{name}", "it")
        secrets.append(secret)
        headers[name] = value.prefix + secret
    return Credentials(headers, secrets)


def _check_can_be_sent(value: str, what: str, where: str, variable: str) -> None:
    if not (value.isascii() and value.isprintable()):
        raise UsageError(
            f"{what} holds characters that no header can carry",
            where=where,
            hint=f"look for a line end or a quote in {variable}",
        )
