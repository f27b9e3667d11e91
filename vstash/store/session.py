"""One read transaction: a consistent view of the file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import apsw

from vstash.feedback import JudgedSearch
from vstash.filters import Filter
from vstash.keys import AccessKey
from vstash.replies import Reply, Request
from vstash.store import (
    calibration,
    code_table,
    documents,
    feedback,
    keys,
    keyword,
    log,
    models,
    queue,
    replies,
    vectors,
)
from vstash.store.allowed import Allowed, find_allowed
from vstash.store.backup import made_at, state_of
from vstash.store.code_table import CodeTable
from vstash.store.connection import fetch
from vstash.store.counts import counts, gauges
from vstash.store.derived import Derived, LatestDerived
from vstash.store.document_reader import DocumentReader
from vstash.store.faults import index_damaged, require
from vstash.store.indexes import IndexReader
from vstash.store.jobs import JobReader
from vstash.store.learned import LearnedReader
from vstash.store.leftovers import LeftoverReader
from vstash.store.lengths import LengthTable
from vstash.store.log_reading import LogReader
from vstash.store.models import Served
from vstash.store.postings import Posting, last_posted, postings
from vstash.store.rows import EarlierSearch, Leg, StoreCounts, StoreGauges
from vstash.store.traces import TraceReader
from vstash.types import Disagreement, ModelInfo

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = ["Reader"]

# Survivors of the coarse scan for each place of a list, for those that are long.
_CANDIDATES: Final = 4


class Reader(DocumentReader):
    """A consistent view of the file; lives as long as the `with` block that it came from.

    Args:
        connection: In a transaction.
        derived: What the store keeps in memory, shared by its readers.
    """

    def __init__(self, connection: apsw.Connection, derived: LatestDerived) -> None:
        super().__init__(connection)
        self._shared = derived

    @cached_property
    def _derived(self) -> Derived:
        return self._shared.at(self.derived_anew)

    @cached_property
    def _meta(self) -> dict[str, int]:
        try:
            rows = fetch(self._connection, "SELECT name, value FROM meta")
        except apsw.SQLError:
            # Without its counters a file can still be opened, checked and repaired.
            return {}
        return {str(name): value for name, value in rows if type(value) is int}

    @property
    def change_counter(self) -> int:
        """Grows with every write of any process."""
        return self._meta.get("change_counter", 0)

    @property
    def chunk_count(self) -> int:
        """Number of chunks in the file."""
        return self._meta.get("chunk_count", 0)

    @property
    def awaiting_count(self) -> int:
        """Number of chunks that have no vector yet."""
        return self._meta.get("awaiting_count", 0)

    @property
    def normaliser(self) -> int | None:
        """Version of the rules that the keyword index was derived with, 0 in a new file.

        None in one that lost the number: a check says so.
        """
        return self._meta.get("normaliser")

    @property
    def coder(self) -> int | None:
        """Version of the rules that the codes were derived with, 0 in a new file; None as above."""
        return self._meta.get("coder")

    @property
    def derived_anew(self) -> int:
        """Grows whenever words or codes were derived anew, or a backup was restored."""
        return self._meta.get("derived_anew", 0)

    @property
    def state(self) -> tuple[object, ...]:
        """What differs between two moments when anything was changed between them."""
        return state_of(self._connection)

    @property
    def made(self) -> int | None:
        """When the file was made, as `made_at` tells; None in one that lost it."""
        return made_at(self._connection)

    @property
    def model(self) -> tuple[int, ModelInfo] | None:
        """The active model and its number, None in a file without one."""
        return models.active_model(self._connection)

    @property
    def served(self) -> Served | None:
        """The active model as it is told from others, None in a file without one."""
        return models.served(self._connection)

    @property
    def indexes(self) -> IndexReader:
        """The indexes of the file's models."""
        return IndexReader(self._connection)

    def allowed(self, collection: str, where: Filter | None, *, now: int) -> Allowed | None:
        """Chunks that a search may return.

        Args:
            collection: Name of a collection.
            where: Further conditions, None for none.
            now: Microseconds since the epoch; what has expired by then is left out.

        Returns:
            None when every chunk of the file is allowed.
        """
        return find_allowed(
            self._connection,
            self._derived.allowed,
            collection,
            where,
            counter=self.change_counter,
            now=now,
        )

    def lengths(self) -> LengthTable:
        """How many words each chunk has, by chunk id."""
        return self._derived.lengths(self._connection, self.change_counter)

    def last_posted(self) -> int:
        """The highest chunk id that the packed postings hold or held."""
        return last_posted(self._connection)

    def postings(
        self, words: Sequence[str], table: LengthTable, *, after: int = 0
    ) -> dict[str, Posting]:
        """Where derived words occur, in chunks that are gone too.

        Args:
            words: Distinct derived tokens.
            table: This reader's lengths, which every chunk id must be in.
            after: Only in chunks with higher ids.

        Raises:
            IndexDamagedError: When they cannot be read.
        """
        with index_damaged("postings"):
            found = postings(self._connection, words, after=after)
            size = len(table.lengths)
            require(all(posting.fits(size) for posting in found.values()))
        return found

    def vector_leg(
        self,
        model: int,
        query: FloatArray,
        *,
        depth: int,
        sure: int,
        allowed: Allowed | None,
        in_memory: bool,
    ) -> Leg:
        """The best chunks by cosine, and others whose cosine was read on the way.

        Args:
            model: The model's number in the file.
            query: Shape (dimension,), float32, length 1.
            depth: Length of the list that is wanted, at least 1.
            sure: How many of its first hits must be the true ones.
            allowed: Chunks that may be listed, None for all.
            in_memory: Scan the codes in memory; False leaves the scan to sqlite-vec.

        Returns:
            The list, best first; ties by id.

        Raises:
            IndexDamagedError: When the codes cannot be read.
        """
        ids = None if allowed is None else allowed.ids
        if self._size(allowed) <= (vectors.EXACT_LIMIT if in_memory else vectors.PLAIN_LIMIT):
            return vectors.best(self._connection, model, query, among=ids)
        if not in_memory:
            survivors = vectors.coarse(self._connection, model, query, depth=depth, allowed=ids)
            return vectors.best(self._connection, model, query, among=survivors)
        table = self._code_table(model)
        with index_damaged("codes"):
            living = self.lengths().living if allowed is None else allowed.mask
            # Chunks that are gone may be the nearest of all: they must not take the places of others.
            gone = table.count > self.chunk_count - self.awaiting_count
            estimates = code_table.nearest(
                table,
                query,
                living=living,
                masked=gone or allowed is not None,
                least=_CANDIDATES * depth,
            )
        return vectors.surest(self._connection, model, query, estimates, depth=depth, sure=sure)

    def _size(self, allowed: Allowed | None) -> int:
        """How many chunks a search is among."""
        return self.chunk_count if allowed is None else len(allowed.ids)

    def _code_table(self, model: int) -> CodeTable:
        with index_damaged("codes"):
            return self._derived.codes(
                self._connection,
                model,
                counter=self.change_counter,
                vector_count=self.chunk_count - self.awaiting_count,
            )

    def cosines(self, model: int, query: FloatArray, ids: IdArray) -> tuple[IdArray, FloatArray]:
        """True cosines of chunks, by ascending id."""
        return vectors.cosines(self._connection, model, query, ids)

    def vectors(self, model: int, ids: IdArray) -> tuple[IdArray, FloatArray]:
        """Vectors of chunks that have one, by ascending id: ids (n,), vectors (n, dimension)."""
        return vectors.vectors_of(self._connection, model, ids)

    def sample_state(self, model: int) -> tuple[int, ...]:
        """What a sample of all vectors depends on: while it stays, the sample does."""
        count = self.chunk_count - self.awaiting_count
        return (*vectors.sample_state(self._connection, model, count), self.derived_anew)

    def warm(self, model: int, allowed: Allowed | None) -> None:
        """Bring up to date the codes in memory, where `vector_leg` will scan them.

        Args:
            model: The model's number in the file.
            allowed: Chunks that may be listed, None for all.

        Raises:
            IndexDamagedError: When the codes cannot be read.
        """
        if self._size(allowed) > vectors.EXACT_LIMIT:
            self._code_table(model)

    def sample(self, model: int, size: int, dimension: int, allowed: IdArray | None) -> FloatArray:
        """Vectors of chunks spread over the file, shape (n, dimension)."""
        return vectors.sample(self._connection, model, size, dimension, allowed)

    def ranked_by_fts(self, words: Sequence[str], *, depth: int, allowed: Allowed | None) -> Leg:
        """The keyword leg by FTS5's own ranking, for when the packed postings cannot be read.

        Args:
            words: Distinct derived tokens.
            depth: At most this many.
            allowed: Chunks that may be listed, None for all.
        """
        ids = None if allowed is None else allowed.ids
        return keyword.ranked(self._connection, words, depth=depth, allowed=ids)

    def phrase(self, words: Sequence[str], *, most: int, allowed: Allowed | None) -> IdArray:
        """Chunks in which derived tokens follow one another, ascending.

        Args:
            words: Derived tokens in order, at least one.
            most: At most this many chunks.
            allowed: Chunks that may be listed, None for all.

        Raises:
            IndexDamagedError: When the keyword index cannot be read.
        """
        ids = None if allowed is None else allowed.ids
        with index_damaged("keyword index"):
            return keyword.phrase(self._connection, words, most=most, allowed=ids)

    def logged_evidence(self, collection: str) -> list[tuple[float, float, int]]:
        """What the latest searches told of a collection, oldest first: gap, best, agreed."""
        return log.evidence(self._connection, collection)

    def whole_log(self, collection: str | None) -> LogReader:
        """The log of searches of a collection, None for all, to be summed up."""
        return LogReader(self._connection, collection)

    def earlier_search(self, session: str, collection: str, *, since: int) -> EarlierSearch | None:
        """The last search of a session in a collection, None for none since a time."""
        return log.earlier(self._connection, session, collection, since=since)

    def unredacted(
        self, *, collection: str | None, after: int, limit: int
    ) -> list[tuple[int, str, str, str | None, str | None]]:
        """Searches whose text is kept: number, collection, query, fingerprint and session."""
        return log.unredacted(self._connection, collection=collection, after=after, limit=limit)

    def digests(self, ids: IdArray) -> dict[int, bytes]:
        """What was embedded for chunks, where vstash itself embedded them, as digests."""
        return queue.digests(self._connection, ids)

    def calibration(self, model: int) -> tuple[float, ...] | None:
        """How relevance follows from its features, as learnt of this file, None for nothing: the intercept last."""
        return calibration.calibration(self._connection, model)

    def waiting(self, limit: int, *, after: int) -> list[tuple[int, str, str, str]]:
        """Chunks that await a vector, with their titles, headings and texts, after a chunk id."""
        ids = queue.waiting(self._connection, limit, after)
        return list(documents.passages(self._connection, ids))

    def known_vectors(self, model: Served, digests: Sequence[bytes]) -> dict[bytes, bytes]:
        """Vectors that equal passages already have, as float32 bytes by digest."""
        if not models.knows(self._connection, model):
            return {}
        return queue.known_vectors(self._connection, model.number, digests)

    def disagreements(
        self, *, collection: str | None, limit: int, before: int | None
    ) -> list[tuple[int, Disagreement]]:
        """Logged searches of a collection, None for all, with internal numbers, newest first."""
        return log.disagreements(
            self._connection, collection=collection, limit=limit, before=before
        )

    def logged_search(self, search_id: str) -> tuple[int, str] | None:
        """The internal number and the collection of a logged search, None for none."""
        return feedback.logged_search(self._connection, search_id)

    def judged_searches(
        self, *, collection: str | None, limit: int, before: int | None, now: int
    ) -> list[tuple[int, JudgedSearch]]:
        """Searches of a collection, None for all, that got feedback, with numbers, newest first."""
        return feedback.judged_searches(
            self._connection, collection=collection, limit=limit, before=before, now=now
        )

    def reply(self, request: Request, *, now: int) -> tuple[bytes, Reply | None] | None:
        """What an earlier request with the same owner and key was, and what it was answered."""
        return replies.find(self._connection, request, now=now)

    def access_keys(self, key_id: str | None = None) -> list[tuple[AccessKey, bytes]]:
        """All access keys with the digests of their secrets, or the one with an id."""
        return keys.find_keys(self._connection, key_id)

    @property
    def jobs(self) -> JobReader:
        """The jobs of the file."""
        return JobReader(self._connection)

    @property
    def learned(self) -> LearnedReader:
        """What was learnt of the file's collections."""
        return LearnedReader(self._connection)

    @property
    def leftovers(self) -> LeftoverReader:
        """What chunks that are gone left in the indexes."""
        return LeftoverReader(self._connection)

    @property
    def traces(self) -> TraceReader:
        """What tells of documents beside themselves."""
        return TraceReader(self._connection)

    def counts(self) -> StoreCounts:
        """How much the file holds."""
        return counts(self._connection, self.model, awaiting=self.awaiting_count)

    def gauges(self) -> StoreGauges:
        """What to watch of the file; costs little."""
        return gauges(self._connection)
