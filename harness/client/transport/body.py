"""A response taken whole, or as far as somebody wants to read it."""

from __future__ import annotations

from collections.abc import Mapping


class WholeBody:
    """A sink that keeps the status, the headers and at most `limit` bytes of the body."""

    __slots__ = ("_limit", "_pieces", "cut", "headers", "length", "sent_at", "status")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self.length = 0
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.cut = False
        self.sent_at = 0.0

    @property
    def content(self) -> bytes:
        """What came of the body."""
        return b"".join(self._pieces)

    @property
    def kind(self) -> str:
        """The media type, without its parameters; empty where the server names none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """Take the status and the headers."""
        self.status = status
        self.headers = headers

    def feed(self, data: bytes, at: float) -> bool:  # noqa: ARG002 - a sink's signature
        """Whether the limit is reached; `cut` then tells that bytes were dropped."""
        room = self._limit - self.length
        self.cut = len(data) > room
        self._pieces.append(data[:room])
        self.length += len(self._pieces[-1])
        return self.length >= self._limit
