"""The socket that the service listens on: of a port, a Unix socket, or one given by systemd."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final

import msgspec

from vstash.api.hosts import host_address
from vstash.errors import SettingsError
from vstash.settings import Settings

__all__ = ["BACKLOG", "address_of", "bind", "check_tls", "listening"]

BACKLOG: Final = 128
# The first descriptor that systemd passes (sd_listen_fds(3)).
_FIRST_GIVEN: Final = 3


@contextmanager
def listening(
    settings: Settings, environment: Mapping[str, str] = os.environ
) -> Iterator[tuple[socket.socket, Settings]]:
    """Hold a listening socket, and remove it at the end if it is a Unix socket of ours.

    Args:
        settings: ``host`` and ``port``, or ``uds``.
        environment: Where systemd says what it passes; the socket that it passes wins.

    Yields:
        The socket, and the settings as they came to be: with the address of a socket that was passed.

    Raises:
        SettingsError: When the address is taken or not allowed.
    """
    given = _given(environment)
    if given is not None:
        with given:
            yield given, _as_given(given, settings)
        return
    with bind(settings) as listener:
        made = _identity(settings.uds)
        try:
            yield listener, settings
        finally:
            if made is not None and _identity(settings.uds) == made:
                Path(settings.uds).unlink()


def bind(settings: Settings) -> socket.socket:
    """A listening socket at ``uds``, or else at ``host`` and ``port``.

    Raises:
        SettingsError: When the address is malformed, taken or not allowed.
    """
    return _bind_path(settings.uds) if settings.uds else _bind_port(settings.host, settings.port)


def address_of(listener: socket.socket, *, tls: bool = False) -> str:
    """The address of a listening socket: ``http://127.0.0.1:8765``, or the path of a Unix socket.

    Args:
        listener: The socket.
        tls: Whether HTTPS is spoken there.
    """
    name = listener.getsockname()
    if not isinstance(name, tuple):
        return os.fsdecode(name)
    scheme = "https" if tls else "http"
    return (
        f"{scheme}://[{name[0]}]:{name[1]}" if ":" in name[0] else f"{scheme}://{name[0]}:{name[1]}"
    )


def check_tls(settings: Settings) -> None:
    """See that certificate and key can be used, if there are any.

    Raises:
        SettingsError: When one is missing or unreadable, or they do not belong together.
    """
    for one, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if getattr(settings, one) and not getattr(settings, other):
            raise SettingsError(f"{one} needs {other} beside it.", pointer=f"/{other}")
    if not settings.tls_cert:
        return
    try:
        # Without a password nobody is asked for one, which would stop a service that nobody sees.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, password=""
        )
    except (OSError, ValueError) as error:
        raise SettingsError(
            "tls_cert and tls_key must be a certificate chain and its private key without a "
            "password, both in PEM and readable.",
            pointer="/tls_cert",
            local_detail=f"{settings.tls_cert}, {settings.tls_key}: {error.strerror or 'malformed'}"
            if isinstance(error, OSError)
            else settings.tls_key,
        ) from error


def _bind_port(host: str, port: int) -> socket.socket:
    address = host_address(host)
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that say they are TCP; without that every
    # answer waits 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address), port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        detail = f"{address}: {error.strerror}"
        if error.errno == errno.EADDRNOTAVAIL:
            raise SettingsError(
                "host is no address of this machine: choose one that it has, or 0.0.0.0 for all.",
                pointer="/host",
                local_detail=detail,
            ) from error
        raise SettingsError(
            f"vstash cannot listen on port {port}: it is taken or not allowed. Choose another, or 0 "
            "for any that is free.",
            pointer="/port",
            local_detail=detail,
        ) from error
    return listener


def _bind_path(path: str) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise SettingsError("This system has no Unix sockets: use a port.", pointer="/uds")
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The mode is there from the first moment; a later chmod would leave one in which others get in.
    before = os.umask(0o177)
    try:
        listener.bind(path)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(
            "vstash cannot make the Unix socket: the folder must be there and writable, and the path "
            "short (about 100 bytes).",
            pointer="/uds",
            local_detail=f"{path}: {error.strerror or error}",
        ) from error
    finally:
        os.umask(before)
    return listener


def _clear(path: str) -> None:
    """Remove the socket of a service that ended without doing so; nothing else is removed."""
    try:
        found = os.lstat(path)
    except OSError:
        # If it is more than missing, binding says so.
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise SettingsError(
            "Something that is not a socket stands where the Unix socket should be: choose another "
            "path.",
            pointer="/uds",
            local_detail=path,
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A queue that is full would keep us waiting.
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            with suppress(OSError):
                Path(path).unlink()
            return
        except OSError:
            # Whose it is cannot be told: binding will say that it is taken.
            return
    raise SettingsError(
        "Another service listens on this Unix socket: stop it, or choose another path.",
        pointer="/uds",
        local_detail=path,
    )


def _identity(path: str) -> tuple[int, int] | None:
    """What tells a socket's file from one that somebody put in its place."""
    if not path:
        return None
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _given(environment: Mapping[str, str]) -> socket.socket | None:
    """The socket that systemd passed to this process, None for none."""
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return None
    given = None
    if environment.get("LISTEN_FDS") == "1":
        with suppress(OSError):
            given = socket.socket(fileno=_FIRST_GIVEN)
    if given is None:
        raise _unfit()
    given.set_inheritable(False)
    accepts = given.type == socket.SOCK_STREAM and _accepts(given)
    if not accepts or given.family not in _families():
        given.close()
        raise _unfit()
    return given


def _accepts(given: socket.socket) -> bool:
    return bool(given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _families() -> tuple[int, ...]:
    return (socket.AF_INET, socket.AF_INET6, getattr(socket, "AF_UNIX", socket.AF_INET))


def _unfit() -> SettingsError:
    return SettingsError(
        "The service takes exactly one socket from systemd: one ListenStream=, with Accept=no.",
        pointer="/host",
    )


def _as_given(given: socket.socket, settings: Settings) -> Settings:
    name = given.getsockname()
    if isinstance(name, tuple):
        # A zone, as in fe80::1%eth0, says nothing of who can reach it.
        host = str(name[0]).partition("%")[0]
        return msgspec.structs.replace(settings, host=host, port=int(name[1]), uds="")
    path = os.fsdecode(name)
    # Whoever may write to a Unix socket may use it. systemd lets everybody by default.
    private = path.startswith("/") and not stat.S_IMODE(os.lstat(path).st_mode) & 0o077
    return msgspec.structs.replace(
        settings,
        uds=path or "a socket without a name",
        require_key=settings.require_key or not private,
    )
