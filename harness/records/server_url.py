"""The address of an OpenAI-compatible server, from the forms in which people write one."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from urllib.parse import parse_qsl, urlsplit

from harness.records.http_server import SCHEMES, split_url

CHAT = "/chat/completions"
_FORMS = "host, host/v1 or the full route"
# By the book no host's name has an underscore or ends in a dash; many a container's does.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
# A path with one of these says by itself where the API begins: /v1, /v1beta/openai, /api/paas/v4,
# /openai/deployments/x.
_VERSION = re.compile(r"(?i)/(v\d+[a-z0-9.]*|deployments)(/|$)")
# Names that hold no secret: an address is written into runs and reports.
_QUERY = frozenset({"api-version", "api_version", "version", "deployment", "region", "project"})
_QUERY_VALUE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def normalised(url: object) -> str:
    """The address below which the API's routes are, with its query if it has one.

    `/v1` is added to a host, and to a path that names no version of an API, such as that of a
    gateway. A full route is as good as what stands before its `/chat/completions`, which stays
    only where it is needed to say that no `/v1` belongs there.

    Raises:
        ValueError: it is none; no message holds a part of the address.
    """
    if not isinstance(url, str):
        raise ValueError(f"must be text: {_FORMS}")
    url, mark, query = url.strip().partition("?")
    if mark:
        _check_query(query)
    if "://" not in url:
        with contextlib.suppress(ValueError):  # a bracket left open
            bare = urlsplit(f"//{url}").hostname or ""
            if bare not in SCHEMES:  # else a scheme that was cut short
                url = f"{'http' if is_local(bare) else 'https'}://{url}"
    expected = f"{_FORMS}, by http or https"
    parts = split_url(url, _is_host, expected=expected, key_in="api_key_env")
    return f"{parts.scheme}://{parts.netloc.lower()}{_base(parts.path)}{mark}{query}"


def _base(path: str) -> str:
    given = path.rstrip("/")
    base = re.sub(f"(?i)/+{CHAT[1:]}$", "", given).rstrip("/")
    if not _VERSION.search(base):
        return f"{base}/v1" if base == given else f"{base}{CHAT}"
    base = re.sub(r"(?i)(/v\d+[a-z0-9.]*)/+models$", r"\1", base)
    return re.sub(r"(?i)/v1$", "/v1", base)


def _check_query(query: str) -> None:
    pairs = parse_qsl(query, keep_blank_values=True)
    known = all(name in _QUERY and _QUERY_VALUE.fullmatch(value) for name, value in pairs)
    if "#" in query or not pairs or not known:
        raise ValueError(
            "must hold no fragment, and no query but `api-version` and the like; a key goes into "
            "`api_key_env`"
        )


def _is_host(name: str) -> bool:
    """Whether a name could be looked up (RFC 1035), or is an address."""
    try:
        return ":" in name or bool(_HOST.fullmatch(name.encode("idna").decode()))
    except UnicodeError:  # a label is empty or too long, or holds what no name can
        return False


def is_local(host: str) -> bool:
    """Whether a host is this machine; without a scheme it speaks http."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified
