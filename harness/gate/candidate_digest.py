"""Which candidate it is, by whatever name, address and form of request it is asked."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from harness.files import digest_json
from harness.records.server_url import is_local
from harness.records.target import Identity

# What an adapter that a server on this machine lists ends with, once its files were read.
_DIGEST = re.compile(r"(?:^|@)(sha256:[0-9a-f]{64})$")
_PORTS = {"http": 80, "https": 443}


def candidate_digest(identity: Identity) -> str:
    """The digest of a candidate as such, the same however it is served and asked.

    That is of its files where they are known: the weights and the adapter. Else its model and the
    address of its server stand for it, and of a chatbot the version of its model that it tells,
    since one name stands for all of them. What else an identity holds can be changed without
    another candidate: fields that are not sent, what a server calls itself, arguments.
    """
    found = None if identity.adapter is None else _DIGEST.search(identity.adapter)
    adapter = None if found is None else found[1]
    if identity.weights is not None or adapter is not None:
        return digest_json({"weights": identity.weights, "adapter": adapter})
    places = sorted(_address(one) for one in identity.server.split())
    told = identity.root if "preset" in identity.engine_args else None
    return digest_json({"server": places, "model": identity.model, "told": told})


def _address(url: str) -> str:
    """The address with one spelling of this machine and of a scheme's own port."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    host = "localhost" if is_local(host) else host
    port = parts.port or _PORTS.get(parts.scheme)
    return f"{host}:{port}{parts.path.rstrip('/')}?{parts.query}"
