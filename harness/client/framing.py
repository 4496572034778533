"""Events from bytes that arrive in any pieces: server-sent events, or lines of JSON."""

from __future__ import annotations

MAX_EVENT_BYTES = 8 * 1024 * 1024
EVENT_STREAM = "text/event-stream"
# The fields of an event, and a comment (WHATWG HTML, section 9.2.5).
_FIRST_WORDS = (b"data", b"event", b"id", b"retry", b":")
_BLANK = b"\r\n \t\xef\xbb\xbf"


def begins_stream(begun: bytes) -> bool | None:
    """Whether bytes are the beginning of a stream of events; None where too few came to tell."""
    begun = begun.lstrip(_BLANK)
    if any(begun.startswith(word) for word in _FIRST_WORDS):
        return True
    return None if any(word.startswith(begun) for word in _FIRST_WORDS) else False


class EventTooLong(ValueError):
    """One event is longer than `MAX_EVENT_BYTES`."""


class _Lines:
    """Cuts bytes into lines at LF; the piece after the last one is kept for the next read."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def _cut(self, chunk: bytes) -> tuple[list[bytes], bytes]:
        """The lines that `chunk` completes, and what it brings of the next one."""
        *lines, rest = chunk.split(b"\n")
        if lines and self._pieces:
            lines[0] = b"".join([*self._pieces, lines[0]])
            self._pieces.clear()
        if rest:
            self._pieces.append(rest)
        return lines, rest


class SseParser(_Lines):
    """An incremental parser that keeps only the `data` of events.

    Bytes are never decoded here, so a read may end inside a character. Lines end in LF, CRLF or
    CR; an event that no blank line closes is not an event (WHATWG HTML, section 9.2.6).
    """

    __slots__ = ("_after_cr", "_data", "_first", "_pending")

    def __init__(self) -> None:
        super().__init__()
        self._data: list[bytes] = []
        self._pending = 0
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of every event that `chunk` completes, in order.

        Raises:
            EventTooLong: an event does not end.
        """
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]  # the second half of a CRLF that the last read cut in two
            self._after_cr = False
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._pending += len(chunk)
        lines, rest = self._cut(chunk)
        events: list[bytes] = []
        for line in lines:
            if self._first:
                self._first = False
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line:
                if self._data:
                    events.append(self._data[0] if len(self._data) == 1 else b"\n".join(self._data))
                    self._data.clear()
                self._pending = len(rest)
            elif line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
            elif line == b"data":
                self._data.append(b"")
        if self._pending > MAX_EVENT_BYTES:
            raise EventTooLong(f"an event is longer than {MAX_EVENT_BYTES} bytes")
        return events


class LineParser(_Lines):
    """Cuts a stream into lines at LF alone: JSON holds no bare one. Blank lines are left out."""

    __slots__ = ("_length",)

    def __init__(self) -> None:
        super().__init__()
        self._length = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Every line that `chunk` completes, in order.

        Raises:
            EventTooLong: a line does not end.
        """
        lines, rest = self._cut(chunk)
        self._length = len(rest) if lines else self._length + len(rest)
        if self._length > MAX_EVENT_BYTES:
            raise EventTooLong(f"a line is longer than {MAX_EVENT_BYTES} bytes")
        return [line for line in lines if line.strip()]

    def rest(self) -> bytes:
        """What came after the last line end: a last line, or the piece of one."""
        return b"".join(self._pieces).strip()
