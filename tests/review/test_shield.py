from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from harness.review.app import ReviewApp
from tests.review.builders import review


@pytest.fixture
def app(tmp_path: Path) -> ReviewApp:
    return ReviewApp(review(tmp_path), ["box.example"])


@pytest.mark.parametrize(
    "host", ["127.0.0.1:80", "localhost", "[::1]:9", "192.168.0.7:8000", "Box.Example:80"]
)
def test_own_names_and_addresses_are_served(app: ReviewApp, host: str) -> None:
    client = TestClient(app.asgi, base_url="http://127.0.0.1")
    assert client.get("/static/keys.js", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil"])
def test_a_name_that_is_not_ours_is_refused(app: ReviewApp, host: str) -> None:
    client = TestClient(app.asgi, base_url="http://127.0.0.1")
    assert client.get("/static/keys.js", headers={"host": host}).status_code == 421


def test_forms_of_other_sites_and_large_ones_are_refused(app: ReviewApp) -> None:
    client = TestClient(app.asgi, base_url="http://127.0.0.1")
    other = {"sec-fetch-site": "cross-site"}
    assert client.post("/r/x/1", data={"a": "b"}, headers=other).status_code == 403
    assert client.post("/r/x/1", data={"a": "b" * 70_000}).status_code == 413
    assert client.post("/r/x/1", data={"a": "b"}).status_code == 404


def test_every_answer_forbids_what_a_page_does_not_need(app: ReviewApp) -> None:
    client = TestClient(app.asgi, base_url="http://127.0.0.1")
    for answer in (client.get("/r/x"), client.get("/", headers={"host": "evil"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
