"""Building the index of another model beside the active one, and switching to it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, Union

from vstash.embed.catalogue import known_models, model_name
from vstash.errors import (
    ModelExistsError,
    ModelIncompleteError,
    ModelInUseError,
    ModelNotFoundError,
    ModelTooShortError,
    StoreFullError,
)
from vstash.errors.missing import no_model
from vstash.pipeline.embedding import embedded_batch
from vstash.pipeline.overlap import overlapped
from vstash.pipeline.ready import SPECIAL_TOKENS, Readying
from vstash.store.folders import free_bytes
from vstash.store.indexes import StoredIndex, bytes_per_chunk
from vstash.store.models import Served
from vstash.switching import (
    IndexState,
    ModelState,
    ReindexProgress,
    ReindexReport,
    ReindexWatcher,
)

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.pipeline.embedding import Waiting
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.store.writer import Writer
    from vstash.types import ModelInfo

__all__ = ["Named", "Switching"]

Named = Union[str, os.PathLike[str], "Embedder"]

# A batch is a second or two of the model's work, and some milliseconds of the write lock.
_BATCH: Final = 32
_ROUND: Final = 1_024
# So many chunks may be embedded while others wait to write: less than a second's work.
_AT_ONCE: Final = 16
# Vectors that a step of a removal deletes.
_REMOVED: Final = 512
_SHRUNK_PAGES: Final = 256
# Who waits for the lock looks every few milliseconds: it must be found free now and then.
_PAUSE_S: Final = 0.005
_LEAST_FREE_BYTES: Final = 16 * 2**20


class Switching:
    """Builds, switches and removes the indexes of a file's models.

    Args:
        store: The file.
        settings: Where models are installed.
        found: Opens a model of the file by what the file says of it.
        opened: Opens a model that a caller names.
        told: Called after a switch, so that this process follows it at once.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        found: Callable[[ModelInfo], Embedder],
        opened: Callable[[Named], Embedder],
        told: Callable[[], object],
    ) -> None:
        self._store = store
        self._settings = settings
        self._found = found
        self._opened = opened
        self._told = told

    def states(self) -> tuple[ModelState, ...]:
        """List models; see `Memory.models`."""
        folder = self._settings.models_path()
        with self._store.read() as reader:
            indexes, chunks = reader.indexes.listed(), reader.chunk_count
        states = [
            ModelState(
                name=index.info.name,
                dimension=index.info.dimension,
                sha256=index.info.sha256,
                index=_state(index),
                active=index.active,
                installed=model_name(index.info.sha256, index.info.dimension, folder) is not None,
                vectors=index.vectors,
                awaiting=max(chunks - index.vectors, 0),
                bytes=index.vectors * bytes_per_chunk(index.info.dimension),
            )
            for index in indexes
        ]
        indexed = {index.info.sha256 for index in indexes}
        states += [
            ModelState(name, info.dimension, info.sha256, "none", False, True, 0, chunks, 0)
            for name, info in sorted(known_models(folder).items())
            if info.sha256 not in indexed
        ]
        return tuple(states)

    def reindex(self, model: Named, *, progress: ReindexWatcher | None = None) -> ReindexReport:
        """Build a model's index and switch to it; see `Memory.reindex`.

        Args:
            model: A name, the path of a folder, or an embedder.
            progress: Called before the first batch and after each; what it raises leaves the rest.
        """
        embedder = self._opened(model)
        info = embedder.info
        self._finish_removals()
        with self._store.read() as reader:
            _require_buildable(reader, info)
            self._require_room(reader, info)
        with self._store.write() as writer:
            # Another process may have been faster.
            _require_buildable(writer, info)
            known = writer.indexes.find(info.sha256)
            number = writer.indexes.begin(info) if known is None else known.number
            if known is None:
                writer.touch()
        if known is not None and known.active:
            run = _Run(self._store, self._settings, embedder, number, progress)
            # What awaits a vector of the active model waits for `Memory.embed`.
            return self._ended(run, known.info, switched=False, locked_ms=0.0)
        return self._complete(_Run(self._store, self._settings, embedder, number, progress))

    def use(self, name: str, *, later: bool, progress: ReindexWatcher | None) -> ReindexReport:
        """Switch to a model whose index is there; see `Memory.use_model`."""
        index = self._named(name)
        if index.building:
            raise ModelIncompleteError(
                "This model's index is still being built: `vstash reindex` goes on with it and switches "
                "at its end.",
                pointer="/name",
            )
        embedder = self._found(index.info)
        run = _Run(self._store, self._settings, embedder, index.number, progress)
        if index.active:
            return self._ended(run, index.info, switched=False, locked_ms=0.0)
        return self._complete(run, later=later)

    def remove(self, name: str) -> ModelState:
        """Remove a model's index; see `Memory.remove_model`."""
        index = self._named(name)
        gone = next(each for each in self.states() if each.sha256 == index.info.sha256)
        self._finish_removals()
        with self._store.write() as writer:
            served = writer.served
            if served is not None and served.number == index.number:
                raise ModelInUseError(
                    "The file is searched with this model: switch to another one first, with "
                    "`vstash model use` or `vstash reindex`.",
                    pointer="/name",
                )
            there = writer.indexes.knows(Served(index.number, index.info.sha256))
            if there and writer.indexes.removing in {0, index.number}:
                writer.indexes.drop_some(index.number, _REMOVED)
            writer.touch()
        self._finish_removals()
        return gone

    def _finish_removals(self) -> None:
        """Go on with a removal that was begun, by whomever, until none is left."""
        with self._store.read() as reader:
            begun = bool(reader.indexes.removing)
        if not begun:
            return
        more = True
        while more:
            time.sleep(_PAUSE_S)
            with self._store.write() as writer:
                number = writer.indexes.removing
                more = bool(number)
                if number and not writer.indexes.drop_some(number, _REMOVED):
                    writer.forget_derived()
                writer.touch()
        self._shrink()

    def _shrink(self) -> None:
        more = True
        while more:
            with self._store.write() as writer:
                more = writer.leftovers.shrink(_SHRUNK_PAGES)
            time.sleep(_PAUSE_S)

    def _named(self, name: str) -> StoredIndex:
        with self._store.read() as reader:
            for index in reader.indexes.listed():
                if index.info.name == name:
                    return index
        raise no_model()

    def _require_room(self, reader: Reader, info: ModelInfo) -> None:
        known = reader.indexes.find(info.sha256)
        missing = reader.chunk_count - (0 if known is None else known.vectors)
        # The write-ahead log holds what is not yet moved into the file.
        needed = max(missing, 0) * bytes_per_chunk(info.dimension)
        room = reader.indexes.free_bytes()
        free = free_bytes(self._store.path.parent)
        if free is not None and needed > room + max(free - _LEAST_FREE_BYTES, 0):
            raise StoreFullError(
                f"The index needs about {needed / 2**20:,.0f} MiB, and {free / 2**20:,.0f} MiB are "
                "left where the file is. Make room and repeat it; nothing was changed."
            )

    def _complete(self, run: _Run, *, later: bool = False) -> ReindexReport:
        """Embed what is missing until so little is that it goes into the transaction of the switch."""
        run.tell()
        while not later and run.rest() > _AT_ONCE:
            run.go_through()
        while (report := self._switched(run, later=later)) is None:
            run.go_through()
        return report

    def _switched(self, run: _Run, *, later: bool) -> ReindexReport | None:
        """Switch in one transaction, with what is still missing; None where that is too much."""
        with self._store.write() as writer:
            start = time.perf_counter()
            before = writer.model
            run.require_there(writer)
            if not later and not run.catch_up(writer):
                return None
            switched = before is None or before[0] != run.number
            if switched:
                writer.indexes.switch(run.number)
                writer.touch()
        locked_ms = round((time.perf_counter() - start) * 1000, 1)
        self._told()
        return self._ended(
            run, run.info if before is None else before[1], switched=switched, locked_ms=locked_ms
        )

    def _ended(
        self, run: _Run, before: ModelInfo, *, switched: bool, locked_ms: float
    ) -> ReindexReport:
        with self._store.read() as reader:
            awaiting, index = reader.awaiting_count, reader.indexes.find(run.info.sha256)
        vectors = 0 if index is None else index.vectors
        return ReindexReport(
            model=run.info.name,
            before=before.name,
            switched=switched,
            embedded=run.embedded,
            awaiting=awaiting,
            bytes=vectors * bytes_per_chunk(run.info.dimension),
            locked_ms=locked_ms,
            seconds=round(time.perf_counter() - run.start, 3),
        )


