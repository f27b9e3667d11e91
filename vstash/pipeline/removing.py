"""Removing many documents at once: by a filter, or with their collection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from vstash.filters import parse
from vstash.pipeline.documents import require_collection
from vstash.pipeline.once import settle
from vstash.pipeline.prepare import checked_collection
from vstash.reports import DeletedDocument, DeleteReport
from vstash.types import Document, JsonObject

if TYPE_CHECKING:
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.record import Logged
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.store.writer import Writer

__all__ = ["Removing"]

_SAMPLE: Final = 20

Found = Sequence[tuple[int, Document]]


class Removing:
    """Removes documents by the many.

    Args:
        store: The file.
        recorder: Of the log, which holds searches back for a moment.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, recorder: Recorder[Logged], clock: Callable[[], int]) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock

    def delete_many(
        self, tree: JsonObject, *, collection: str | None, dry_run: bool
    ) -> DeleteReport:
        """Remove what a filter matches; see `Memory.delete_many`."""
        name, where = checked_collection(collection), parse(tree)

        def matching(reader: Reader) -> Found:
            require_collection(reader, name)
            return reader.page(name, where, after=0, limit=-1, now=self._clock())

        return self._removed(matching, dry_run=dry_run)

    def delete_collection(self, name: str, *, dry_run: bool) -> DeleteReport:
        """Remove a collection; see `Memory.delete_collection`."""
        checked = checked_collection(name)
        self._recorder.flush()

        def all_of(reader: Reader) -> Found:
            require_collection(reader, checked)
            return reader.all_of(checked)

        return self._removed(
            all_of, dry_run=dry_run, last=lambda writer: writer.delete_collection(checked)
        )

    def _removed(
        self,
        find: Callable[[Reader], Found],
        *,
        dry_run: bool,
        last: Callable[[Writer], None] | None = None,
    ) -> DeleteReport:
        if dry_run:
            with self._store.read() as reader:
                return _report(find(reader), dry_run=True)
        with self._store.write() as writer:
            found = find(writer)
            for number, _ in found:
                writer.delete(number)
            if last is not None:
                last(writer)
            report = _report(found, dry_run=False)
            settle(writer, report)
            return report


def _report(found: Found, *, dry_run: bool) -> DeleteReport:
    return DeleteReport(
        documents=len(found),
        chunks=sum(document.chunk_count for _, document in found),
        dry_run=dry_run,
        sample=tuple(DeletedDocument(each.id, each.key) for _, each in found[:_SAMPLE]),
    )
