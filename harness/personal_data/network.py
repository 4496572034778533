"""E-mail addresses of people, and addresses of machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

from harness.personal_data.span import Span

_EMAIL = re.compile(
    r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w!#$%&'*+/=?^`{|}~-][\w.!#$%&'*+/=?^`{|}~-]{0,63}@"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}\b"
)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_MAC = re.compile(
    r"(?<![\w:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])"
)
_DOTTED = re.compile(r"\d\.\d")
_VERSION = re.compile(r"(?i)(?:\bv|\bver|\bversion|\brelease|\bfirmware|\bsection)[ .:]{0,2}$")


def find_addresses(text: str) -> list[Span]:
    """The spans of e-mail, IP and hardware addresses.

    An address that names no machine in particular is left: loopback, unspecified, multicast, and
    networks' masks. Four numbers behind the word `version` are one.
    """
    found: list[Span] = []
    if "@" in text:
        found += [Span(*match.span(), "email") for match in _EMAIL.finditer(text)]
    if _DOTTED.search(text):
        found += _ip(text, _IPV4)
    if text.count(":") >= 2:
        found += [Span(*match.span(), "mac-address") for match in _MAC.finditer(text)]
        found += _ip(text, _IPV6)
    elif text.count("-") >= 5:
        found += [Span(*match.span(), "mac-address") for match in _MAC.finditer(text)]
    return found


def _ip(text: str, pattern: re.Pattern[str]) -> Iterator[Span]:
    for match in pattern.finditer(text):
        try:
            address = ip_address(match.group())
        except ValueError:
            continue
        nobody = address.is_loopback or address.is_unspecified or address.is_multicast
        mask = match.group().startswith(("255.", "0."))
        few = match.group().count(":") < 3 and ":" in match.group() and len(match.group()) < 8
        if nobody or mask or few or _VERSION.search(text[: match.start()][-12:]):
            continue
        yield Span(*match.span(), "ip-address")
