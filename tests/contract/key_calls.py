"""Access keys through each interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

from vstash import Client, Memory
from vstash.wire import parse_time

__all__ = ["KeyCalls", "KeysOverCli", "KeysOverMemory", "KeysOverRest"]

JsonDict = dict[str, Any]


class KeyCalls(Protocol):
    """What every interface offers for access keys."""

    def create_key(self, name: str, **fields: object) -> JsonDict:
        """Make a key: ``key`` and ``secret``; the fields are those of `Memory.create_key`."""
        ...

    def keys(self) -> list[JsonDict]:
        """List all keys."""
        ...

    def revoke_key(self, id: str) -> JsonDict:
        """Revoke a key."""
        ...


class KeysOverMemory:
    """By the methods of `Memory`."""

    _memory: Memory | Client
    _call: Callable[[Callable[[], object]], JsonDict]

    def create_key(self, name: str, **fields: Any) -> JsonDict:
        """Make a key."""

        def make() -> object:
            until = fields.pop("expires_at", None)
            expires_at = parse_time(until, pointer="/expires_at") if until else None
            return self._memory.create_key(name, expires_at=expires_at, **fields)

        return self._call(make)

    def keys(self) -> list[JsonDict]:
        """List all keys."""
        return list(self._call(lambda: {"items": self._memory.keys()})["items"])

    def revoke_key(self, id: str) -> JsonDict:
        """Revoke a key."""
        return self._call(lambda: self._memory.revoke_key(id))


class KeysOverCli:
    """By the commands."""

    run: Callable[..., JsonDict]

    def create_key(self, name: str, **fields: object) -> JsonDict:
        """Make a key."""
        until = fields.pop("expires_at", None)
        named = fields if until is None else {**fields, "expires": until}
        options = [f"--{option}={value}" for option, value in named.items()]
        return self.run("keys", "create", *options, "--", name)

    def keys(self) -> list[JsonDict]:
        """List all keys."""
        return list(self.run("keys", "list")["items"])

    def revoke_key(self, id: str) -> JsonDict:
        """Revoke a key."""
        return self.run("keys", "revoke", "--", id)


class KeysOverRest:
    """By the routes."""

    send: Callable[..., JsonDict]

    def create_key(self, name: str, **fields: object) -> JsonDict:
        """Make a key."""
        return self.send("POST", "/v1/keys", {"name": name, **fields})

    def keys(self) -> list[JsonDict]:
        """List all keys."""
        return list(self.send("GET", "/v1/keys")["items"])

    def revoke_key(self, id: str) -> JsonDict:
        """Revoke a key."""
        return self.send("DELETE", f"/v1/keys/{quote(id, safe='')}")
