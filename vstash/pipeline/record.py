"""What the disagreement log keeps of a search."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from vstash.learn.triples import DISAGREEMENT_K, LegScores, disagreement_at, mine
from vstash.search.fusion import Background, Candidates
from vstash.search.trust import Evidence
from vstash.store.rows import SearchRow, TripleRow
from vstash.types import LegEntry, SearchResult

if TYPE_CHECKING:
    from vstash.types import FloatArray, IdArray

__all__ = ["Compared", "Logged", "search_row"]


def _leg(candidates: Candidates, ranks: IdArray, scores: FloatArray) -> tuple[LegEntry, ...]:
    listed = np.flatnonzero(ranks)
    best = listed[np.argsort(ranks[listed])]
    return tuple(map(LegEntry, candidates.ids[best].tolist(), scores[best].tolist()))


@dataclass(frozen=True, slots=True)
class Logged:
    """A hybrid search that was answered and waits to be logged.

    Attributes:
        query: As it was looked up.
        where: The filter, as text that is equal for equal ones.
        session: As the caller named it, None for none.
        background: Of the query's cosines.
        evidence: What the search told of its collection.
        at: When, microseconds since the epoch.
    """

    result: SearchResult
    query: str
    collection: str
    where: str
    session: str | None
    candidates: Candidates
    background: Background
    evidence: Evidence | None
    at: int

    def compared(self) -> IdArray:
        """Positions of the candidates in the first places of either leg, where triples come from."""
        ranks = np.stack([self.candidates.vector_rank, self.candidates.keyword_rank])
        return np.flatnonzero(((ranks > 0) & (ranks <= DISAGREEMENT_K)).any(axis=0))


@dataclass(frozen=True, slots=True)
class Compared:
    """What is known of chunks that were compared and still exist.

    Attributes:
        owners: Their documents' ids.
        places: Where their vectors are in ``vectors``.
        vectors: Of length 1, shape (n, dimension).
        digests: Of what was embedded for them.
    """

    owners: Mapping[int, str]
    places: Mapping[int, int]
    vectors: FloatArray
    digests: Mapping[int, bytes]

    def likeness(self, one: int, other: int) -> float:
        """Cosine of two chunks' vectors, 1 for equal passages, NaN where it is not known."""
        digest = self.digests.get(one)
        if digest is not None and digest == self.digests.get(other):
            return 1.0
        if one not in self.places or other not in self.places:
            return math.nan
        return float(self.vectors[self.places[one]] @ self.vectors[self.places[other]])


def search_row(logged: Logged, known: Compared) -> SearchRow:
    """Describe one hybrid search for the log.

    Args:
        logged: The search.
        known: What is known of the chunks that were compared.

    Returns:
        Both legs' first 10 with raw scores, their disagreement, and the triples that follow.
    """
    result, candidates, background = logged.result, logged.candidates, logged.background
    vector_leg = _leg(candidates, candidates.vector_rank, candidates.cosine)
    keyword_leg = _leg(candidates, candidates.keyword_rank, candidates.bm25)
    compared = logged.compared()
    scores = {
        chunk: LegScores(known.owners.get(chunk, ""), cosine, bm25)
        for chunk, cosine, bm25 in zip(
            candidates.ids[compared].tolist(),
            candidates.cosine[compared].tolist(),
            candidates.bm25[compared].tolist(),
            strict=True,
        )
    }
    mined = mine(
        vector_leg,
        keyword_leg,
        scores,
        typical_cosine=background.mean + background.deviation,
        likeness=known.likeness,
    )
    return SearchRow(
        id=result.id,
        at=logged.at,
        query=logged.query,
        collection=logged.collection,
        mode=result.mode,
        strategy=result.strategy,
        weights=result.weights,
        k=DISAGREEMENT_K,
        disagreement=disagreement_at(
            [entry.chunk_id for entry in vector_leg],
            [entry.chunk_id for entry in keyword_leg],
            DISAGREEMENT_K,
        ),
        vector_leg=vector_leg[:DISAGREEMENT_K],
        keyword_leg=keyword_leg[:DISAGREEMENT_K],
        triples=[
            TripleRow(triple.positive, triple.negative, triple.kind, json.dumps(triple.evidence))
            for triple in mined.triples
        ],
        evidence=None if logged.evidence is None else astuple(logged.evidence),
        masked=mined.masked,
    )
