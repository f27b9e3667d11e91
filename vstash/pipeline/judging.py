"""Feedback on searches: stored beside the log, and read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vstash.errors import ChunkNotFoundError, FieldError, SearchNotFoundError, VstashError
from vstash.errors.missing import no_search
from vstash.feedback import VERDICTS, Feedback, JudgedSearch, Verdict
from vstash.pipeline.once import settle
from vstash.pipeline.paging import decode_cursor, encode_cursor, page_limit
from vstash.pipeline.prepare import checked_chunk_id, checked_collection, checked_key
from vstash.store.documents import to_datetime
from vstash.types import Document, Page

if TYPE_CHECKING:
    from vstash.learn.recorder import Recorder
    from vstash.pipeline.record import Logged
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.store.writer import Writer

__all__ = ["Judging"]


class Judging:
    """Stores what callers say of the chunks that searches returned.

    Args:
        store: The file.
        recorder: Of the log, which holds searches back for a moment.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, recorder: Recorder[Logged], clock: Callable[[], int]) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock

    def feedback(self, given: Feedback) -> Verdict:
        """Store one verdict; see `Memory.feedback`."""
        checked = _checked(given)
        self._recorder.flush()
        with self._store.write() as writer:
            verdict = self._judged(writer, checked)
            settle(writer, verdict)
            return verdict

    def feedback_batch(self, given: Sequence[Feedback]) -> tuple[Verdict | VstashError, ...]:
        """Store many verdicts; see `Memory.feedback_batch`."""
        self._recorder.flush()
        with self._store.write() as writer:
            outcomes = tuple(self._outcome(writer, each) for each in given)
            settle(writer, outcomes)
            return outcomes

    def _outcome(self, writer: Writer, given: Feedback) -> Verdict | VstashError:
        try:
            return self._judged(writer, _checked(given))
        except (FieldError, SearchNotFoundError, ChunkNotFoundError) as error:
            return error

    def _judged(self, writer: Writer, given: Feedback) -> Verdict:
        now = self._clock()
        logged = writer.logged_search(given.search_id)
        if logged is None or given.collection not in {None, logged[1]}:
            raise no_search()
        search, collection = logged
        found = _document(writer, given.chunk_id, collection, now)
        if found is None:
            raise ChunkNotFoundError(
                "There is no chunk with this id in the collection that was searched: replacing a "
                "document ends its chunks.",
                pointer="/chunk_id",
            )
        number, document = found
        verdict, at = writer.judge(
            search=search, document=number, chunk=given.chunk_id, verdict=given.verdict, now=now
        )
        return Verdict(given.chunk_id, document.id, document.key, verdict, to_datetime(at))

    def searches(
        self, *, collection: str | None = None, limit: int, cursor: str | None
    ) -> Page[JudgedSearch]:
        """List judged searches; see `Memory.judged_searches`."""
        name = None if collection is None else checked_collection(collection)
        size = page_limit(limit)
        before = None if cursor is None else decode_cursor("judged", cursor)
        with self._store.read() as reader:
            found = reader.judged_searches(
                collection=name, limit=size + 1, before=before, now=self._clock()
            )
        more = encode_cursor("judged", found[size - 1][0]) if len(found) > size else None
        return Page(tuple(item for _, item in found[:size]), more)


def _checked(given: Feedback) -> Feedback:
    checked_key(given.search_id, pointer="/search_id")
    checked_chunk_id(given.chunk_id)
    if given.collection is not None:
        checked_collection(given.collection)
    if given.verdict not in VERDICTS:
        raise FieldError(f"verdict is one of: {', '.join(VERDICTS)}.", pointer="/verdict")
    return given


def _document(
    reader: Reader, chunk_id: int, collection: str, now: int
) -> tuple[int, Document] | None:
    """The document of a chunk with its number; None where the search could not have found it."""
    owner = reader.owners(np.array([chunk_id], dtype=np.int64)).get(chunk_id)
    found = None if owner is None else reader.document(owner, now=now)
    return found if found is not None and found[1].collection == collection else None
