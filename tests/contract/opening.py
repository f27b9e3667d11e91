"""Opening a file through any of the interfaces."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.contract.cli_interface import CliInterface
from tests.contract.client_interface import ClientInterface
from tests.contract.interface import Interface, Kind
from tests.contract.memory_interface import MemoryInterface
from tests.contract.rest_interface import RestInterface

__all__ = ["Opener", "Shared"]


class Opener:
    """Opens files through one interface and closes them at the end.

    Args:
        kind: Which interface.
        later: What does not have to be done before the next test.
    """

    def __init__(self, kind: Kind, later: ExitStack) -> None:
        self._kind = kind
        self._later = later
        self._opened: list[Interface] = []

    def __call__(self, path: Path, settings: dict[str, str] | None = None) -> Interface:
        """Open a file.

        Args:
            path: The file; it is made when it is missing.
            settings: Settings by name, as text.
        """
        chosen = settings or {}
        opened: Interface
        if self._kind == "memory":
            opened = MemoryInterface(path, chosen)
        elif self._kind == "cli":
            opened = CliInterface(path, chosen)
        elif self._kind == "rest":
            opened = RestInterface(path, chosen, self._later)
        else:
            opened = ClientInterface(path, chosen, self._later)
        self._opened.append(opened)
        return opened

    def close(self) -> None:
        """Close what was opened, the last first."""
        while self._opened:
            self._opened.pop().close()


class Shared:
    """One file for many tests that do not change it, opened once through each interface.

    Args:
        path: The file.
        later: What does not have to be done before the next test.
    """

    def __init__(self, path: Path, later: ExitStack) -> None:
        self.path = path
        self._later = later
        self._opened: dict[Kind, Interface] = {}

    def through(self, kind: Kind) -> Interface:
        """The file through one of the interfaces."""
        if kind not in self._opened:
            opener = Opener(kind, self._later)
            self._opened[kind] = opener(self.path)
            # After it opened, since what is to be done later is done from the end: a server is
            # told to stop before anybody waits for it.
            self._later.callback(opener.close)
        return self._opened[kind]
