"""Asking both indexes a query of which the answer is known, without logging it."""

from __future__ import annotations

from collections.abc import Collection, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vstash.learn.triples import DISAGREEMENT_K, OF_KNOWN, Mined, mine_known
from vstash.pipeline.learned import NOTHING_LEARNT
from vstash.pipeline.masking import bare
from vstash.pipeline.question import plain_question
from vstash.pipeline.record import BothLegs, Compared, both_legs, triple_rows
from vstash.pipeline.search import asked_words
from vstash.pipeline.stopwatch import Stopwatch
from vstash.store.made import MadeRow

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.learn.triples import Masks
    from vstash.mining import Form
    from vstash.pipeline.question import Question
    from vstash.pipeline.search import Found, Searching
    from vstash.search.words import QueryWords
    from vstash.settings import Settings
    from vstash.store.session import Reader
    from vstash.types import JsonObject

__all__ = ["Asked", "KnownAnswers"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query found."""

    question: Question
    words: QueryWords
    found: Found
    legs: BothLegs


class KnownAnswers:
    """Asks, and compares the legs.

    Args:
        searching: Asks the file.
        embedder: The file's model.
        settings: Of the searches.
    """

    def __init__(self, searching: Searching, embedder: Embedder, settings: Settings) -> None:
        self._searching = searching
        self._embedder = embedder
        self._settings = settings

    def asked(
        self, reader: Reader, query: str, collection: str | None, where: JsonObject | None = None
    ) -> Asked:
        """Ask both indexes by the strategy ``score``, without what was learnt; nothing is learnt by it."""
        question = self._searching.embedded(
            plain_question(
                query,
                k=DISAGREEMENT_K,
                collection=collection,
                where=where,
                settings=self._settings,
                dimension=self._embedder.info.dimension,
            )
        )
        words = asked_words(question.query)
        found = self._searching.find(reader, question, words, Stopwatch(), learnt=NOTHING_LEARNT)
        candidates, scored = found.answers.candidates, found.scored
        fused = None if scored is None else scored.fused.score
        every, owners = np.arange(len(candidates.ids)), reader.owners(candidates.ids)
        return Asked(question, words, found, both_legs(candidates, fused, every, owners))

    def bare(self, reader: Reader, asked: Asked, chunk: int, text: str) -> BothLegs:
        """Both legs with a chunk where it would be without its title and headings."""
        vector = asked.question.vector
        assert vector is not None  # noqa: S101 - both indexes were asked
        return bare(
            asked.legs,
            chunk,
            text,
            found=asked.found,
            words=asked.words,
            vector=vector,
            embedder=self._embedder,
            mean_length=reader.lengths().mean,
        )

    def mined(
        self,
        reader: Reader,
        legs: BothLegs,
        positives: Collection[int],
        *,
        also: Container[str] = frozenset(),
        masks: Masks = OF_KNOWN,
    ) -> Mined:
        """The triples of known positives; see `mine_known`."""
        first = {
            entry.chunk_id for leg in (legs.vector, legs.keyword) for entry in leg[:DISAGREEMENT_K]
        }
        known = Compared.read(reader, np.array(sorted(first), dtype=np.int64))
        return mine_known(
            positives,
            legs.vector,
            legs.keyword,
            legs.scores,
            likeness=known.likeness,
            also=also,
            masks=masks,
        )

    def row(
        self,
        reader: Reader,
        legs: BothLegs,
        positive: int,
        form: Form,
        query: str,
        document: str,
        also: Container[str] = frozenset(),
    ) -> MadeRow:
        """A query as it is stored, with the triples of one positive."""
        mined = self.mined(reader, legs, {positive}, also=also)
        return MadeRow(
            document=document,
            positive=positive,
            form=form,
            query=query,
            disagreement=legs.disagreement,
            vector_leg=legs.vector[:DISAGREEMENT_K],
            keyword_leg=legs.keyword[:DISAGREEMENT_K],
            triples=triple_rows(mined),
            masked=mined.masked,
        )
