"""Forgetting: documents, and all that would still tell of them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vstash.errors import FieldError
from vstash.filters import parse
from vstash.pipeline.documents import BEFORE_ALL, find, require_collection
from vstash.pipeline.lost import Lost, lost_with, queries_telling
from vstash.pipeline.prepare import checked_collection, checked_key
from vstash.pipeline.purging import Purging, Steps
from vstash.reports import DeletedDocument
from vstash.store.traces import Names
from vstash.types import Document, JsonObject
from vstash.upkeep import CompactWatcher, ForgetReport

if TYPE_CHECKING:
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.backups import Backups
    from vstash.pipeline.record import Logged
    from vstash.store.protocol import Store
    from vstash.store.session import Reader

__all__ = ["Forgetting"]

_SAMPLE: Final = 20


class _Target:
    """What is to be forgotten.

    Args:
        document_id: Its id; exactly one of the first four is given.
        key: Its key.
        where: A filter tree.
        source: A path or URL; keys that are it or lie below it are meant. A path object is made
            absolute as `ingest` does.
        collection: Of all but the id.

    Raises:
        FieldError: When none or several are given, or one is malformed.
    """

    def __init__(
        self,
        document_id: str | None,
        *,
        key: str | None,
        where: JsonObject | None,
        source: str | os.PathLike[str] | None,
        collection: str | None,
    ) -> None:
        if sum(each is not None for each in (document_id, key, where, source)) != 1:
            raise FieldError(
                "Give one of: an id, a key, a filter, a source.", pointer="/document_id"
            )
        if document_id is not None and collection is not None:
            raise FieldError("An id needs no collection.", pointer="/collection")
        self.document_id, self.key, self.where = document_id, key, where
        self.collection = collection
        self.below = None if source is None else _checked_source(source)


def _checked_source(source: str | os.PathLike[str]) -> str:
    if isinstance(source, os.PathLike):
        source = Path(source).expanduser().resolve().as_posix()
    checked = checked_key(source, pointer="/source")
    return checked.rstrip("/") or checked


@dataclass(frozen=True, slots=True)
class _Seen:
    """Documents to be forgotten, and the searches that tell of them, at one state of the file.

    Attributes:
        counter: The change counter of that state.
        searches: Numbers of logged searches that tell of them, and the last that was looked at.
        made: The same of queries of which the answer is known.
    """

    counter: int
    documents: Sequence[tuple[int, Document]]
    lost: Lost
    searches: tuple[Sequence[int], int]
    made: tuple[Sequence[int], int]


class Forgetting:
    """Forgets documents.

    Args:
        store: The file.
        recorder: Of the log, which holds searches back for a moment.
        backups: Which keep what they hold.
    """

    def __init__(self, store: Store, recorder: Recorder[Logged], backups: Backups) -> None:
        self._store = store
        self._backups = backups
        self._recorder = recorder
        self._purging = Purging(store)

    def forget(
        self,
        document_id: str | None = None,
        *,
        key: str | None = None,
        where: JsonObject | None = None,
        source: str | os.PathLike[str] | None = None,
        collection: str | None = None,
        dry_run: bool = False,
        progress: CompactWatcher | None = None,
    ) -> ForgetReport:
        """Forget documents; see `Memory.forget`."""
        target = _Target(document_id, key=key, where=where, source=source, collection=collection)
        start = time.perf_counter()
        if not isinstance(dry_run, bool):
            raise FieldError("dry_run is true or false.", pointer="/dry_run")
        self._recorder.flush()
        before = self._store.size()
        with self._store.read() as reader:
            seen = _look(reader, target)
            if dry_run:
                report = _report(seen, _traces(reader, seen, target))
        if not dry_run:
            report = self._forgotten(seen, target)
            purged, emptied, remedy = self._purging.finish(Steps(self._store, progress))
            report = replace(report, purged=purged, log_emptied=emptied, remedy=remedy)
        return replace(
            report,
            dry_run=dry_run,
            sample=report.sample if dry_run else (),
            backups=tuple(path.name for path, _ in self._backups.files()),
            bytes_before=before,
            bytes_after=self._store.size(),
            seconds=round(time.perf_counter() - start, 3),
        )

    def _forgotten(self, seen: _Seen, target: _Target) -> ForgetReport:
        """Remove all of it in one transaction; returns what was removed."""
        with self._store.write() as writer:
            if writer.change_counter != seen.counter:
                # Somebody wrote meanwhile: other words may be theirs alone now.
                seen = _look(writer, target, seen)
            traces = _traces(writer, seen, target)
            for number, _ in seen.documents:
                writer.delete(number)
            writer.traces.remove(
                searches=traces.searches,
                made=traces.made,
                replies=traces.replies,
                jobs=traces.jobs,
            )
            writer.leftovers.begin()
        return _report(seen, traces)


@dataclass(frozen=True, slots=True)
class _Traces:
    """Rows that tell of documents, by number; jobs that have not ended, by id."""

    searches: Sequence[int]
    made: Sequence[int]
    replies: Sequence[int]
    jobs: Sequence[int]
    jobs_open: Sequence[str]


def _look(reader: Reader, target: _Target, before: _Seen | None = None) -> _Seen:
    documents = _documents(reader, target)
    lost = lost_with(reader, documents)
    if before is not None and lost.same(before.lost):
        # Going through all queries again would keep the lock from others for long.
        return replace(before, counter=reader.change_counter, documents=documents)
    searches, made = _telling(reader, lost, after=0), _made(reader, lost, after=0)
    return _Seen(reader.change_counter, documents, lost, searches, made)


def _telling(reader: Reader, lost: Lost, *, after: int) -> tuple[Sequence[int], int]:
    return queries_telling(reader, lost, reader.traces.logged(after=after), after=after)


def _made(reader: Reader, lost: Lost, *, after: int) -> tuple[Sequence[int], int]:
    return queries_telling(reader, lost, reader.mined.telling(after=after), after=after)


def _traces(reader: Reader, seen: _Seen, target: _Target) -> _Traces:
    names = Names(
        (name for _, document in seen.documents for name in (document.id, document.key)),
        target.below,
    )
    (searches, last), (made, last_made) = seen.searches, seen.made
    late, _ = _telling(reader, seen.lost, after=last)
    late_made, _ = _made(reader, seen.lost, after=last_made)
    replies = reader.traces.replies(names, [number for number, _ in seen.documents])
    jobs, jobs_open = reader.traces.jobs(names)
    return _Traces([*searches, *late], [*made, *late_made], replies, jobs, jobs_open)


def _documents(reader: Reader, target: _Target) -> Sequence[tuple[int, Document]]:
    """The documents that are meant, expired ones too."""
    if target.where is not None:
        name, where = checked_collection(target.collection), parse(target.where, pointer="/where")
        require_collection(reader, name)
        return reader.page(name, where, after=0, limit=-1, now=BEFORE_ALL)
    if target.below is not None:
        if target.collection is not None:
            require_collection(reader, checked_collection(target.collection))
        return reader.below(target.below, target.collection)
    return [find(reader, target.document_id, target.key, target.collection, now=BEFORE_ALL)]


def _report(seen: _Seen, traces: _Traces) -> ForgetReport:
    documents = [document for _, document in seen.documents]
    return ForgetReport(
        documents=len(documents),
        chunks=sum(document.chunk_count for document in documents),
        searches=len(traces.searches),
        made_queries=len(traces.made),
        replies=len(traces.replies),
        jobs=len(traces.jobs),
        jobs_open=tuple(traces.jobs_open),
        dry_run=True,
        sample=tuple(DeletedDocument(each.id, each.key) for each in documents[:_SAMPLE]),
        purged=False,
        log_emptied=False,
        remedy="",
        backups=(),
        bytes_before=0,
        bytes_after=0,
        seconds=0.0,
    )
