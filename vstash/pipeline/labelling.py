"""Triples from queries that were given with judgements."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from vstash import deadlines
from vstash.errors import FieldError
from vstash.learn.triples import DISAGREEMENT_K
from vstash.mining import LabelReport
from vstash.pipeline.documents import require_collection
from vstash.pipeline.known import KnownAnswers
from vstash.pipeline.mining import MadeTally
from vstash.pipeline.prepare import checked_collection, checked_key, readable_query

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.pipeline.record import BothLegs
    from vstash.pipeline.search import Searching
    from vstash.settings import Settings
    from vstash.store.made import MadeRow
    from vstash.store.protocol import Store
    from vstash.store.session import Reader

__all__ = ["Labelling"]

_MOST_QUERIES: Final = 1_000_000
_MOST_POSITIVES: Final = 3
_BATCH: Final = 32
_MOST_GRADE: Final = 2**31

Judgements = Mapping[str, Mapping[str, int]]


class Labelling:
    """Asks given queries, and compares the legs on what is judged relevant.

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

    def label(
        self,
        queries: Mapping[str, str],
        judgements: Judgements,
        *,
        collection: str | None,
        progress: Callable[[int, int], None] | None,
    ) -> LabelReport:
        """Store queries with judgements; see `Memory.label`."""
        start = time.perf_counter()
        name = checked_collection(collection)
        checked = _checked(queries, judgements, self._settings)
        with self._store.read() as reader:
            require_collection(reader, name)
            known, unknown = self._known(reader, name, checked)
        tally, stored = MadeTally(), 0
        asked = [(query, owners) for query, owners in known if owners]
        for at in range(0, len(asked), _BATCH):
            rows: list[MadeRow] = []
            for query, owners in asked[at : at + _BATCH]:
                deadlines.check()
                with self._store.read() as reader:
                    rows += self._rows(reader, name, query, owners)
            with self._store.write() as writer:
                now = self._clock()
                added = [row for row in rows if writer.mined.add(row, now=now)]
            for row in added:
                tally.add(row)
            stored += len(added)
            if progress is not None:
                progress(min(at + _BATCH, len(asked)), len(asked))
        masked, triples = dict(tally.masked), dict(tally.triples)
        negatives = tally.masked["judged"] + tally.triples.total()
        return LabelReport(
            collection=name,
            queries=len(asked),
            unanswered=len(checked) - len(asked),
            unknown=unknown,
            stored=stored,
            triples=triples,
            masked=masked,
            false_negatives=round(tally.masked["judged"] / negatives, 6) if negatives else None,
            disagreement=tally.mean,
            seconds=round(time.perf_counter() - start, 3),
        )

    def _known(
        self, reader: Reader, name: str, checked: Sequence[tuple[str, Sequence[str]]]
    ) -> tuple[list[tuple[str, frozenset[str]]], int]:
        """Each query with the ids of its relevant documents; how many keys are not there."""
        now = self._clock()
        owners: dict[str, str | None] = {}
        for _, keys in checked:
            for key in keys:
                if key not in owners:
                    found = reader.document_by_key(name, key, now=now)
                    owners[key] = None if found is None else found[1].id
        known = [
            (query, frozenset(owner for key in keys if (owner := owners[key]) is not None))
            for query, keys in checked
        ]
        return known, sum(owner is None for owner in owners.values())

    def _rows(
        self, reader: Reader, name: str, query: str, owners: frozenset[str]
    ) -> Iterator[MadeRow]:
        legs = self._answers.asked(reader, query, name).legs
        for document, chunk in _positives(legs, owners):
            yield self._answers.row(
                reader, legs, chunk, "labelled", query, document, owners - {document}
            )


def _positives(legs: BothLegs, owners: frozenset[str]) -> list[tuple[str, int]]:
    """Of each relevant document the first chunk that a leg lists, those that are listed first."""
    ranks: dict[int, int] = {}
    for leg in (legs.vector, legs.keyword):
        for rank, entry in enumerate(leg[:DISAGREEMENT_K]):
            ranks[entry.chunk_id] = min(rank, ranks.get(entry.chunk_id, rank))
    found: dict[str, int] = {}
    for chunk in sorted(ranks, key=lambda each: (ranks[each], each)):
        owner = legs.scores[chunk].document_id
        if owner in owners:
            found.setdefault(owner, chunk)
    return [*found.items()][:_MOST_POSITIVES]


def _checked(
    queries: object, judgements: object, settings: Settings
) -> list[tuple[str, Sequence[str]]]:
    """Each query's text with the keys of its relevant documents.

    Raises:
        FieldError: When one is malformed; nothing was stored.
    """
    if not isinstance(queries, Mapping) or not 0 < len(queries) <= _MOST_QUERIES:
        raise FieldError(
            f"queries has 1 to {_MOST_QUERIES:,} texts by their ids.", pointer="/queries"
        )
    if not isinstance(judgements, Mapping):
        raise FieldError("judgements has keys and grades by query id.", pointer="/judgements")
    for identity, judged in judgements.items():
        if identity not in queries or not isinstance(judged, Mapping):
            raise FieldError(
                "judgements names a query that is not given, or has no grades by key.",
                pointer="/judgements",
            )
    return [
        (_text(text, settings), _relevant(judgements.get(identity, {})))
        for identity, text in queries.items()
    ]


def _text(text: object, settings: Settings) -> str:
    if not isinstance(text, str) or not text.strip() or len(text) > settings.max_query_chars:
        raise FieldError(
            f"A query has 1 to {settings.max_query_chars:,} characters.", pointer="/queries"
        )
    return readable_query(text)


def _relevant(judged: Mapping[object, object]) -> list[str]:
    for key, grade in judged.items():
        if not isinstance(key, str):
            raise FieldError("judgements names documents by key.", pointer="/judgements")
        checked_key(key, pointer="/judgements")
        if isinstance(grade, bool) or not isinstance(grade, int) or abs(grade) > _MOST_GRADE:
            raise FieldError("A grade is a whole number.", pointer="/judgements")
    return [str(key) for key, grade in judged.items() if isinstance(grade, int) and grade > 0]
