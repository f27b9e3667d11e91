"""A new file from what the pages of a damaged one still hold."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from vstash.embed.catalogue import model_name, open_model
from vstash.errors import OverwriteError, PathNotFoundError, StoreForeignError
from vstash.pipeline.documents import BEFORE_ALL
from vstash.pipeline.engine import open_engine
from vstash.pipeline.prepare import Prepared
from vstash.pipeline.ready import Ready, digest
from vstash.store.backup import publish
from vstash.store.faults import translated
from vstash.store.raw_pages import RawFile
from vstash.store.rows import ChunkRow, DocumentRow, content_hash
from vstash.store.salvage import RemainingChunk, RemainingDocument, Remains, remains
from vstash.store.temporary import temporary
from vstash.text import chunk as chunking
from vstash.text.normalise import indexed
from vstash.upkeep import SalvagedDocument, SalvageProgress, SalvageReport

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.pipeline.engine import Engine
    from vstash.settings import Settings
    from vstash.types import FloatArray

__all__ = ["salvage"]

_BATCH_CHARS: Final = 1_000_000
_GAP: Final = "\n\N{REPLACEMENT CHARACTER}\n"

Progress = Callable[[SalvageProgress], None]
Log = Literal["none", "read", "left out"]


@dataclass(frozen=True, slots=True)
class _Whole:
    """A document that is what its hash says.

    Attributes:
        chunks: As they were; none where they cannot be relied on.
    """

    row: RemainingDocument
    text: str
    chunks: tuple[RemainingChunk, ...]

    @property
    def first_chunk(self) -> int:
        return self.chunks[0].id if self.chunks else 0


@dataclass(slots=True)
class _Found:
    """What a way to read the file gave."""

    remains: Remains
    log: Log
    whole: list[_Whole] = field(default_factory=list)
    rest: list[SalvagedDocument] = field(default_factory=list)
    partial: list[_Whole] = field(default_factory=list)


def salvage(
    path: Path,
    target: Path,
    *,
    model: str | Embedder | None,
    settings: Settings,
    keep_damaged: bool,
    progress: Progress | None,
) -> SalvageReport:
    """Save what can be read; see `vstash.salvage`."""
    start = time.perf_counter()
    if not path.is_file():
        raise PathNotFoundError("There is no such file.", local_detail=str(path))
    if os.path.lexists(target):
        raise OverwriteError(
            "There is a file of that name already; it was left as it is. Choose another name.",
            local_detail=str(target),
        )
    chosen = settings.model if model is None else model
    with ExitStack() as files:
        files.enter_context(translated())
        found = _best_way(path, files)
        if not found.whole and not found.rest:
            raise StoreForeignError("Nothing of a vstash file is left in it; it was left as it is.")
        embedder = _embedder(chosen or _told(found, settings), settings)
        with temporary(target) as part:
            saving = _Saving(found, embedder, progress)
            with closing(open_engine(part, model=embedder, settings=settings)) as engine:
                rest = saving.save(engine, keep_damaged=keep_damaged)
                with engine.store.read() as reader:
                    counts = reader.counts()
                engine.upkeep.compacting.compact(full=False, progress=None)
            publish(part, target)
    return SalvageReport(
        whole=len(found.whole),
        documents=tuple(rest),
        rechunked=sum(not each.chunks for each in found.whole),
        chunks=counts.chunks,
        vectors=counts.vectors,
        awaiting=counts.awaiting,
        searches=counts.searches,
        triples=counts.triples,
        feedback=counts.feedback,
        log=found.log,
        wrong_pages=found.remains.wrong_pages,
        seconds=round(time.perf_counter() - start, 3),
    )


def _told(found: _Found, settings: Settings) -> str:
    """The name of the model that the file was searched with, empty where it is not here or not told."""
    for sha256, dimension in found.remains.models[-1:]:
        return model_name(sha256, dimension, settings.models_path()) or ""
    return ""


def _embedder(chosen: str | Embedder, settings: Settings) -> Embedder:
    if not isinstance(chosen, str):
        return chosen
    return open_model(chosen, models=settings.models_path(), threads=settings.threads)


def _best_way(path: Path, files: ExitStack) -> _Found:
    """Read the file with its log, and without where that gives more: the log may be another file's."""
    raw = files.enter_context(closing(RawFile(path, log=True)))
    found = _looked_through(raw, "read" if raw.logged else "none")
    if raw.logged and found.rest:
        without = files.enter_context(closing(RawFile(path, log=False)))
        other = _looked_through(without, "left out")
        if len(other.whole) > len(found.whole):
            return other
    return found


