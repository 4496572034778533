"""One HTTP API with a token: what it answers, and what it is not given."""

from __future__ import annotations

import pytest

from harness.ci.http_api import Refused
from harness.errors import ServerError
from tests.ci.fake_forge import FakeForge, Fault
from tests.ci.test_post_comment import FIRST, put


def test_a_redirect_does_not_take_the_token_elsewhere(
    forge: FakeForge, github: dict[str, str]
) -> None:
    with FakeForge() as other:
        forge.faults = [Fault("GET", 302, {"Location": f"{other.url}/user"})]
        with pytest.raises(Refused, match="302"):
            put(github, FIRST)
        assert other.asked == []


def test_a_next_page_on_another_server_is_not_asked(
    forge: FakeForge, github: dict[str, str]
) -> None:
    with FakeForge() as other:
        forge.link = f'<{other.url}/user>; rel="next"'
        with pytest.raises(ServerError, match="another server"):
            put(github, FIRST)
        assert other.asked == []


def test_a_dead_server_is_one_error(github: dict[str, str]) -> None:
    dead = {**github, "GITHUB_API_URL": "http://127.0.0.1:9"}
    with pytest.raises(ServerError, match=r"GET http://127.0.0.1:9/user: "):
        put(dead, FIRST)
