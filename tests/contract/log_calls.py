"""The log as a whole through each interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from vstash import Client, Memory

__all__ = ["LogCalls", "LogOverCli", "LogOverMemory", "LogOverRest"]

JsonDict = dict[str, Any]


class LogCalls(Protocol):
    """What sums up the log, and what removes from it."""

    def disagreement_report(self, collection: str | None = None) -> JsonDict:
        """Sum up the log of a collection, None for all."""
        ...

    def redact_log(self, collection: str | None = None) -> JsonDict:
        """Remove what was asked in a collection, None for all."""
        ...


class LogOverMemory:
    """`Memory` in this process, or what has its methods."""

    _memory: Memory | Client
    _call: Callable[..., JsonDict]

    def disagreement_report(self, collection: str | None = None) -> JsonDict:
        """Sum up the log."""
        return self._call(lambda: self._memory.disagreement_report(collection=collection))

    def redact_log(self, collection: str | None = None) -> JsonDict:
        """Remove what was asked."""
        return self._call(lambda: self._memory.redact_log(collection=collection))


class LogOverCli:
    """The command line."""

    run: Callable[..., JsonDict]

    def disagreement_report(self, collection: str | None = None) -> JsonDict:
        """Sum up the log."""
        return self.run("disagreements", "--report", *_named(collection))

    def redact_log(self, collection: str | None = None) -> JsonDict:
        """Remove what was asked."""
        return self.run("disagreements", "--redact", "--yes", *_named(collection))


class LogOverRest:
    """The REST API."""

    send: Callable[..., JsonDict]

    def disagreement_report(self, collection: str | None = None) -> JsonDict:
        """Sum up the log."""
        query = "" if collection is None else f"?collection={collection}"
        return self.send("GET", f"/v1/disagreements/report{query}")

    def redact_log(self, collection: str | None = None) -> JsonDict:
        """Remove what was asked."""
        body = {} if collection is None else {"collection": collection}
        return self.send("POST", "/v1/disagreements:redact", body)


def _named(collection: str | None) -> list[str]:
    return [] if collection is None else [f"--collection={collection}"]
