"""Which host names and addresses mean this service, and who can reach them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from vstash.errors import SettingsError

if TYPE_CHECKING:
    from vstash.settings import Settings

__all__ = [
    "allowed_names",
    "checked_origins",
    "exposed",
    "host_address",
    "own_origin",
    "split_host",
]

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?", re.ASCII)
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(.+)", re.ASCII)
_PORTS: Final = {"http": 80, "https": 443}


def host_address(host: str) -> IPv4Address | IPv6Address:
    """The address that a host setting means.

    Args:
        host: ``localhost`` or an address.

    Raises:
        SettingsError: When it is neither.

    Example:
        >>> str(host_address("localhost"))
        '127.0.0.1'
    """
    if host.lower() == "localhost":
        # Never asked of a resolver, which could answer with any address.
        return IPv4Address("127.0.0.1")
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        address = None
    if address is None or getattr(address, "scope_id", None):
        raise SettingsError(
            "host is localhost or an address of this machine, such as 127.0.0.1; 0.0.0.0 means all.",
            pointer="/host",
        )
    return address


def exposed(settings: Settings) -> bool:
    """Whether others than programs of this machine can reach the service.

    Raises:
        SettingsError: When ``host`` is not an address.
    """
    return not settings.uds and not host_address(settings.host).is_loopback


def allowed_names(host: str, further: Iterable[str] = ()) -> frozenset[str]:
    """The host names under which a service may be asked.

    Args:
        host: Where it listens.
        further: The setting ``allowed_hosts``.

    Raises:
        SettingsError: When a name is not a host name or has a port.

    Example:
        >>> sorted(allowed_names("127.0.0.1", ["Memory.example"]))
        ['127.0.0.1', '[::1]', 'localhost', 'memory.example']
    """
    address = host_address(host)
    literal = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    names = {name.lower() for name in further}
    if any((split_host(name) or (None,)) != (name, None) for name in names):
        raise SettingsError(
            "allowed_hosts are host names without scheme and port, such as memory.example.",
            pointer="/allowed_hosts",
        )
    # Nobody asks under the address that means all.
    own = () if address.is_unspecified else (literal,)
    return frozenset({"localhost", "127.0.0.1", "[::1]", *own, *names})


def checked_origins(origins: Iterable[str]) -> frozenset[str]:
    """The setting ``cors_origins`` as browsers write them.

    Raises:
        SettingsError: When one is not an origin; ``*`` and ``null`` would mean everybody.

    Example:
        >>> checked_origins(["http://localhost:3000"])
        frozenset({'http://localhost:3000'})
    """
    found = frozenset(origin.lower() for origin in origins)
    if any(_parts(origin) is None for origin in found):
        raise SettingsError(
            "cors_origins are scheme, name and port of web pages, such as http://localhost:3000, "
            "with nothing after them; a pattern is none.",
            pointer="/cors_origins",
        )
    return found


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


def own_origin(origin: str, names: frozenset[str], scheme: str, port: int | None) -> bool:
    """Whether an Origin header names this service itself.

    Args:
        origin: The header's value.
        names: From `allowed_names`.
        scheme: That this service speaks, ``http`` or ``https``.
        port: Where this service listens; None when it has none.

    Example:
        >>> own_origin("http://localhost:8765", frozenset({"localhost"}), "http", 8765)
        True
        >>> own_origin("http://localhost:3000", frozenset({"localhost"}), "http", 8765)
        False
    """
    parts = _parts(origin.lower())
    if parts is None or port is None:
        return False
    theirs, name, given = parts
    return (
        theirs == scheme and name in names and port == (_PORTS[scheme] if given is None else given)
    )


def _parts(origin: str) -> tuple[str, str, int | None] | None:
    found = _ORIGIN.fullmatch(origin)
    place = None if found is None else split_host(found[2])
    return None if found is None or place is None else (found[1], *place)
