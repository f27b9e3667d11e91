"""Backups through each interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

from vstash import Client, Memory

__all__ = ["BackupCalls", "BackupsOverCli", "BackupsOverMemory", "BackupsOverRest"]

JsonDict = dict[str, Any]


class BackupCalls(Protocol):
    """What every interface offers for backups."""

    def backup(self) -> JsonDict:
        """Make one in the folder of backups."""
        ...

    def backups(self) -> list[JsonDict]:
        """List them."""
        ...

    def delete_backup(self, name: str) -> JsonDict:
        """Remove one."""
        ...

    def restore(self, name: str, *, force: bool = False) -> JsonDict:
        """Bring one back."""
        ...


class BackupsOverMemory:
    """By the methods of `Memory`."""

    _memory: Memory | Client
    _call: Callable[[Callable[[], object]], JsonDict]

    def backup(self) -> JsonDict:
        """Make one."""
        return self._call(lambda: self._memory.backup())  # noqa: PLW0108 - two kinds of method

    def backups(self) -> list[JsonDict]:
        """List them."""
        return list(self._call(lambda: {"items": self._memory.backups()})["items"])

    def delete_backup(self, name: str) -> JsonDict:
        """Remove one."""
        return self._call(lambda: self._memory.delete_backup(name))

    def restore(self, name: str, *, force: bool = False) -> JsonDict:
        """Bring one back."""
        return self._call(lambda: self._memory.restore(name, force=force))


class BackupsOverCli:
    """By the commands."""

    run: Callable[..., JsonDict]

    def backup(self) -> JsonDict:
        """Make one."""
        return self.run("backup")

    def backups(self) -> list[JsonDict]:
        """List them."""
        return list(self.run("backups")["items"])

    def delete_backup(self, name: str) -> JsonDict:
        """Remove one."""
        return self.run("backups", f"--delete={name}")

    def restore(self, name: str, *, force: bool = False) -> JsonDict:
        """Bring one back."""
        return self.run("restore", *(["--force"] if force else []), "--", name)


class BackupsOverRest:
    """By the routes."""

    send: Callable[..., JsonDict]

    def backup(self) -> JsonDict:
        """Make one."""
        return self.send("POST", "/v1/backups")

    def backups(self) -> list[JsonDict]:
        """List them."""
        return list(self.send("GET", "/v1/backups")["items"])

    def delete_backup(self, name: str) -> JsonDict:
        """Remove one."""
        return self.send("DELETE", f"/v1/backups/{quote(name, safe='')}")

    def restore(self, name: str, *, force: bool = False) -> JsonDict:
        """Bring one back."""
        place = f"/v1/backups/{quote(name, safe='')}:restore"
        return self.send("POST", place, {"force": force})
