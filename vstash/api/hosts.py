"""Which host names and addresses mean this machine."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from vstash.errors import SettingsError

__all__ = ["allowed_names", "loopback", "same_machine", "split_host"]

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?", re.ASCII)
_ORIGIN_SCHEME = "http://"
_HTTP_PORT = 80


def loopback(host: str) -> IPv4Address | IPv6Address:
    """The loopback address that a host setting means.

    Args:
        host: ``localhost`` or an address.

    Raises:
        SettingsError: When others could reach it.

    Example:
        >>> str(loopback("localhost"))
        '127.0.0.1'
    """
    if host.lower() == "localhost":
        # Never asked of a resolver, which could answer with any address.
        return IPv4Address("127.0.0.1")
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        address = None
    if address is None or not address.is_loopback or getattr(address, "scope_id", None):
        raise SettingsError(
            "vstash serve listens on this machine only: use 127.0.0.1, ::1 or localhost. Other "
            "addresses need access tokens, which come with a later release.",
            pointer="/host",
        )
    return address


def allowed_names(host: str) -> frozenset[str]:
    """The host names under which a service may be asked.

    Args:
        host: Where it listens.

    Example:
        >>> sorted(allowed_names("127.0.0.1"))
        ['127.0.0.1', '[::1]', 'localhost']
    """
    address = loopback(host)
    literal = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    return frozenset({"localhost", "127.0.0.1", "[::1]", literal})


def split_host(value: str) -> tuple[str, int | None] | None:
    """A ``host[:port]`` in its parts, in lower case; None for anything that is not exactly that.

    Example:
        >>> split_host("LocalHost:8765")
        ('localhost', 8765)
        >>> split_host("localhost:80@example.org") is None
        True
    """
    found = _HOST.fullmatch(value.lower()) if value.isascii() else None
    if found is None:
        return None
    return found[1], None if found[2] is None else int(found[2])


def same_machine(origin: str, names: frozenset[str], port: int | None) -> bool:
    """Whether an Origin header names this service itself.

    Args:
        origin: The header's value.
        names: From `allowed_names`.
        port: Where this service listens; None when it is not known.

    Example:
        >>> same_machine("http://localhost:8765", frozenset({"localhost"}), 8765)
        True
        >>> same_machine("http://localhost:3000", frozenset({"localhost"}), 8765)
        False
    """
    lower = origin.lower()
    parts = split_host(lower[len(_ORIGIN_SCHEME) :]) if lower.startswith(_ORIGIN_SCHEME) else None
    if parts is None or port is None:
        return False
    name, theirs = parts
    return name in names and (_HTTP_PORT if theirs is None else theirs) == port
