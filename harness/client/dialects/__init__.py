"""Dialects: one file per protocol of servers, found by its name."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from harness.client.dialect import Access, Dialect
from harness.errors import UsageError
from harness.plugins import PluginRegistry

GROUP = "harness.dialects"
BUILT_IN = (
    EntryPoint("http", "harness.client.dialects.http:HttpDialect", GROUP),
    EntryPoint("openai", "harness.client.dialects.openai:OpenAIDialect", GROUP),
)


@cache
def registry() -> PluginRegistry[Any]:
    """Our dialects, and those that installed packages declare in `harness.dialects`."""
    declared = [*BUILT_IN, *entry_points(group=GROUP)]
    return PluginRegistry("dialect", GROUP, declared, lambda found: found)


def make_dialect(name: str, url: str, access: Access) -> Dialect:
    """The dialect of that name for the server at the address.

    Raises:
        UsageError: there is no such dialect, or the address cannot be used.
    """
    try:
        make = registry().get(name)
    except ValueError as error:
        raise UsageError(str(error), hint="look at the server's `dialect`") from None
    dialect: Dialect = make(url, access)
    return dialect
