"""The headers of requests, and the secrets in them."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, quote, urlsplit

from harness.errors import ServerError, UsageError
from harness.records.http_server import HttpServer

# A shorter one is a stand-in for a secret, and would be found in any text. So would one of plain
# words or figures, up to a length that no honest answer has them at in a row.
_UNMISTAKABLE, _PLAIN_UNMISTAKABLE = 8, 20
_FEWEST_CHARACTERS = 5
_PLAIN = re.compile(r"[a-z\s._-]+|[\d\s._-]+", re.IGNORECASE)
_PART = 4  # so many characters of a secret at the end of a text are a part of it
_TOKEN = re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]*$")  # a JSON web token (RFC 7519)
_CLOSING = "…'\"`)}] "
_GAPS = re.compile("[\\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]+")


class Credentials:
    """Headers to send, and the secrets in them that must never be printed.

    `unsought` are the headers whose secret an honest answer may hold, so that none is searched for
    it.
    """

    def __init__(self, headers: Mapping[str, str], secrets: Sequence[str]) -> None:
        self.headers = dict(headers)
        forms = {form for secret in secrets for form in _forms(secret)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms)), re.IGNORECASE)
        telling = [secret for secret in secrets if _is_unmistakable(secret)]
        self._telling = frozenset(_squeezed(one) for secret in telling for one in _forms(secret))
        others = tuple(secret for secret in secrets if secret not in telling)
        self.unsought = tuple(
            name for name, value in self.headers.items() if others and value.endswith(others)
        )

    def __repr__(self) -> str:
        return f"Credentials({sorted(self.headers)})"

    def redact(self, text: str) -> str:
        """The text without the secrets, should a server have put them there.

        A secret that the text's end cuts off goes too.
        """
        if not self._forms:
            return text
        text = self._without_a_part(self._pattern.sub("***", text))
        return "***" if self.leak(text) else text

    def _without_a_part(self, text: str) -> str:
        kept = text.rstrip(_CLOSING)
        folded = kept.casefold()
        for form in self._forms:
            for length in range(min(len(form) - 1, len(kept)), _PART - 1, -1):
                if folded.endswith(form[:length].casefold()):
                    return f"{kept[:-length]}***{text[len(kept) :]}"
        return text

    def leak(self, *texts: str | None) -> bool:
        """Whether a text holds a secret in any form, as an answer that must not be kept would.

        Letter case, spaces and line ends in between do not hide it.
        """
        if not self._telling:
            return False
        squeezed = (_squeezed(text) for text in texts if text)
        return any(form in text for text in squeezed for form in self._telling)


def _is_unmistakable(secret: str) -> bool:
    """Whether a text that holds the secret can only have it from here."""
    if len(set(secret.casefold())) < _FEWEST_CHARACTERS:
        return False
    plain = _PLAIN.fullmatch(secret) is not None
    return len(secret) >= (_PLAIN_UNMISTAKABLE if plain else _UNMISTAKABLE)


def _forms(secret: str) -> set[str]:
    """The secret, and how programs write it: escaped, quoted, or encoded as part of more."""
    escaped = json.dumps(secret)[1:-1]
    found = {secret, escaped, json.dumps(escaped)[1:-1], repr(secret)[1:-1], html.escape(secret)}
    found |= {quote(secret), quote(secret, safe="")}
    if len(secret) < _UNMISTAKABLE:
        return found
    data = secret.encode()
    found |= {data.hex(), "".join(f"\\u{ord(one):04x}" for one in secret)}
    for before in range(3):  # the bytes before it decide how base64 cuts it
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        # The first and the last character may belong to its neighbours too.
        inner = encoded[(0, 2, 3)[before] : len(encoded) - (1 if (before + len(data)) % 3 else 0)]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return found


def _squeezed(text: str) -> str:
    return _GAPS.sub("", text.casefold())


class KeyRefused(ServerError):
    """A server asks for a key, or takes another one."""


def key_refused(
    credentials: Credentials, where: str, said: str, api_key_env: str | None
) -> KeyRefused:
    """The error for a server that asks for a key, or for another one; `said` is how it does."""
    variable = f"the environment variable {api_key_env}" if api_key_env else "`api_key_env`"
    what = "refuses the API key" if credentials.headers else "asks for an API key"
    hint = f"set {variable} to a valid key" if api_key_env else f"name its variable: {variable}"
    return KeyRefused(f"{what} ({said})", where=where, hint=hint)


def bearer(api_key: str | None, where: str) -> Credentials:
    """The credentials of a server that takes an API key, or none.

    Raises:
        UsageError: the key cannot be a header.
    """
    if not api_key:
        return Credentials({}, ())
    _check_can_be_sent(api_key, "the API key", where, "the environment variable")
    return Credentials({"Authorization": f"Bearer {api_key}"}, (api_key,))


def for_address(api_key: str | None, url: str) -> Credentials:
    """The credentials of the server at the address, which may be one of Azure's.

    An `api-version` in the query is Azure's mark. It takes a key in a header of its own, and as
    bearer only what Entra issues (Azure OpenAI REST reference, authentication).

    Raises:
        UsageError: the key cannot be a header.
    """
    parts = urlsplit(url)
    found = bearer(api_key, parts.hostname or url)
    if not api_key or "api-version" not in parse_qs(parts.query) or _TOKEN.match(api_key):
        return found
    return Credentials({"api-key": api_key}, (api_key,))


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
            how = "is empty" if value.env in environment else "is not set"
            raise UsageError(
                f"the environment variable {value.env} {how}",
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
