"""Conditions, chunks, deletions of many and collections, through each interface."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

from vstash import Client, Memory
from vstash.wire import to_json

if TYPE_CHECKING:
    from tests.contract.interface import JsonDict

__all__ = ["Data", "DataOverCli", "DataOverMemory", "DataOverRest"]


class Data(Protocol):
    """What every interface offers beyond single documents and searches.

    ``if_match`` is an etag; None leaves a parameter to its default.
    """

    def add_if(self, text: str, *, key: str, **conditions: object) -> JsonDict:
        """Store a document under ``if_absent`` or ``if_match``."""
        ...

    def update_if(self, id: str, *, title: str, if_match: str) -> JsonDict:
        """Change the title of a document."""
        ...

    def replace_if(self, id: str, text: str, *, if_match: str) -> JsonDict:
        """Replace a document; the command line has no such command."""
        ...

    def delete_if(self, id: str, *, if_match: str) -> None:
        """Remove a document."""
        ...

    def get_with(self, id: str, include: Sequence[str]) -> JsonDict:
        """Read a document with its text, its chunks, both or neither."""
        ...

    def chunks(self, id: str, *, limit: object = None, cursor: str | None = None) -> JsonDict:
        """List the chunks of a document: ``items`` and ``next_cursor``."""
        ...

    def around(self, chunk_id: object, *, before: object, after: object) -> JsonDict:
        """Read a chunk with its neighbours: ``chunk``, ``before``, ``after``."""
        ...

    def delete_many(self, filter: object, **fields: object) -> JsonDict:
        """Remove what a filter matches; the fields are those of `Memory.delete_many`."""
        ...

    def collections(self) -> list[JsonDict]:
        """What each collection holds."""
        ...

    def collection(self, name: str) -> JsonDict:
        """What one collection holds."""
        ...

    def delete_collection(self, name: str, *, dry_run: bool = False) -> JsonDict:
        """Remove a collection."""
        ...

    def compact(self) -> JsonDict:
        """Remove what has expired."""
        ...

    def log_of(self, collection: str | None) -> tuple[JsonDict, JsonDict]:
        """The first pages of disagreements and of judged searches."""
        ...

    def feedback_in(self, collection: str, search_id: str, chunk_id: int) -> JsonDict:
        """Say that a chunk was helpful for a search of this collection."""
        ...


class DataOverMemory:
    """`Memory` in this process, or what has its methods."""

    _memory: Memory | Client
    _call: Callable[[Callable[[], object]], JsonDict]

    def _all(self, action: Callable[[], object]) -> Any:
        return self._call(lambda: {"value": to_json(action())})["value"]

    def add_if(self, text: str, *, key: str, **conditions: Any) -> JsonDict:
        """Store a document."""
        return self._call(lambda: self._memory.add(text, key=key, **conditions))

    def update_if(self, id: str, *, title: str, if_match: str) -> JsonDict:
        """Change a title."""
        return self._call(lambda: self._memory.update(id, title=title, if_match=if_match))

    def replace_if(self, id: str, text: str, *, if_match: str) -> JsonDict:
        """Replace a document."""
        return self._call(lambda: self._memory.replace(id, text, if_match=if_match))

    def delete_if(self, id: str, *, if_match: str) -> None:
        """Remove a document."""
        self._call(lambda: self._memory.delete(id, if_match=if_match))

    def get_with(self, id: str, include: Sequence[Any]) -> JsonDict:
        """Read a document."""
        return self._call(lambda: self._memory.get(id, include=include))

    def chunks(self, id: str, *, limit: Any = None, cursor: str | None = None) -> JsonDict:
        """List chunks."""
        size = 100 if limit is None else limit
        return self._call(lambda: self._memory.chunks(id, limit=size, cursor=cursor))

    def around(self, chunk_id: Any, *, before: Any, after: Any) -> JsonDict:
        """Read a chunk with its neighbours."""
        return self._call(lambda: self._memory.around(chunk_id, before=before, after=after))

    def delete_many(self, filter: Any, **fields: Any) -> JsonDict:
        """Remove what a filter matches."""
        return self._call(lambda: self._memory.delete_many(filter, **fields))

    def collections(self) -> list[JsonDict]:
        """What each collection holds."""
        found: list[JsonDict] = self._all(self._memory.collections)
        return found

    def collection(self, name: str) -> JsonDict:
        """What one holds."""
        return self._call(lambda: self._memory.collection(name))

    def delete_collection(self, name: str, *, dry_run: bool = False) -> JsonDict:
        """Remove one."""
        return self._call(lambda: self._memory.delete_collection(name, dry_run=dry_run))

    def compact(self) -> JsonDict:
        """Remove what has expired."""
        return self._call(self._memory.compact)

    def log_of(self, collection: str | None) -> tuple[JsonDict, JsonDict]:
        """Disagreements and judged searches."""
        return (
            self._call(lambda: self._memory.disagreements(collection=collection)),
            self._call(lambda: self._memory.judged_searches(collection=collection)),
        )

    def feedback_in(self, collection: str, search_id: str, chunk_id: int) -> JsonDict:
        """Give feedback."""
        return self._call(
            lambda: self._memory.feedback(search_id, chunk_id, "helpful", collection=collection)
        )


class DataOverCli:
    """The command line."""

    run: Callable[..., JsonDict]

    def add_if(self, text: str, *, key: str, **conditions: object) -> JsonDict:
        """Store a document."""
        words = [f"--key={key}"]
        if conditions.get("if_absent"):
            words.append("--if-absent")
        if "if_match" in conditions:
            words.append(f"--if-match={conditions['if_match']}")
        return self.run("add", *words, "--", text)

    def update_if(self, id: str, *, title: str, if_match: str) -> JsonDict:
        """Change a title."""
        return self.run("update", f"--title={title}", f"--if-match={if_match}", "--", id)

    def replace_if(self, id: str, text: str, *, if_match: str) -> JsonDict:
        """The command line has no such command."""
        raise NotImplementedError

    def delete_if(self, id: str, *, if_match: str) -> None:
        """Remove a document."""
        self.run("delete", f"--if-match={if_match}", "--", id)

    def get_with(self, id: str, include: Sequence[str]) -> JsonDict:
        """Read a document."""
        return self.run("get", f"--include={','.join(include)}", "--", id)

    def chunks(self, id: str, *, limit: object = None, cursor: str | None = None) -> JsonDict:
        """List chunks."""
        given = {"limit": limit, "cursor": cursor}
        words = [f"--{name}={value}" for name, value in given.items() if value is not None]
        return self.run("chunks", *words, "--", id)

    def around(self, chunk_id: object, *, before: object, after: object) -> JsonDict:
        """Read a chunk with its neighbours."""
        return self.run("get", f"--chunk={chunk_id}", f"--before={before}", f"--after={after}")

    def delete_many(self, filter: object, **fields: object) -> JsonDict:
        """Remove what a filter matches."""
        words = [f"--filter={json.dumps(filter)}"]
        if fields.get("collection") is not None:
            words.append(f"--collection={fields['collection']}")
        words.append("--dry-run" if fields.get("dry_run") else "--yes")
        return self.run("delete", *words)

    def collections(self) -> list[JsonDict]:
        """What each collection holds."""
        found: list[JsonDict] = self.run("collections")["collections"]
        return found

    def collection(self, name: str) -> JsonDict:
        """What one holds."""
        return self.run("collections", "--", name)

    def delete_collection(self, name: str, *, dry_run: bool = False) -> JsonDict:
        """Remove one."""
        word = "--dry-run" if dry_run else "--yes"
        return self.run("collections", "--delete", word, "--", name)

    def compact(self) -> JsonDict:
        """Remove what has expired."""
        return self.run("compact")

    def log_of(self, collection: str | None) -> tuple[JsonDict, JsonDict]:
        """Disagreements and judged searches."""
        words = [] if collection is None else [f"--collection={collection}"]
        return self.run("disagreements", *words), self.run("feedback", "--list", *words)

    def feedback_in(self, collection: str, search_id: str, chunk_id: int) -> JsonDict:
        """Give feedback."""
        where = f"--collection={collection}"
        return self.run("feedback", where, "--", search_id, str(chunk_id), "helpful")


def _path(id: str, rest: str = "") -> str:
    return f"/v1/documents/{quote(id, safe='')}{rest}"


def _query(**given: object) -> str:
    return "?" + urlencode({name: value for name, value in given.items() if value is not None})


class DataOverRest:
    """The REST API."""

    send: Callable[..., JsonDict]

    def add_if(self, text: str, *, key: str, **conditions: object) -> JsonDict:
        """Store a document."""
        if conditions.get("if_absent"):
            body = {"text": text, "key": key}
            return self.send("POST", "/v1/documents", body, headers={"If-None-Match": "*"})
        headers = _if_match(conditions["if_match"])
        return self.send("PUT", "/v1/documents" + _query(key=key), {"text": text}, headers=headers)

    def update_if(self, id: str, *, title: str, if_match: str) -> JsonDict:
        """Change a title."""
        return self.send("PATCH", _path(id), {"title": title}, headers=_if_match(if_match))

    def replace_if(self, id: str, text: str, *, if_match: str) -> JsonDict:
        """Replace a document."""
        return self.send("PUT", _path(id), {"text": text}, headers=_if_match(if_match))

    def delete_if(self, id: str, *, if_match: str) -> None:
        """Remove a document."""
        self.send("DELETE", _path(id), headers=_if_match(if_match))

    def get_with(self, id: str, include: Sequence[str]) -> JsonDict:
        """Read a document."""
        return self.send("GET", _path(id, _query(include=",".join(include))))

    def chunks(self, id: str, *, limit: object = None, cursor: str | None = None) -> JsonDict:
        """List chunks."""
        return self.send("GET", _path(id, "/chunks" + _query(limit=limit, cursor=cursor)))

    def around(self, chunk_id: object, *, before: object, after: object) -> JsonDict:
        """Read a chunk with its neighbours."""
        query = _query(before=before, after=after)
        return self.send("GET", f"/v1/chunks/{chunk_id}/around{query}")

    def delete_many(self, filter: object, **fields: object) -> JsonDict:
        """Remove what a filter matches."""
        return self.send("POST", "/v1/documents:delete", {"filter": filter, **fields})

    def collections(self) -> list[JsonDict]:
        """What each collection holds."""
        found: list[JsonDict] = self.send("GET", "/v1/collections")["collections"]
        return found

    def collection(self, name: str) -> JsonDict:
        """What one holds."""
        return self.send("GET", f"/v1/collections/{quote(name, safe='')}")

    def delete_collection(self, name: str, *, dry_run: bool = False) -> JsonDict:
        """Remove one."""
        query = _query(dry_run="true" if dry_run else None)
        return self.send("DELETE", f"/v1/collections/{quote(name, safe='')}{query}")

    def compact(self) -> JsonDict:
        """Remove what has expired."""
        return self.send("POST", "/v1/compact")

    def log_of(self, collection: str | None) -> tuple[JsonDict, JsonDict]:
        """Disagreements and judged searches."""
        query = _query(collection=collection)
        return self.send("GET", "/v1/disagreements" + query), self.send(
            "GET", "/v1/feedback" + query
        )

    def feedback_in(self, collection: str, search_id: str, chunk_id: int) -> JsonDict:
        """Give feedback."""
        given = {"search_id": search_id, "chunk_id": chunk_id, "verdict": "helpful"}
        return self.send("POST", "/v1/feedback", {**given, "collection": collection})


def _if_match(etag: object) -> Mapping[str, str]:
    return {"If-Match": "*" if etag == "*" else f'"{etag}"'}
