"""Storing the documents of an export."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

from vstash.errors import CollectionForbiddenError, FieldError, VstashError
from vstash.pipeline.documents import BEFORE_ALL
from vstash.pipeline.incoming import Arrived, Incoming
from vstash.pipeline.prepare import checked_collection, checked_expiry
from vstash.pipeline.ready import Ready, Readying, with_vector
from vstash.store.documents import to_microseconds
from vstash.store.rows import Origin
from vstash.transfers import ON_CONFLICT, ImportProgress, ImportReport, OnConflict

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.store.writer import Writer
    from vstash.types import Document, FloatArray, ModelInfo

__all__ = ["Importing"]

# A transaction takes as many: what is lost when it fails, and what others wait for.
_BATCH_DOCUMENTS: Final = 64
_BATCH_CHARS: Final = 1_000_000

Outcome = Literal["added", "replaced", "unchanged", "skipped", "expired"]
_OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
_WRITTEN: Final = ("added", "replaced")
Progress = Callable[[ImportProgress], None]


@dataclass(slots=True)
class _Run:
    """One import."""

    on_conflict: OnConflict
    now: int
    embed: bool
    dry_run: bool
    counts: Counter[Outcome] = field(default_factory=Counter)
    other_ids: int = 0
    chunks: int = 0


class Importing:
    """Takes the documents of exports into a file.

    Args:
        store: The file.
        readying: Chunks and embeds.
        model: The file's model.
        settings: Limits.
        clock: Microseconds since the epoch.
        left: As for `Writing`.
    """

    def __init__(
        self,
        store: Store,
        readying: Readying,
        model: ModelInfo,
        settings: Settings,
        clock: Callable[[], int],
        left: Callable[[Sequence[int]], None],
    ) -> None:
        self._store = store
        self._left = left
        self._readying = readying
        self._model = (model.dimension, model.sha256)
        self._settings = settings
        self._clock = clock

    def import_documents(
        self,
        stream: Iterable[bytes | str],
        *,
        collection: str | None,
        on_conflict: OnConflict,
        dry_run: bool,
        embed: bool,
        progress: Progress | None,
    ) -> ImportReport:
        """Import; see `Memory.import_documents`."""
        start = time.perf_counter()
        if on_conflict not in ON_CONFLICT:
            raise FieldError(
                f"on_conflict is one of: {', '.join(ON_CONFLICT)}.", pointer="/on_conflict"
            )
        only = None if collection is None else checked_collection(collection)
        incoming = Incoming(stream, self._settings, self._model)
        _require_inside(incoming.manifest.collections, only)
        run = _Run(on_conflict, self._clock(), embed, dry_run)
        stored = 0
        try:
            for batch in _batches(incoming.documents()):
                self._take(run, batch)
                stored += len(batch)
                if progress is not None:
                    progress(ImportProgress(stored, incoming.manifest.documents))
        except VstashError as error:
            if stored and not dry_run:
                error.message += (
                    f" The first {stored:,} documents of the export were imported and stay; to "
                    "import it again takes the rest."
                )
            raise
        return ImportReport(
            **{name: run.counts[name] for name in _OUTCOMES},
            other_ids=run.other_ids,
            chunks=run.chunks,
            dry_run=dry_run,
            seconds=round(time.perf_counter() - start, 3),
        )

    def _take(self, run: _Run, batch: Sequence[Arrived]) -> None:
        """Store those of a batch that are not there yet, in one transaction."""
        with self._store.read() as reader:
            outcomes = [_outcome(reader, run, arrived)[0] for arrived in batch]
        if run.dry_run:
            run.counts.update(outcomes)
            return
        wanted = [
            arrived for arrived, outcome in zip(batch, outcomes, strict=True) if outcome in _WRITTEN
        ]
        run.counts.update(outcome for outcome in outcomes if outcome not in _WRITTEN)
        ready = self._ready(wanted, embed=run.embed)
        if wanted:
            with self._store.write(made_by=self._readying.served) as writer:
                for arrived, item in zip(wanted, ready, strict=True):
                    _put(writer, run, arrived, item)
            if writer.left:
                self._left(writer.left)

    def _ready(self, batch: Sequence[Arrived], *, embed: bool) -> list[Ready]:
        """Chunk and embed, where the vectors of the export do not serve."""
        own = [_own_vector(arrived) for arrived in batch]
        others = [arrived for arrived, vector in zip(batch, own, strict=True) if vector is None]
        made = iter(
            self._readying.make_ready(
                [(arrived.prepared, arrived.source) for arrived in others],
                embed=embed,
                brought=[_by_digest(arrived) for arrived in others],
            )
        )
        return [
            next(made) if vector is None else with_vector(arrived.prepared, vector)
            for arrived, vector in zip(batch, own, strict=True)
        ]


def _require_inside(collections: Mapping[str, int], only: str | None) -> None:
    if only is not None and not set(collections) <= {only}:
        raise CollectionForbiddenError(
            "Line 1: the export holds documents of other collections than the one that may be "
            "imported into; nothing was stored.",
            pointer="/collections",
        )


def _batches(documents: Iterator[Arrived]) -> Iterator[list[Arrived]]:
    """Documents in batches of bounded size; the last comes when the trailer was found right."""
    batch: list[Arrived] = []
    chars = 0
    for arrived in documents:
        if len(batch) >= _BATCH_DOCUMENTS or chars >= _BATCH_CHARS:
            yield batch
            batch, chars = [], 0
        batch.append(arrived)
        chars += len(arrived.prepared.text)
    if batch:
        yield batch


def _outcome(reader: Reader, run: _Run, arrived: Arrived) -> tuple[Outcome, str | None]:
    """What an import has to do with a document, and the id of the one that has its key."""
    prepared = arrived.prepared
    if prepared.expires_at is not None and prepared.expires_at <= run.now:
        return "expired", None
    found = reader.document_by_key(prepared.collection, arrived.key, now=BEFORE_ALL)
    if found is None:
        return "added", None
    number, document = found
    if _is_there(reader, number, document, arrived):
        return "unchanged", document.id
    return ("skipped" if run.on_conflict == "skip" else "replaced"), document.id


def _is_there(reader: Reader, number: int, document: Document, arrived: Arrived) -> bool:
    prepared, source = arrived.prepared, arrived.source
    size, mtime_ns = (None, None) if source is None else (source.size, source.mtime_ns)
    return (
        document.content_hash == prepared.content_hash
        and checked_expiry(document.expires_at) == prepared.expires_at
        and to_microseconds(document.created) == arrived.created
        and to_microseconds(document.updated) == arrived.updated
        and reader.origin(number) == Origin(prepared.media_type, size, mtime_ns)
    )


def _put(writer: Writer, run: _Run, arrived: Arrived, item: Ready) -> None:
    # Others may have written since it was looked for.
    outcome, there = _outcome(writer, run, arrived)
    run.counts[outcome] += 1
    if outcome not in _WRITTEN:
        return
    row = replace(
        item.row,
        created=arrived.created,
        updated=arrived.updated,
        source_size=None if arrived.source is None else arrived.source.size,
        source_mtime_ns=None if arrived.source is None else arrived.source.mtime_ns,
    )
    if there is None and writer.document(arrived.id, now=BEFORE_ALL) is None:
        row = replace(row, id=arrived.id)
    stored = writer.put(row, item.chunks, now=run.now)
    run.other_ids += stored.id != arrived.id
    run.chunks += stored.chunk_count


def _own_vector(arrived: Arrived) -> FloatArray | None:
    """The vector that a caller brought for the whole document."""
    if len(arrived.passages) == 1 and arrived.passages[0].digest is None:
        return arrived.passages[0].vector
    return None


def _by_digest(arrived: Arrived) -> dict[bytes, FloatArray]:
    return {
        each.digest: each.vector
        for each in arrived.passages
        if each.digest is not None and each.vector is not None
    }
