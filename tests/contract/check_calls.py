"""Checks and repairs, through each of the interfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from vstash import Client, Memory

__all__ = ["CheckCalls", "CheckOverCli", "CheckOverMemory", "CheckOverRest"]

JsonDict = dict[str, Any]


class CheckCalls(Protocol):
    """What every interface offers; values are JSON in the form of `vstash.wire.to_json`."""

    def check(self, *, level: str | None = None) -> JsonDict:
        """Compare the parts of the file: ``findings``."""
        ...

    def repair(self, *, accept_content: bool = False) -> JsonDict:
        """Derive anew what is wrong: ``found``, ``repaired``, ``left``."""
        ...


class CheckOverMemory:
    """By the methods of `Memory`."""

    _memory: Memory | Client
    _call: Callable[[Callable[[], object]], JsonDict]

    def check(self, *, level: Any = None) -> JsonDict:
        """Compare the parts of the file."""
        given = {} if level is None else {"level": level}
        return self._call(lambda: self._memory.check(**given))

    def repair(self, *, accept_content: bool = False) -> JsonDict:
        """Derive anew what is wrong."""
        return self._call(lambda: self._memory.repair(accept_content=accept_content))


class CheckOverCli:
    """By the command, which tells findings with exit code 1."""

    run: Callable[..., JsonDict]

    def check(self, *, level: str | None = None) -> JsonDict:
        """Compare the parts of the file."""
        quick = ("--quick",) if level == "quick" else ()
        return self.run("check", *quick, fine=frozenset({0, 1}))

    def repair(self, *, accept_content: bool = False) -> JsonDict:
        """Derive anew what is wrong."""
        accept = ("--accept-content",) if accept_content else ()
        return self.run("check", "--repair", *accept, fine=frozenset({0, 1}))


class CheckOverRest:
    """By the routes."""

    send: Callable[..., JsonDict]

    def check(self, *, level: str | None = None) -> JsonDict:
        """Compare the parts of the file."""
        return self.send("POST", "/v1/check" + ("" if level is None else f"?level={level}"))

    def repair(self, *, accept_content: bool = False) -> JsonDict:
        """Derive anew what is wrong."""
        return self.send("POST", "/v1/repair" + ("?accept_content=true" if accept_content else ""))
