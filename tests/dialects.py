"""Dialects for tests that ask a server without a configuration."""

from __future__ import annotations

from harness.client.credentials import bearer
from harness.client.dialect import Access
from harness.client.dialects.openai import OpenAIDialect


def openai_dialect(url: str, api_key: str | None) -> OpenAIDialect:
    """The dialect of an OpenAI-compatible server.

    Raises:
        UsageError: the address or the key cannot be used.
    """
    return OpenAIDialect(url, Access(bearer(api_key, url)))
