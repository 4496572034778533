"""Which hosts `no_proxy` names: those that are asked without the environment's proxy."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_HIGHEST_PORT = 65535


def is_exempt(listed: str, host: str, port: int) -> bool:
    """Whether a list as in `no_proxy` names the host, which is never looked up for it.

    Entries are separated by commas or spaces. One is `*`; a name, with or without a leading `.` or
    `*.`, which stands for itself and all names below it; an address; or a network (`10.0.0.0/8`).
    Names and addresses may have a port, an IPv6 address then in brackets. What is none of these
    names nobody. The rules are those of Go's `httpproxy` and of curl, of which the latter lets a
    leading dot name the domain itself too.
    """
    name = host.lower().rstrip(".")
    address = _address(name)
    return any(
        entry == "*" or _names(entry, name, address, port)
        for entry in listed.lower().replace(",", " ").split()
    )


def _names(entry: str, name: str, address: Address | None, port: int) -> bool:
    if "/" in entry:
        return address is not None and _in_network(entry, address)
    bare = _address(entry)
    if bare is None:
        entry, own_port = _split(entry)
        if own_port is not None and own_port != port:
            return False
        bare = _address(entry)
    if bare is not None or address is not None:
        return bare == address
    domain = entry.removeprefix("*").strip(".")
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))


def _split(entry: str) -> tuple[str, int | None]:
    """The host and the port of an entry, or the whole entry where it ends in none."""
    host, colon, port = entry.rpartition(":")
    if not colon or not (port.isascii() and port.isdecimal() and int(port) <= _HIGHEST_PORT):
        return entry, None
    return host, int(port)


def _address(text: str) -> Address | None:
    """The address that the text is, an IPv4 one in IPv6 as IPv4; None for a name."""
    try:
        found = ipaddress.ip_address(text.removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _in_network(entry: str, address: Address) -> bool:
    try:
        network = ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False
    return address in network
