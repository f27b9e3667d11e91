"""Forgetting and compaction through each interface."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from vstash import Client, Memory

__all__ = ["ForgetCalls", "ForgetOverCli", "ForgetOverMemory", "ForgetOverRest"]

JsonDict = dict[str, Any]


class ForgetCalls(Protocol):
    """What leaves nothing of what is gone."""

    def forget(self, document_id: str | None = None, **fields: object) -> JsonDict:
        """Forget documents; the fields are those of `Memory.forget`."""
        ...

    def compact_full(self) -> JsonDict:
        """Compact, and write the file anew."""
        ...


class ForgetOverMemory:
    """`Memory` in this process, or what has its methods."""

    _memory: Memory | Client
    _call: Callable[..., JsonDict]

    def forget(self, document_id: Any = None, **fields: Any) -> JsonDict:
        """Forget documents."""
        return self._call(lambda: self._memory.forget(document_id, **fields))

    def compact_full(self) -> JsonDict:
        """Write the file anew."""
        return self._call(lambda: self._memory.compact(full=True))


class ForgetOverCli:
    """The command line."""

    run: Callable[..., JsonDict]

    def forget(self, document_id: str | None = None, **fields: Any) -> JsonDict:
        """Forget documents."""
        words = ["--dry-run" if fields.pop("dry_run", False) else "--yes"]
        if "where" in fields:
            fields["where"] = json.dumps(fields["where"])
        words += [f"--{name}={value}" for name, value in fields.items() if value is not None]
        named = [] if document_id is None else ["--", document_id]
        return self.run("forget", *words, *named)

    def compact_full(self) -> JsonDict:
        """Write the file anew."""
        return self.run("compact", "--full")


class ForgetOverRest:
    """The REST API."""

    send: Callable[..., JsonDict]

    def forget(self, document_id: str | None = None, **fields: object) -> JsonDict:
        """Forget documents."""
        named = {} if document_id is None else {"document_id": document_id}
        return self.send("POST", "/v1/documents:forget", {**named, **fields})

    def compact_full(self) -> JsonDict:
        """Write the file anew."""
        return self.send("POST", "/v1/compact?full=true")
