"""HTTP over a bare socket: what is sent is what the test says, byte for byte."""

from __future__ import annotations

import socket

__all__ = ["Wire"]


class Wire:
    """One connection after another to a port of this machine.

    Args:
        port: Where somebody listens.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._held = b""

    def ask(self, sent: bytes) -> int:
        """Send a request and return the status of its answer."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        self._socket.sendall(sent)
        head = self._until(b"\r\n\r\n").lower()
        status = int(head[9:12])
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if b"transfer-encoding: chunked" in head:
            self._take_chunks()
        elif not sent.startswith(b"HEAD "):
            self._take(int(length or b"0"))
        if b"connection: close" in head:
            self.close()
        return status

    def _until(self, end: bytes) -> bytes:
        while end not in self._held:
            self._more()
        found, _, self._held = self._held.partition(end)
        return found

    def _take_chunks(self) -> None:
        while size := int(self._until(b"\r\n"), 16):
            self._take(size + len(b"\r\n"))
        self._until(b"\r\n")

    def _take(self, size: int) -> None:
        while len(self._held) < size:
            self._more()
        self._held = self._held[size:]

    def _more(self) -> None:
        assert self._socket is not None
        read = self._socket.recv(65_536)
        assert read, "the service closed the connection before it had answered"
        self._held += read

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._held = None, b""