def _looked_through(raw: RawFile, log: Log) -> _Found:
    held = remains(raw)
    found = _Found(held, log)
    taken: set[object] = set()
    for number in held.numbers:
        rows = held.documents.get(number, [])
        texts = [(row, held.text_of(row)) for row in rows]
        row, text = next(((row, text) for row, text in texts if text is not None), (None, None))
        contradiction = None if row is None else _contradiction(held, row)
        if row is not None and taken & {row.id, (row.collection, row.key)}:
            contradiction = "another document has its id or key"
        if row is not None and text is not None and contradiction is None:
            taken |= {row.id, (row.collection, row.key)}
            found.whole.append(_Whole(row, text, _reliable_chunks(held, row, text)))
        else:
            _add_rest(found, number, rows[-1] if rows else None, contradiction)
    return found


def _contradiction(held: Remains, row: RemainingDocument) -> str | None:
    if held.ids.get(row.number, row.id) != row.id:
        return "its id is not the one in the index of ids"
    if held.keys.get(row.number, (row.collection, row.key)) != (row.collection, row.key):
        return "its key or collection is not the one in the index of keys"
    return None


def _add_rest(
    found: _Found, number: int, row: RemainingDocument | None, reason: str | None
) -> None:
    held = found.remains
    parts = held.readable(number)
    if row is None:
        reason = "its row is lost"
    elif reason is None:
        reason = "its content is not what its hash is of" if parts else "its text is lost"
    known = held.keys.get(number) if row is None else (row.collection, row.key)
    found.rest.append(
        SalvagedDocument(
            id=held.ids.get(number) if row is None else row.id,
            key=None if known is None else known[1],
            collection=None if known is None else _collection(held, known[0]),
            status="damaged" if row is not None or parts else "lost",
            reason=reason,
            characters=sum(len(text) for _, text in parts),
            stored=False,
        )
    )
    if row is not None and parts:
        found.partial.append(_Whole(row, _with_gaps(parts), ()))


def _with_gaps(parts: Sequence[tuple[int, str]]) -> str:
    """The parts of a text, and a mark where one is missing."""
    joined, end = "", 0
    for start, text in parts:
        joined += text if start == end else _GAP + text
        end = start + len(text)
    return joined


def _collection(held: Remains, number: int) -> str:
    return held.collections.get(number, f"salvaged-{number}")


def _reliable_chunks(
    held: Remains, row: RemainingDocument, text: str
) -> tuple[RemainingChunk, ...]:
    """A document's chunks, none unless each is what was embedded for it and none is missing."""
    chunks = sorted(held.chunks.get(row.number, ()), key=lambda chunk: chunk.seq)
    for place, each in enumerate(chunks):
        in_order = (each.seq, each.id) == (place, chunks[0].id + place)
        if not in_order or not 0 <= each.start < each.end <= len(text):
            return ()
        kept = held.digest_of(each.id)
        if kept is None:
            # The caller brought the vector of the whole text.
            if (each.start, each.end, each.heading) != (0, len(text), "[]") or len(chunks) > 1:
                return ()
        elif kept != digest(_passage(row, text, each)):
            return ()
    covered = bool(chunks) and text[chunks[-1].end :].strip() == ""
    return tuple(chunks) if covered else ()


def _heading(chunk: RemainingChunk) -> tuple[str, ...]:
    try:
        found = json.loads(chunk.heading)
    except json.JSONDecodeError:
        return ("\N{REPLACEMENT CHARACTER}",)
    return tuple(found) if isinstance(found, list) else ()


def _passage(row: RemainingDocument, text: str, chunk: RemainingChunk) -> str:
    return chunking.passage(row.title, _heading(chunk), text[chunk.start : chunk.end])


