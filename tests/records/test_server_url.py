"""The address of an OpenAI-compatible server, in every form in which people write one."""

import pytest

from harness.records.server_url import normalised

AZURE = "https://x.openai.azure.com/openai/deployments/d"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("h", "https://h/v1"),
        ("http://h:8000/", "http://h:8000/v1"),
        ("http://h/v1/", "http://h/v1"),
        ("http://h/v1/chat/completions", "http://h/v1"),
        ("http://h/V1/Chat/Completions/", "http://h/v1"),
        ("http://h/v1/models", "http://h/v1"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai"),
        ("https://h/v1beta/openai/chat/completions", "https://h/v1beta/openai"),
        ("https://h/api/paas/v4", "https://h/api/paas/v4"),
        ("https://h/api/paas/v4/models", "https://h/api/paas/v4"),
        ("https://h/api/paas/v4/chat/completions", "https://h/api/paas/v4"),
        ("https://h/v1/acc/gateway/openai", "https://h/v1/acc/gateway/openai"),
        # A path that names no version is that of a gateway, before its /v1.
        ("http://h/gateway", "http://h/gateway/v1"),
        ("http://h/gateway/v1", "http://h/gateway/v1"),
        ("http://h/v8-engine", "http://h/v8-engine/v1"),
        # The full route says by itself that there is none.
        ("http://h/gateway/chat/completions", "http://h/gateway/chat/completions"),
        ("https://h/chat/completions/", "https://h/chat/completions"),
        (AZURE, AZURE),
        (f"{AZURE}?api-version=2024-10-21", f"{AZURE}?api-version=2024-10-21"),
        (f"{AZURE}/chat/completions?api-version=1-preview", f"{AZURE}?api-version=1-preview"),
        ("https://h?api-version=1", "https://h/v1?api-version=1"),
    ],
)
def test_an_address(url: str, found: str) -> None:
    assert normalised(url) == found
    assert normalised(found) == found


@pytest.mark.parametrize(
    "query", ["?", "?key=x", "?api-version=1&sig=x", "?api-version=a%20b", "?api-version=1#x", "#x"]
)
def test_a_query_that_may_hold_a_secret(query: str) -> None:
    with pytest.raises(ValueError, match="a key goes into `api_key_env`") as caught:
        normalised(f"https://h/v1{query}")
    assert "sig" not in str(caught.value)
