"""Methods of `Client` on whole collections and the whole file."""

from __future__ import annotations

import os

from vstash.client.base import Arguments, Base, like, segment
from vstash.client.decoding import decoded
from vstash.memory import Memory
from vstash.reports import CollectionInfo, DeleteReport
from vstash.upkeep import CompactReport, ForgetReport

__all__ = ["Collecting"]


class Collecting(Base):
    """Collections, and what keeps the service's file in order."""

    @like(Memory.collections)
    def collections(self, _given: Arguments) -> tuple[CollectionInfo, ...]:
        """Say what each collection holds."""
        found = self._service.send("GET", "/v1/collections")["collections"]
        return tuple(decoded(CollectionInfo, item) for item in found)

    @like(Memory.collection)
    def collection(self, given: Arguments) -> CollectionInfo:
        """Say what one collection holds."""
        place = f"/v1/collections/{segment(given['name'])}"
        return decoded(CollectionInfo, self._service.send("GET", place))

    @like(Memory.delete_collection)
    def delete_collection(self, given: Arguments) -> DeleteReport:
        """Remove a collection."""
        place = f"/v1/collections/{segment(given.pop('name'))}"
        return decoded(DeleteReport, self._service.send("DELETE", place, query=given))

    @like(Memory.compact)
    def compact(self, given: Arguments) -> CompactReport:
        """Remove what has expired, and tidy up the service's file."""
        answer = self._service.send("POST", "/v1/compact", query=given, once=True)
        return decoded(CompactReport, answer)

    @like(Memory.forget)
    def forget(self, given: Arguments) -> ForgetReport:
        """Remove documents without a trace."""
        if isinstance(given.get("source"), os.PathLike):
            given["source"] = os.fspath(given["source"])
        answer = self._service.send("POST", "/v1/documents:forget", body=given, once=True)
        return decoded(ForgetReport, answer)
