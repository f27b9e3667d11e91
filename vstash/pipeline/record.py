"""What the disagreement log keeps of a search."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from vstash.learn.triples import DISAGREEMENT_K, LegScores, Mined, disagreement_at, mine
from vstash.search.fusion import Background, Candidates
from vstash.search.trust import Evidence
from vstash.store.rows import SearchRow, TripleRow
from vstash.types import LegEntry, SearchResult

if TYPE_CHECKING:
    from vstash.store.session import Reader
    from vstash.types import FloatArray, IdArray

__all__ = ["BothLegs", "Compared", "Logged", "both_legs", "compared", "search_row", "triple_rows"]


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
        fused: Scores of the candidates by the strategy ``score``, None where another one fused.
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
    fused: FloatArray | None = None

    def compared(self) -> IdArray:
        """Positions of the candidates that triples come from."""
        return compared(self.candidates)


def compared(candidates: Candidates) -> IdArray:
    """Positions of the candidates in the first places of either leg, where triples come from."""
    ranks = np.stack([candidates.vector_rank, candidates.keyword_rank])
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

    @classmethod
    def read(cls, reader: Reader, ids: IdArray) -> Compared:
        """Look up what is known of chunks by id."""
        model = reader.model
        found, vectors = reader.vectors(0 if model is None else model[0], ids)
        places = {int(chunk): place for place, chunk in enumerate(found)}
        return cls(reader.owners(ids), places, vectors, reader.digests(ids))

    def likeness(self, one: int, other: int) -> float:
        """Cosine of two chunks' vectors, 1 for equal passages, NaN where it is not known."""
        digest = self.digests.get(one)
        if digest is not None and digest == self.digests.get(other):
            return 1.0
        if one not in self.places or other not in self.places:
            return math.nan
        return float(self.vectors[self.places[one]] @ self.vectors[self.places[other]])


@dataclass(frozen=True, slots=True)
class BothLegs:
    """What both indexes list for a query.

    Attributes:
        vector: Best first, with cosines.
        keyword: Best first, with BM25.
        scores: Of the chunks that are compared.
    """

    vector: tuple[LegEntry, ...]
    keyword: tuple[LegEntry, ...]
    scores: Mapping[int, LegScores]

    @property
    def disagreement(self) -> float:
        """How far their first 10 differ, in [0, 1]."""
        vector, keyword = ([entry.chunk_id for entry in leg] for leg in (self.vector, self.keyword))
        return disagreement_at(vector, keyword, DISAGREEMENT_K)


def both_legs(
    candidates: Candidates, fused: FloatArray | None, first: IdArray, owners: Mapping[int, str]
) -> BothLegs:
    """Take both legs apart again.

    Args:
        candidates: Their union.
        fused: Scores of the candidates by the strategy ``score``, None where another one fused.
        first: Positions of the candidates that are compared.
        owners: Document ids of their chunks.
    """
    ids, cosines, bm25 = (
        values[first].tolist() for values in (candidates.ids, candidates.cosine, candidates.bm25)
    )
    together = [math.nan] * len(ids) if fused is None else fused[first].tolist()
    rows = zip(ids, cosines, bm25, together, strict=True)
    return BothLegs(
        _leg(candidates, candidates.vector_rank, candidates.cosine),
        _leg(candidates, candidates.keyword_rank, candidates.bm25),
        {chunk: LegScores(owners.get(chunk, ""), *scores) for chunk, *scores in rows},
    )


def _leg(candidates: Candidates, ranks: IdArray, scores: FloatArray) -> tuple[LegEntry, ...]:
    listed = np.flatnonzero(ranks)
    best = listed[np.argsort(ranks[listed])]
    return tuple(map(LegEntry, candidates.ids[best].tolist(), scores[best].tolist()))


def triple_rows(mined: Mined) -> list[TripleRow]:
    """Triples as they are stored."""
    return [
        TripleRow(triple.positive, triple.negative, triple.kind, json.dumps(triple.evidence))
        for triple in mined.triples
    ]


def search_row(logged: Logged, known: Compared) -> SearchRow:
    """Describe one hybrid search for the log.

    Args:
        logged: The search.
        known: What is known of the chunks that were compared.

    Returns:
        Both legs' first 10 with raw scores, their disagreement, and the triples that follow.
    """
    result, background = logged.result, logged.background
    legs = both_legs(logged.candidates, logged.fused, logged.compared(), known.owners)
    mined = mine(
        legs.vector,
        legs.keyword,
        legs.scores,
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
        disagreement=legs.disagreement,
        vector_leg=legs.vector[:DISAGREEMENT_K],
        keyword_leg=legs.keyword[:DISAGREEMENT_K],
        triples=triple_rows(mined),
        evidence=None if logged.evidence is None else astuple(logged.evidence),
        masked=mined.masked,
    )