class _Saving:
    """Writes what was found into a new file."""

    def __init__(self, found: _Found, embedder: Embedder, progress: Progress | None) -> None:
        self._found = found
        self._progress = progress
        self._held = found.remains
        info, known = embedder.info, found.remains.models
        # Vectors of another model, or of one that is not told, are worth nothing.
        same = bool(known) and known[-1] == (info.sha256, info.dimension)
        # Of two models with one dimension nothing tells their vectors apart.
        same = same and [each[1] for each in known].count(info.dimension) == 1
        self._dimension = info.dimension if same else 0
        self._numbers: dict[int, int] = {}
        self._done = 0

    def save(self, engine: Engine, *, keep_damaged: bool) -> list[SalvagedDocument]:
        """Store what is whole, then what is partial where asked, then the log."""
        kept = sorted(
            (each for each in self._found.whole if each.chunks), key=lambda each: each.first_chunk
        )
        anew = [each for each in self._found.whole if not each.chunks]
        partial = self._found.partial if keep_damaged else []
        for batch in _batches([*kept, *anew]):
            self._store(engine, batch)
        taken = {each.row.id for each in self._found.whole}
        rest = self._found.rest
        if keep_damaged:
            partial = [each for each in partial if each.row.id not in taken]
            for batch in _batches(partial):
                self._store(engine, [self._as_it_is_now(each) for each in batch])
            stored = {each.row.id for each in partial}
            rest = [replace(each, stored=each.id in stored) for each in rest]
        with engine.store.write() as writer:
            writer.put_salvaged_log(self._held.log, self._numbers)
        return rest

    def _as_it_is_now(self, partial: _Whole) -> _Whole:
        row = partial.row
        tags = sorted(self._held.tags.get(row.number, ()))
        hashed = content_hash(partial.text, row.title, tags, row.metadata)
        return replace(partial, row=replace(row, digest=bytes.fromhex(hashed)))

    def _store(self, engine: Engine, batch: Sequence[_Whole]) -> None:
        ready = [
            self._as_it_was(each) if each.chunks else self._chunked_anew(engine, each)
            for each in batch
        ]
        now = time.time_ns() // 1000
        with engine.store.write() as writer:
            for each, item in zip(batch, ready, strict=True):
                first = each.first_chunk or self._held.last_chunk + 1
                stored = writer.put(item.row, item.chunks, now=now, first_chunk=first)
                found = writer.document(stored.id, now=BEFORE_ALL)
                self._numbers[each.row.number] = found[0] if found else 0
        self._done += len(batch)
        if self._progress is not None:
            self._progress(SalvageProgress(self._done, len(self._found.whole)))

    def _as_it_was(self, whole: _Whole) -> Ready:
        title = indexed(whole.row.title)
        chunks = [
            ChunkRow(
                start=each.start,
                end=each.end,
                heading=_heading(each),
                tokens=each.tokens,
                words=(
                    title,
                    indexed("\n".join(_heading(each))),
                    indexed(whole.text[each.start : each.end]),
                ),
                vector=self._vector(each.id),
                digest=self._held.digest_of(each.id),
            )
            for each in whole.chunks
        ]
        return Ready(self._row(whole), chunks)

    def _vector(self, chunk: int) -> FloatArray | None:
        return self._held.vector_of(chunk, self._dimension) if self._dimension else None

    def _chunked_anew(self, engine: Engine, whole: _Whole) -> Ready:
        row = self._row(whole)
        prepared = Prepared(
            text=row.text,
            key=row.key,
            title=row.title,
            collection=row.collection,
            tags=row.tags,
            metadata=row.metadata,
            expires_at=row.expires_at,
            content_hash=row.content_hash,
            media_type=row.media_type,
        )
        (ready,) = engine.writing.readying.make_ready([(prepared, None)], embed=False)
        return Ready(row, ready.chunks)

    def _row(self, whole: _Whole) -> DocumentRow:
        row = whole.row
        return DocumentRow(
            id=row.id,
            collection=_collection(self._held, row.collection),
            key=row.key,
            title=row.title,
            text=whole.text,
            metadata=row.metadata,
            tags=tuple(sorted(self._held.tags.get(row.number, ()))),
            media_type=row.media_type,
            content_hash=row.digest.hex(),
            expires_at=row.expires_at,
            source_size=row.source_size,
            source_mtime_ns=row.source_mtime_ns,
            created=row.created,
            updated=row.updated,
        )


def _batches(documents: Sequence[_Whole]) -> Iterator[list[_Whole]]:
    batch: list[_Whole] = []
    chars = 0
    for each in documents:
        batch.append(each)
        chars += len(each.text)
        if chars >= _BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch
