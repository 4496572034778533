"""Any server that a configuration may name, told apart by its keys."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Tag

from harness.records.http_server import HttpServer
from harness.records.server import ManagedServer, RemoteServer


def _kind_of_server(data: Any) -> str:
    if isinstance(data, HttpServer) or (isinstance(data, dict) and data.get("engine") == "http"):
        return "http"
    if isinstance(data, RemoteServer) or (isinstance(data, dict) and "url" in data):
        return "remote"
    return "managed"


Server = Annotated[
    Annotated[ManagedServer, Tag("managed")]
    | Annotated[RemoteServer, Tag("remote")]
    | Annotated[HttpServer, Tag("http")],
    Discriminator(_kind_of_server),
]
