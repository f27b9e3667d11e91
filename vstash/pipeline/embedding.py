"""Vectors for chunks that were stored without: on request, or in the background."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.errors import VstashError
from vstash.pipeline.overlap import overlapped
from vstash.pipeline.ready import digest
from vstash.reports import EmbedProgress, EmbedReport
from vstash.text.chunk import passage
from vstash.threads import started

if TYPE_CHECKING:
    from vstash.pipeline.ready import Readying
    from vstash.store.protocol import Store
    from vstash.types import FloatArray, IdArray

__all__ = ["BackgroundEmbedding", "Embedding", "Waiting", "embedded_batch"]

# A second or two of the model's work: what a kill or Ctrl-C can lose.
_BATCH: Final = 64
_ROUND: Final = 1_024
# How often the background looks for what other processes left.
_PATIENCE_S: Final = 5.0
_log = logging.getLogger("vstash")

Waiting = Sequence[tuple[int, str, str, str]]


class Embedding:
    """Gives chunks that await a vector theirs.

    Args:
        store: The file.
        readying: Embeds passages.
    """

    def __init__(self, store: Store, readying: Readying) -> None:
        self._store = store
        self._readying = readying

    def embed(
        self,
        *,
        progress: Callable[[EmbedProgress], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> EmbedReport:
        """Embed all that waits; see `Memory.embed`.

        Args:
            progress: Called after each batch.
            stop: Asked before each batch whether to leave the rest for later.
        """
        start = time.perf_counter()
        embedded = 0
        embed = partial(embedded_batch, self._readying)
        for ids, digests, matrix in overlapped(self._batches(stop), embed, workers=2):
            with self._store.write(made_by=self._readying.served) as writer:
                embedded += writer.embed(ids, matrix, digests=digests)
            if progress is not None:
                progress(EmbedProgress(embedded, self.awaiting()))
        return EmbedReport(embedded, self.awaiting(), round(time.perf_counter() - start, 3))

    def embed_chunks(self, chunks: Sequence[int]) -> None:
        """Embed some that wait, if they still do."""
        with self._store.read() as reader:
            batch = list(reader.passages(chunks))
        if batch:
            ids, digests, matrix = embedded_batch(self._readying, batch)
            with self._store.write(made_by=self._readying.served) as writer:
                writer.embed(ids, matrix, digests=digests)

    def awaiting(self) -> int:
        """How many chunks have no vector yet."""
        with self._store.read() as reader:
            return reader.awaiting_count

    def _batches(self, stop: Callable[[], bool]) -> Iterator[Waiting]:
        last = 0
        while not stop():
            with self._store.read() as reader:
                found = reader.waiting(_ROUND, after=last)
            if not found:
                return
            last = found[-1][0]
            for start in range(0, len(found), _BATCH):
                if stop():
                    return
                yield found[start : start + _BATCH]


def embedded_batch(
    readying: Readying, batch: Waiting
) -> tuple[IdArray, Sequence[bytes], FloatArray]:
    """Vectors of chunks that are in the file.

    Args:
        readying: Embeds passages.
        batch: At least one chunk with title, headings and text.

    Returns:
        Their ids, shape (n,), digests of what was embedded, and vectors, shape (n, dimension).
    """
    passages = [
        passage(title, tuple(heading.split("\n")) if heading else (), text)
        for _, title, heading, text in batch
    ]
    digests = [digest(each) for each in passages]
    vectors = readying.embedded(passages, digests)
    return np.array([row[0] for row in batch], dtype=np.int64), digests, np.stack(vectors)


class BackgroundEmbedding:
    """A thread that embeds what waits, woken by this process and looking by itself now and then.

    Args:
        embedding: Does the work, with the model that is the active one when it is asked.
    """

    def __init__(self, embedding: Callable[[], Embedding]) -> None:
        self._embedding = embedding
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call changes nothing."""
        if self._thread is None:
            self._thread = started(self._run, name="vstash-background")

    def wake(self) -> None:
        """Look at once."""
        self._wake.set()

    def close(self) -> None:
        """Leave the rest for later, and wait until the batch under way is stored."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.clear()
            try:
                embedding = self._embedding()
                if embedding.awaiting():
                    embedding.embed(stop=self._stopped.is_set)
            except VstashError as error:
                # They stay in the queue: the next look tries again, and searches say how many wait.
                _log.warning("embedding in the background failed: %s", error.code)
            except MemoryError:
                _log.warning("embedding in the background failed for want of memory")
            self._wake.wait(_PATIENCE_S)