class _Run:
    """One model's index on its way to being complete.

    Args:
        store: The file.
        settings: Of the embedding.
        embedder: The model.
        number: The model's in the file.
        progress: Called after each batch.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        embedder: Embedder,
        number: int,
        progress: ReindexWatcher | None,
    ) -> None:
        self._store = store
        self._readying = Readying(store, embedder, Served(number, embedder.info.sha256), settings)
        self._progress = progress
        self.info = embedder.info
        self.number = number
        self.embedded = 0
        self.start = time.perf_counter()
        # Ids are never used again: up to here every chunk has its vector, whatever comes.
        self._through = 0
        self._anew = -1

    def rest(self) -> int:
        """How many chunks are missing, counted to one more than what can be caught up with at once."""
        with self._store.read() as reader:
            self.require_there(reader)
            last = reader.indexes.last_chunk()
            found = reader.indexes.missing(self.number, _AT_ONCE + 1, after=self._through)
        if not found:
            self._through = last
        return len(found)

    def go_through(self) -> None:
        """Embed what is missing now, in short transactions, others writing in between."""
        for ids, digests, matrix in overlapped(
            self._batches(), partial(embedded_batch, self._readying), workers=1
        ):
            with self._store.write() as writer:
                self.require_there(writer)
                self.embedded += writer.indexes.fill(self.number, ids, digests, matrix)
                writer.touch()
            self._through = int(ids[-1])
            self.tell()
            time.sleep(_PAUSE_S)

    def _batches(self) -> Iterator[Waiting]:
        last = self._through
        while True:
            with self._store.read() as reader:
                self.require_there(reader)
                found = reader.indexes.missing(self.number, _ROUND, after=last)
                rows = list(reader.passages(found))
            if not found:
                return
            last = found[-1]
            for start in range(0, len(rows), _BATCH):
                yield rows[start : start + _BATCH]

    def catch_up(self, writer: Writer) -> bool:
        """Store what was written since, in the transaction that switches; False where it is too much."""
        missing = writer.indexes.missing(self.number, _AT_ONCE + 1, after=self._through)
        if len(missing) > _AT_ONCE:
            return False
        rows = list(writer.passages(missing))
        if rows:
            self.embedded += writer.indexes.fill(self.number, *embedded_batch(self._readying, rows))
        return True

    def require_there(self, reader: Reader) -> None:
        """Refuse to go on with an index that is gone or going."""
        there = reader.indexes.knows(self._readying.served)
        if not there or reader.indexes.removing == self.number:
            raise ModelNotFoundError(
                "The index was removed while it was worked on.", pointer="/name"
            )
        if reader.derived_anew != self._anew:
            # A backup was restored: what had its vector may have none.
            self._anew, self._through = reader.derived_anew, 0

    def tell(self) -> None:
        """Say how far it is."""
        if self._progress is None:
            return
        with self._store.read() as reader:
            chunks = reader.chunk_count
            index = reader.indexes.find(self.info.sha256)
        done = 0 if index is None else min(index.vectors, chunks)
        rest = chunks - done
        taken = time.perf_counter() - self.start
        left = taken / self.embedded * rest if self.embedded else None
        needed = rest * bytes_per_chunk(self.info.dimension)
        self._progress(ReindexProgress(done, chunks, needed, left))


def _require_buildable(reader: Reader, info: ModelInfo) -> None:
    """Refuse a model whose index cannot be built, or not now."""
    for index in reader.indexes.listed():
        if index.info.name == info.name and index.info.sha256 != info.sha256:
            raise ModelExistsError(
                "The file knows another model by this name: install this one under a name of its own, "
                "with `vstash model add --name`.",
                pointer="/model",
            )
        if index.building and index.info.sha256 != info.sha256:
            raise ModelIncompleteError(
                f"The index of {index.info.name} is still being built: finish it with `vstash reindex`, "
                "or drop it with `vstash model remove`.",
                pointer="/model",
            )
    longest = reader.indexes.longest() + SPECIAL_TOKENS
    if longest > info.max_tokens:
        raise ModelTooShortError(
            f"The model reads {info.max_tokens:,} tokens of a chunk, and the file has one of "
            f"{longest:,}: its end would never be found. Chunks are not cut anew: export the file, and "
            "import it into one that is made with this model.",
            pointer="/model",
        )


def _state(index: StoredIndex) -> IndexState:
    if index.active:
        return "active"
    return "building" if index.building else "kept"
