"""Making queries from the corpus, and asking both indexes for what is known to answer them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash import deadlines
from vstash.errors import FieldError
from vstash.mining import (
    FORMS,
    MADE_FORMS,
    Form,
    LanguageModel,
    MadeQuery,
    MineProgress,
    MineReport,
)
from vstash.pipeline.asking import Asking
from vstash.pipeline.documents import require_collection
from vstash.pipeline.known import KnownAnswers
from vstash.pipeline.paging import decode_cursor, encode_cursor, page_limit
from vstash.pipeline.prepare import MOST_SEED, check_whole, checked_collection
from vstash.store.made import MadeRow
from vstash.text.making import Frequencies, Passage, Source, made
from vstash.types import MaskReason, Page, TripleKind

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.mining import MineWatcher
    from vstash.pipeline.search import Searching
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.session import Reader
    from vstash.types import Chunk, Document

__all__ = ["MadeTally", "Mining", "checked_form"]

_MOST_PER_DOCUMENT: Final = 20
_MOST_LIMIT: Final = 10_000_000
# A second of work or two: what a kill can lose.
_BATCH: Final = 16
# Some hundredths of a second; who waits for the lock must find it free now and then.
_REMOVED: Final = 2_000
_PAUSE_S: Final = 0.005
# A longer document gives a part of it that is drawn.
_MOST_PASSAGES: Final = 64
_FROM_START: Final = frozenset({"title", "first_sentence"})
# Both indexes hold titles and headings with each passage.
_INDEXED: Final = frozenset({"title", "heading"})


@dataclass(slots=True)
class MadeTally:
    """What was stored so far."""

    queries: Counter[Form] = field(default_factory=Counter)
    triples: Counter[TripleKind] = field(default_factory=Counter)
    masked: Counter[MaskReason] = field(default_factory=Counter)
    disagreement: float = 0.0

    def add(self, row: MadeRow) -> None:
        """Count a query that was stored."""
        self.queries[row.form] += 1
        self.triples.update(triple.kind for triple in row.triples)
        self.masked.update(row.masked)
        self.disagreement += row.disagreement

    @property
    def mean(self) -> float | None:
        """Of the disagreements, None without a query."""
        count = self.queries.total()
        return round(self.disagreement / count, 6) if count else None


@dataclass(slots=True)
class _Run:
    """One call on its way."""

    collection: str
    most: int
    seed: int
    limit: int | None
    watcher: MineWatcher | None
    documents: int
    done: int
    start: float = field(default_factory=time.perf_counter)
    went: int = 0
    tally: MadeTally = field(default_factory=MadeTally)

    @property
    def room(self) -> bool:
        """Whether more may be made."""
        return self.limit is None or self.tally.queries.total() < self.limit

    def tell(self, form: Form) -> None:
        """Say how far it is."""
        if self.watcher is None:
            return
        pace = (time.perf_counter() - self.start) / self.went if self.went else None
        left = None if pace is None else round(pace * (self.documents - self.done), 1)
        made, triples = self.tally.queries.total(), self.tally.triples.total()
        self.watcher(MineProgress(form, self.done, self.documents, made, triples, left))


class Mining:
    """Makes queries from a corpus.

    Args:
        store: The file.
        searching: Asks it.
        embedder: The file's model.
        settings: Of the searches.
        clock: Microseconds since the epoch.
    """

    def __init__(
        self,
        store: Store,
        searching: Searching,
        embedder: Embedder,
        settings: Settings,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._answers = KnownAnswers(searching, embedder, settings)

    def mine(
        self,
        *,
        collection: str | None,
        forms: Sequence[Form],
        per_document: int,
        limit: int | None,
        seed: int,
        progress: MineWatcher | None,
        asked_by: LanguageModel | None,
    ) -> MineReport:
        """Make queries; see `Memory.mine`."""
        name = checked_collection(collection)
        if isinstance(forms, str) or not isinstance(forms, Sequence):
            raise FieldError(f"forms is a list of: {', '.join(MADE_FORMS)}.", pointer="/forms")
        asked = tuple(dict.fromkeys(checked_form(form, MADE_FORMS, "/forms") for form in forms))
        check_whole("per_document", per_document, 1, _MOST_PER_DOCUMENT)
        check_whole("seed", seed, 0, MOST_SEED)
        if limit is not None:
            check_whole("limit", limit, 1, _MOST_LIMIT)
        asking = None if asked_by is None else Asking(asked_by, self._settings)
        every: tuple[Form, ...] = asked if asking is None else (*asked, "asked")
        if not every:
            raise FieldError("Name at least one form.", pointer="/forms")
        with self._store.read() as reader:
            require_collection(reader, name)
            documents, done = self._documents(reader, name, every)
        with self._store.write():
            # What cannot be written is refused before the work, not after it.
            pass
        run = _Run(name, per_document, seed, limit, progress, documents, done)
        with nullcontext() if asking is None else closing(asking):
            run.tell(every[0])
            # In turns, so that a limit leaves something of each form.
            while every and run.room:
                every = tuple(form for form in every if self._batch(run, form, asking))
        return MineReport(
            collection=name,
            documents=run.went,
            left=run.documents - run.done,
            queries=dict(run.tally.queries),
            triples=dict(run.tally.triples),
            masked=dict(run.tally.masked),
            disagreement=run.tally.mean,
            seconds=round(time.perf_counter() - run.start, 3),
        )

    def _documents(self, reader: Reader, name: str, forms: Sequence[Form]) -> tuple[int, int]:
        """How many there are, once for each form, and how many were gone through before."""
        now = self._clock()
        every = reader.mined.documents(name, now=now)
        before = (
            reader.mined.documents(name, now=now, upto=reader.mined.upto(name, form))
            for form in forms
        )
        return len(forms) * every, sum(before)

    def _batch(self, run: _Run, form: Form, asking: Asking | None) -> bool:
        """Go through the next documents and store what they give; False where there are none."""
        if not run.room:
            return False
        with self._store.read() as reader:
            after = reader.mined.upto(run.collection, form)
            found = reader.page(run.collection, None, after=after, limit=_BATCH, now=self._clock())
        if not found:
            return False
        rows: list[MadeRow] = []
        last = after
        for number, document in found:
            if run.limit is not None and run.tally.queries.total() + len(rows) >= run.limit:
                break
            deadlines.check()
            rows += self._rows(run, form, document, asking)
            last = number
            run.went += 1
            run.done += 1
        if run.limit is not None:
            del rows[max(run.limit - run.tally.queries.total(), 0) :]
        with self._store.write() as writer:
            now = self._clock()
            stored = [row for row in rows if writer.mined.add(row, now=now)]
            writer.mined.reach(run.collection, form, last)
        for row in stored:
            run.tally.add(row)
        run.tell(form)
        return True

    def _rows(
        self, run: _Run, form: Form, document: Document, asking: Asking | None
    ) -> Iterator[MadeRow]:
        rng = Random(f"{run.seed} {form} {document.key}")  # noqa: S311 - can be repeated, no secret
        # A view for each: one for all would keep the write-ahead log from shrinking.
        with self._store.read() as reader:
            ids = reader.chunk_ids(document.id)
            first = rng.randrange(max(len(ids) - _MOST_PASSAGES, 0) + 1)
            first = 0 if form in _FROM_START else first
            chunks = reader.chunks(ids[first : first + _MOST_PASSAGES])
            there = [chunks[each][0] for each in sorted(chunks)]
            passages = [Passage(chunk.heading, chunk.text) for chunk in there]
            source = Source(
                document.title,
                passages,
                whole=first == 0,
                rng=rng,
                frequencies=_frequencies(reader),
                count=reader.chunk_count,
            )
            ready = made(form, source, run.most) if form != "asked" and passages else []
        if form == "asked" and asking is not None:
            ready = asking.made(source, run.most)
        for each in ready:
            yield self._row(run.collection, form, document, there[each.place], each.query)

    def _row(
        self, collection: str, form: Form, document: Document, chunk: Chunk, query: str
    ) -> MadeRow:
        with self._store.read() as reader:
            asked = self._answers.asked(reader, query, collection)
            legs = asked.legs
            if form in _INDEXED and chunk.id in legs.scores:
                legs = self._answers.bare(reader, asked, chunk.id, chunk.text)
            return self._answers.row(reader, legs, chunk.id, form, query, document.id)

    def made_queries(
        self, *, collection: str | None, form: Form | None, limit: int, cursor: str | None
    ) -> Page[MadeQuery]:
        """List them; see `Memory.made_queries`."""
        name = None if collection is None else checked_collection(collection)
        wanted = None if form is None else checked_form(form, FORMS, "/form")
        size = page_limit(limit)
        before = None if cursor is None else decode_cursor("made", cursor)
        with self._store.read() as reader:
            if name is not None:
                require_collection(reader, name)
            found = reader.mined.page(
                name, wanted, limit=size + 1, before=before, now=self._clock()
            )
        more = encode_cursor("made", found[size - 1].number) if len(found) > size else None
        return Page(tuple(found[:size]), more)

    def remove(self, *, collection: str | None, form: Form | None) -> int:
        """Remove them; see `Memory.remove_made`."""
        name = None if collection is None else checked_collection(collection)
        wanted = None if form is None else checked_form(form, FORMS, "/form")
        with self._store.write() as writer:
            if name is not None:
                require_collection(writer, name)
            last = writer.mined.restart(name, wanted)
            gone = writer.mined.remove(name, wanted, after=0, upto=last, limit=_REMOVED)
        removed = len(gone)
        while gone:
            time.sleep(_PAUSE_S)
            with self._store.write() as writer:
                gone = writer.mined.remove(name, wanted, after=gone[-1], upto=last, limit=_REMOVED)
            removed += len(gone)
        return removed


def checked_form(form: object, known: Sequence[Form], pointer: str) -> Form:
    """A form that there is.

    Raises:
        FieldError: When it is none of those that are known.
    """
    for each in known:
        if form == each:
            return each
    raise FieldError(f"A form is one of: {', '.join(known)}.", pointer=pointer)


def _frequencies(reader: Reader) -> Frequencies:
    """How many chunks hold each of some words."""

    def of(words: Collection[str]) -> Mapping[str, int]:
        table = reader.lengths()
        found = reader.postings(sorted(words), table)
        return {
            word: int(np.count_nonzero(table.lengths[posting.ids]))
            for word, posting in found.items()
        }

    return of
