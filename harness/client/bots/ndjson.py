"""Lines of JSON from bytes that arrive in any pieces."""

from __future__ import annotations

MAX_LINE_BYTES = 8 * 1024 * 1024


class LineTooLong(ValueError):
    """One line is longer than `MAX_LINE_BYTES`."""


class LineParser:
    """Cuts a stream into lines at LF alone: JSON holds no bare one. Blank lines are left out."""

    __slots__ = ("_length", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Every line that `chunk` completes, in order.

        Raises:
            LineTooLong: a line does not end.
        """
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*self._pieces, lines[0]])
            self._pieces, self._length = [], 0
        if rest:
            self._pieces.append(rest)
            self._length += len(rest)
        if self._length > MAX_LINE_BYTES:
            raise LineTooLong(f"a line is longer than {MAX_LINE_BYTES} bytes")
        return [line for line in lines if line.strip()]

    def rest(self) -> bytes:
        """What came after the last line end: a last line, or the piece of one."""
        return b"".join(self._pieces).strip()
