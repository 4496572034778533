"""One HTTP/1.1 response after the other, from bytes that arrive in any pieces."""

from __future__ import annotations

import httptools

from harness.client.failures import TransportFailed

LONGEST_HEAD = 64 * 1024
_SWITCHING = 101
_BODILESS = frozenset({204, 304})


class ResponseReader:
    """Reads the responses of one connection; `begin` before each request.

    `status` and `headers` (names in lower case) mean something once `headed` is true, `reusable`
    once `whole` is. `fault` is what makes the response unreadable from here on. Responses that
    only announce another (1xx) are passed over.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self.begin()
        self._parser = httptools.HttpResponseParser(self)
        # What careless servers send, and what no reader of one response at a time can misread.
        self._parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    def begin(self) -> None:
        """Expect a new response."""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.began = self.headed = self.whole = False
        self.reusable = False
        self.fault: Exception | None = None
        self._mute = self._until_close = False
        self._spare = 0

    def feed(self, data: bytes) -> bytes:
        """The part of the body that `data` brings."""
        self.began = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self.whole:  # what follows an answer is none
                self.reusable = False
            else:
                self.fault = self.fault or error
        pieces = self._pieces
        if not pieces:
            body = b""
        else:
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
        # One limit for heads, trailers and chunk extensions: bytes since the last of the body.
        self._spare = 0 if body else self._spare + len(data)
        if self._spare > LONGEST_HEAD and not self.whole:
            self.fault = TransportFailed(
                "protocol", f"the answer's head is longer than {LONGEST_HEAD} bytes"
            )
        return b"" if self._mute else body

    def end(self) -> bool:
        """Whether the response is whole now that the server has closed the connection."""
        self.whole = self.whole or (self.headed and self._until_close)
        return self.whole

    def on_message_begin(self) -> None:
        """Take the parser's call: a response begins."""
        if self.whole:
            raise ValueError("nothing was asked")
        self.headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take the parser's call: a header, or a trailer, which nobody needs."""
        if self.headed:
            return
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1").strip()
        known = self.headers.get(key)
        self.headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        """Take the parser's call: the head is whole."""
        self.status = self._parser.get_status_code()
        if 100 <= self.status <= 199:
            return
        self.headed = True
        self.reusable = self._parser.should_keep_alive()
        headers = self.headers
        coding = headers.get("transfer-encoding", "").lower().rpartition(",")[2].strip()
        self._until_close = (
            self.status not in _BODILESS and coding != "chunked" and "content-length" not in headers
        )
        if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            self._mute = True
            if 200 <= self.status <= 299:
                self.fault = TransportFailed(
                    "protocol", "the server compresses its answer, though asked not to"
                )

    def on_message_complete(self) -> None:
        """Take the parser's call: the response is whole, unless it only announced another."""
        self.whole = self.headed
