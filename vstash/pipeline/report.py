"""Statistics, and the disagreement log to read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final, get_args

from vstash.errors import QueryError
from vstash.pipeline.documents import living_texts, require_collection
from vstash.pipeline.paging import decode_cursor, encode_cursor, page_limit
from vstash.pipeline.prepare import checked_collection
from vstash.reports import Stats
from vstash.types import Disagreement, Page, Triple, TripleOrigin

if TYPE_CHECKING:
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.record import Logged
    from vstash.reports import CalibrationSource
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import ModelInfo

__all__ = ["Reporting"]

# Searches that are read at a time for their triples.
_PAGE: Final = 100
_ORIGINS: Final[tuple[TripleOrigin, ...]] = get_args(TripleOrigin)


class Reporting:
    """Says what a file holds.

    Args:
        store: The file.
        info: The file's model.
        settings: In force.
        recorder: Of the disagreement log.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        info: ModelInfo,
        settings: Settings,
        recorder: Recorder[Logged],
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._clock = clock
        self._info = info
        self._settings = settings
        self._recorder = recorder

    def stats(self) -> Stats:
        """Count; see `Memory.stats`."""
        from importlib.metadata import version  # noqa: PLC0415 - 15 ms that only who asks pays

        self._recorder.flush()
        with self._store.read() as reader:
            counts = reader.counts()
            model = reader.model
            learnt = None if model is None else reader.calibration(model[0])
        return Stats(
            path=str(self._store.path),
            documents=counts.documents,
            chunks=counts.chunks,
            vectors=counts.vectors,
            awaiting=counts.awaiting,
            collections=counts.collections,
            model=self._info,
            calibrated=_calibrated(self._info, learnt),
            searches_logged=counts.searches,
            triples=counts.triples,
            feedback=counts.feedback,
            log_dropped=self._recorder.dropped,
            mean_disagreement=counts.mean_disagreement,
            file_bytes=counts.file_bytes,
            schema_version=counts.schema_version,
            sqlite_version=counts.sqlite_version,
            vstash_version=version("vstash"),
            durability=self._settings.durability,
        )

    def disagreements(
        self, *, collection: str | None, limit: int, cursor: str | None, texts: bool
    ) -> Page[Disagreement]:
        """List logged searches; see `Memory.disagreements`."""
        name = None if collection is None else checked_collection(collection)
        size = page_limit(limit)
        before = None if cursor is None else decode_cursor("searches", cursor)
        self._recorder.flush()
        with self._store.read() as reader:
            found = reader.disagreements(collection=name, limit=size + 1, before=before)
            items = [item for _, item in found[:size]]
            if texts:
                items = _with_texts(reader, items, self._clock())
        more = encode_cursor("searches", found[size - 1][0]) if len(found) > size else None
        return Page(tuple(items), more)

    def triples(
        self, *, collection: str | None, texts: bool, origin: TripleOrigin | None
    ) -> Generator[Triple, None, None]:
        """Stream triples; see `Memory.triples`."""
        if origin is not None and origin not in _ORIGINS:
            raise QueryError(f"origin is one of: {', '.join(_ORIGINS)}.", pointer="/origin")
        name = None if collection is None else checked_collection(collection)
        if name is not None:
            with self._store.read() as reader:
                require_collection(reader, name)
        self._recorder.flush()
        return self._triples(name, origin, texts=texts)

    def _triples(
        self, collection: str | None, origin: TripleOrigin | None, *, texts: bool
    ) -> Generator[Triple, None, None]:
        with self._store.read() as reader:
            now = self._clock()
            if origin in {None, "search"}:
                for items in _logged(reader, collection):
                    for item in _with_texts(reader, items, now) if texts else items:
                        yield from item.triples
            if origin != "search":
                for made in _made(reader, collection, now):
                    wanted = (each for each in made if origin in {None, each.origin})
                    yield from _told(reader, [*wanted], now) if texts else wanted


def _logged(reader: Reader, collection: str | None) -> Iterator[list[Disagreement]]:
    before = None
    while found := reader.disagreements(collection=collection, limit=_PAGE, before=before):
        yield [item for _, item in found]
        before = found[-1][0]


def _made(reader: Reader, collection: str | None, now: int) -> Iterator[list[Triple]]:
    before = None
    while found := reader.mined.page(collection, None, limit=_PAGE, before=before, now=now):
        yield [triple for query in found for triple in query.triples]
        before = found[-1].number


def _calibrated(info: ModelInfo, learnt: tuple[float, ...] | None) -> CalibrationSource | None:
    if learnt is not None:
        return "own"
    return None if info.calibration is None else "shipped"


def _with_texts(reader: Reader, items: list[Disagreement], now: int) -> list[Disagreement]:
    told = iter(_told(reader, [triple for item in items for triple in item.triples], now))
    return [replace(item, triples=tuple(islice(told, len(item.triples)))) for item in items]


def _told(reader: Reader, triples: Sequence[Triple], now: int) -> list[Triple]:
    """Triples with the texts of their chunks, but for what has expired."""
    wanted = {
        chunk
        for triple in triples
        for chunk in (triple.positive_chunk_id, triple.negative_chunk_id)
    }
    texts = living_texts(reader, wanted, now)
    return [
        replace(
            triple,
            positive_text=texts.get(triple.positive_chunk_id),
            negative_text=texts.get(triple.negative_chunk_id),
        )
        for triple in triples
    ]
