"""The contract over the client of the REST API: the calls of `Memory`, sent to a real server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.contract.interface import Kind
from tests.contract.memory_interface import MemoryInterface
from tests.contract.rest_interface import RestInterface
from vstash import Client

__all__ = ["ClientInterface"]


class ClientInterface(MemoryInterface):
    """`Client` in this process, and the service beside it.

    Args:
        path: The file.
        settings: Settings by name, as text.
        later: Waits at its end for the server to be down.
    """

    kind: Kind = "client"

    def __init__(self, path: Path, settings: Mapping[str, str], later: ExitStack) -> None:
        self._server = RestInterface(path, settings, later)
        self._memory = Client(self._server.address)

    def close(self) -> None:
        """Close the client, then the service."""
        self._memory.close()
        self._server.close()
