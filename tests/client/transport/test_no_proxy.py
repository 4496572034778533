"""Which hosts the environment exempts from its proxy."""

import pytest

from harness.client.transport.no_proxy import is_exempt
from harness.client.transport.route import Route


@pytest.mark.parametrize(
    ("listed", "host", "port"),
    [
        ("*", "chat.example", 443),
        ("a.example, *", "::1", 80),
        ("chat.example", "chat.example", 443),
        ("CHAT.example.", "Chat.Example", 443),
        ("example", "chat.example", 443),
        (".example", "chat.example", 443),
        (".chat.example", "chat.example", 443),
        ("*.example", "chat.example", 443),
        ("other,chat.example:443", "chat.example", 443),
        ("a b\tchat.example", "chat.example", 443),
        ("10.0.0.0/8", "10.1.2.3", 8000),
        ("10.1.2.3/8", "10.9.9.9", 8000),
        ("10.0.0.0/255.0.0.0", "10.9.9.9", 8000),
        ("10.1.2.3", "10.1.2.3", 8000),
        ("10.1.2.3:8000", "10.1.2.3", 8000),
        ("10.0.0.0/8", "::ffff:10.1.2.3", 8000),
        ("fd00::/8", "fd12::1", 8000),
        ("[fd00::]/8", "fd12::1", 8000),
        ("::1", "0:0:0:0:0:0:0:1", 80),
        ("[::1]", "::1", 80),
        ("[::1]:80", "::1", 80),
    ],
)
def test_an_exempt_host(listed: str, host: str, port: int) -> None:
    assert is_exempt(listed, host, port)


@pytest.mark.parametrize(
    ("listed", "host", "port"),
    [
        ("", "chat.example", 443),
        (" , ,", "chat.example", 443),
        (".", "chat.example", 443),
        ("chat.example", "notchat.example", 443),
        ("chat.example:80", "chat.example", 443),
        ("chat.example:x", "chat.example", 443),
        ("chat.example:99999999", "chat.example", 443),
        ("chat.example.other", "chat.example", 443),
        ("10.0.0.0/8", "11.0.0.1", 80),
        ("10.0.0.0/8", "chat.example", 80),
        ("10.0.0.0/99", "10.0.0.1", 80),
        ("not/anything", "10.0.0.1", 80),
        ("10.1.2.3:80", "10.1.2.3", 8000),
        ("0.1", "10.0.0.1", 80),
        ("1.2.3", "10.1.2.3", 80),
        ("fd00::/8", "fe80::1", 80),
        ("fd00::/8", "10.0.0.1", 80),
        ("[::1]:80", "::1", 443),
        ("::2", "::1", 443),
    ],
)
def test_a_host_that_is_not(listed: str, host: str, port: int) -> None:
    assert not is_exempt(listed, host, port)


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_a_route_goes_by_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for known in ("no_proxy", "NO_PROXY", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(known, raising=False)
    monkeypatch.setenv("http_proxy", "http://me:secret@proxy.example:3128")
    monkeypatch.setenv(name, "10.0.0.0/8,chat.example:8000")
    assert Route("http://10.4.5.6:8000/v1").proxy is None
    assert Route("http://chat.example:8000/v1").proxy is None
    assert str(Route("http://chat.example/v1").proxy) == "the proxy proxy.example:3128"
    assert Route("https://chat.example/v1").proxy is None
