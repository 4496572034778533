"""Redirects: what is followed on the same server, and what never is."""

import pytest

from harness.client.transport.redirect import leads_to, path_to_follow
from harness.client.transport.route import Route

ASKED = "/v1/chat/completions?api-version=1"


@pytest.mark.parametrize(
    ("status", "location", "found"),
    [
        (307, "/v1/chat/completions/", ("/v1/chat/completions/", False)),
        (308, "https://h/other?x=1", ("/other?x=1", True)),
        (308, "https://H:443/other", ("/other", True)),
        (307, "other", ("/v1/chat/other", False)),
        (307, "/ü b", ("/%C3%BC%20b", False)),
        # No path at all is the root's (RFC 9110, 4.2.3).
        (308, "https://h", ("/", True)),
        (307, "https://h?x=1", ("/?x=1", False)),
        (301, "https://h", None),
        (301, "/v1/chat/completions/?api-version=1", ("/v1/chat/completions/?api-version=1", True)),
        (302, "/v1/chat/completions/", ("/v1/chat/completions/", False)),
        # GET may be meant by these.
        (301, "/v2/chat/completions", None),
        (302, "/login", None),
        (303, "/v1/chat/completions/", None),
        # Another origin: host, port, scheme.
        (308, "https://other/v1/chat/completions", None),
        (307, "//other/v1/chat/completions/", None),
        (307, "https://h:8443/v1", None),
        (308, "http://h/v1/chat/completions", None),
        (307, "https://h@other/v1", None),
        (308, "ftp://h/x", None),
        (308, "https://[", None),
        (308, "https://h:99999999/x", None),
        (308, "", None),
        (200, "/other", None),
    ],
)
def test_what_is_followed(status: int, location: str, found: tuple[str, bool] | None) -> None:
    headers = {"location": location} if location else {}
    assert path_to_follow(Route("https://h/v1"), ASKED, status, headers) == found


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("https://me:pw@login.example:8443/x?state=secret#y", "https://login.example:8443/x"),
        ("/login?next=secret", "https://h/login"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
        ("javascript:x", ""),
        ("", ""),
    ],
)
def test_where_it_leads_is_told_without_secrets(location: str, place: str) -> None:
    assert leads_to(Route("https://h/v1"), ASKED, {"location": location}) == place
