"""The headers of a bot's requests: what of them is secret comes from the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote

from harness.errors import UsageError
from harness.records.http_server import HttpServer

# A shorter one is a stand-in for a secret, and would be found in any text.
_UNMISTAKABLE = 8


class Headers:
    """The values to send, and what must be shown to nobody.

    Raises:
        UsageError: a variable is not set, or holds what no header can carry.
    """

    __slots__ = ("_forms", "_secrets", "sent")

    def __init__(self, server: HttpServer, environment: Mapping[str, str], where: str) -> None:
        self.sent: dict[str, str] = {}
        secrets = []
        for name, value in server.headers.items():
            if isinstance(value, str):
                self.sent[name] = value
                continue
            secret = environment.get(value.env, "").strip()
            if not secret:
                raise UsageError(
                    f"the environment variable {value.env} is not set",
                    where=f"{where}.headers.{name}",
                    hint="it must hold the header's value",
                )
            if not (secret.isascii() and secret.isprintable()):
                raise UsageError(
                    f"the environment variable {value.env} holds characters that no header can "
                    "carry",
                    where=f"{where}.headers.{name}",
                    hint="look for a line end or a quote in it",
                )
            secrets.append(secret)
            self.sent[name] = value.prefix + secret
        self._secrets = tuple(secrets)
        forms = {
            form
            for secret in secrets
            for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""))
        }
        self._forms = sorted(forms, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Headers({sorted(self.sent)})"

    def redact(self, text: str) -> str:
        """The text without the secrets, should a server have put them there."""
        for form in self._forms:
            text = text.replace(form, "***")
        return text

    def leak(self, text: str) -> bool:
        """Whether the text holds a secret, as an answer that must not be kept would."""
        return any(secret in text for secret in self._secrets if len(secret) >= _UNMISTAKABLE)
