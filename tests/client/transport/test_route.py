"""Addresses taken apart."""

import pytest

from harness.client.transport.route import Origin, Proxy, path_of
from harness.errors import UsageError


@pytest.mark.parametrize(
    ("url", "place", "authority", "secure"),
    [
        ("http://chat.example/v1", "chat.example:80", "chat.example", False),
        ("https://chat.example/v1", "chat.example:443", "chat.example", True),
        ("https://chat.example:8443/v1", "chat.example:8443", "chat.example:8443", True),
        ("http://chat.example:443/v1", "chat.example:443", "chat.example:443", False),
        ("http://[::1]:8000/v1", "[::1]:8000", "[::1]:8000", False),
        ("http://[::1]/v1", "[::1]:80", "[::1]", False),
        ("https://Bücher.example/v1", "xn--bcher-kva.example:443", "xn--bcher-kva.example", True),
    ],
)
def test_an_origin(url: str, place: str, authority: str, secure: bool) -> None:
    origin = Origin.of(url)
    assert (origin.place, origin.authority, origin.secure) == (place, authority, secure)


@pytest.mark.parametrize(
    ("url", "place", "authorization"),
    [
        ("http://proxy.example:3128", "proxy.example:3128", None),
        ("http://proxy.example:3128/", "proxy.example:3128", None),
        ("proxy.example:3128", "proxy.example:3128", None),
        ("https://proxy.example", "proxy.example:443", None),
        ("http://me:p%40ss@proxy.example:3128", "proxy.example:3128", "Basic bWU6cEBzcw=="),
        ("http://me@proxy.example:3128", "proxy.example:3128", "Basic bWU6"),
    ],
)
def test_a_proxy(url: str, place: str, authorization: str | None) -> None:
    proxy = Proxy.of(url)
    assert (proxy.origin.place, proxy.authorization) == (place, authorization)
    assert "Basic" not in repr(proxy)


@pytest.mark.parametrize(
    "url", ["socks5://me:secret@proxy.example:1080", "http://me:secret@:3128", "http://h:99999999"]
)
def test_no_http_proxy(url: str) -> None:
    with pytest.raises(UsageError, match="not the address of an HTTP proxy") as caught:
        Proxy.of(url)
    assert "secret" not in caught.value.line


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h/v1", "/v1"),
        ("http://h:8000", ""),
        ("http://h/a%20b/v1", "/a%20b/v1"),
        ("http://h/ü b/v1", "/%C3%BC%20b/v1"),
    ],
)
def test_a_path(url: str, path: str) -> None:
    assert path_of(url) == path
