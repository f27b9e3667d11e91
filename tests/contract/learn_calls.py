"""What was learnt, through each of the interfaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from vstash import Client, Memory

__all__ = ["LearnCalls", "LearnOverCli", "LearnOverMemory", "LearnOverRest"]

JsonDict = dict[str, Any]


class LearnCalls(Protocol):
    """What every interface offers; values are JSON in the form of `vstash.wire.to_json`."""

    def learned(self, **fields: object) -> JsonDict:
        """List what was learnt: ``items`` and ``next_cursor``."""
        ...

    def promote(self, id: str, **fields: object) -> JsonDict:
        """Use something that was learnt."""
        ...

    def rollback(self, **fields: object) -> JsonDict:
        """Go back to what was in use before: ``switched``."""
        ...

    def auto_learning(self) -> JsonDict:
        """Say whether a service learns by itself: ``on``, ``collections``."""
        ...


class LearnOverMemory:
    """By the methods of `Memory`."""

    _memory: Memory | Client
    _call: Callable[[Callable[[], object]], JsonDict]

    def learned(self, **fields: Any) -> JsonDict:
        """List what was learnt."""
        return self._call(lambda: self._memory.learned(**fields))

    def promote(self, id: str, **fields: Any) -> JsonDict:
        """Use something that was learnt."""
        return self._call(lambda: self._memory.promote(id, **fields))

    def rollback(self, **fields: Any) -> JsonDict:
        """Go back to what was in use before."""
        return self._call(lambda: self._memory.rollback(**fields))

    def auto_learning(self) -> JsonDict:
        """Say whether a service learns by itself."""
        return self._call(self._memory.auto_learning)


class LearnOverCli:
    """By the commands."""

    run: Callable[..., JsonDict]

    def learned(self, **fields: object) -> JsonDict:
        """List what was learnt."""
        return self.run("learn", "history", *_options(fields))

    def promote(self, id: str, **fields: object) -> JsonDict:
        """Use something that was learnt."""
        how = ("--force",) if fields.pop("force", False) else ()
        return self.run("learn", "promote", *how, *_options(fields), "--", id)

    def rollback(self, **fields: object) -> JsonDict:
        """Go back to what was in use before."""
        return self.run("learn", "rollback", *_options(fields))

    def auto_learning(self) -> JsonDict:
        """Say whether a service learns by itself."""
        return self.run("learn", "auto")


class LearnOverRest:
    """By the routes."""

    send: Callable[..., JsonDict]

    def learned(self, **fields: object) -> JsonDict:
        """List what was learnt."""
        return self.send("GET", f"/v1/learned?{urlencode(fields)}")

    def promote(self, id: str, **fields: object) -> JsonDict:
        """Use something that was learnt."""
        return self.send("POST", f"/v1/learned/{quote(id, safe='')}:promote", fields)

    def rollback(self, **fields: object) -> JsonDict:
        """Go back to what was in use before."""
        return self.send("POST", "/v1/learned:rollback", fields)

    def auto_learning(self) -> JsonDict:
        """Say whether a service learns by itself."""
        return self.send("GET", "/v1/learned:auto")


def _options(fields: dict[str, object]) -> list[str]:
    return [word for name, value in fields.items() for word in (f"--{name}", str(value))]
