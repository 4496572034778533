"""Dialects: one file a way of speaking to servers, found by its name."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from harness.client.dialect import Access, Dialect
from harness.client.dialects.http import HttpDialect
from harness.client.dialects.openai import OpenAIDialect
from harness.errors import UsageError

BUILT_IN: dict[str, Callable[[str, Access], Dialect]] = {
    "http": HttpDialect,
    "openai": OpenAIDialect,
}


def make_dialect(name: str, url: str, access: Access) -> Dialect:
    """The dialect of that name for the server at the address; installed packages add to ours.

    Raises:
        UsageError: there is no such dialect, or the address cannot be used.
    """
    make = BUILT_IN.get(name)
    if make is None:
        for point in entry_points(group="harness.dialects", name=name):
            make = point.load()
    if make is None:
        raise UsageError(f"no dialect `{name}`", hint=f"there is {', '.join(sorted(BUILT_IN))}")
    return make(url, access)
