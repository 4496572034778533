"""A body taken whole, up to a limit."""

from harness.client.transport.fetch import WholeBody


def test_up_to_the_limit() -> None:
    body = WholeBody(5)
    body.head(503, {"content-type": "Text/HTML; charset=utf-8"})
    assert (body.status, body.kind, body.content) == (503, "text/html", b"")
    assert not body.feed(b"abc", 1.0)
    assert body.feed(b"de", 2.0)
    assert (body.content, body.cut) == (b"abcde", False)


def test_beyond_the_limit() -> None:
    body = WholeBody(5)
    assert body.feed(b"abcdefgh", 1.0)
    assert (body.content, body.cut) == (b"abcde", True)
    assert body.kind == ""
