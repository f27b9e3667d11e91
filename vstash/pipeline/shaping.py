"""From scored candidates to those that are returned: recency, folding, collapsing, MMR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from vstash.search.candidates import order
from vstash.search.diversity import chosen_by_mmr, collapsed, folded
from vstash.search.recency import recency

if TYPE_CHECKING:
    from vstash.pipeline.shape import Shape
    from vstash.search.fusion import Candidates
    from vstash.store.session import Reader
    from vstash.types import FloatArray, IdArray

__all__ = ["MOST_DEPTH", "GaveWay", "Shaped", "deeper", "recency_part", "shaped", "unshaped"]

# How many candidates each leg lists at most for answers that choose among them.
MOST_DEPTH: Final = 2000
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class GaveWay:
    """One step that lets some candidates stand for others.

    Attributes:
        step: ``folded`` or ``collapsed``.
        positions: Of the candidates before it, best first, shape (n,).
        into: The position of the one that stands for each, its own where it stays, shape (n,).
    """

    step: Literal["folded", "collapsed"]
    positions: IdArray
    into: IdArray


@dataclass(frozen=True, slots=True)
class Shaped:
    """What is returned, in its order.

    Attributes:
        positions: Of the candidates, shape (m,).
        scores: Their scores with the part of recency, shape (m,).
        recency: That part, shape (m,); None where it was not asked for.
        more: How many other candidates each one stands for, shape (m,).
        gave_way: How candidates gave way to better ones, one for each step that made them.
    """

    positions: IdArray
    scores: FloatArray
    recency: FloatArray | None
    more: IdArray
    gave_way: tuple[GaveWay, ...] = ()


def unshaped(best: IdArray, scores: FloatArray) -> Shaped:
    """The best candidates as they are.

    Args:
        best: Their positions, best first.
        scores: Of all candidates.
    """
    return Shaped(best, scores[best], None, np.zeros(len(best), dtype=np.int64))


def deeper(shape: Shape, found: int, candidates: Candidates, *, k: int, depth: int) -> int | None:
    """How deep to ask again when too little was found.

    Args:
        shape: Of the answer.
        found: How many hits there are.
        candidates: What they were chosen from.
        k: How many hits were asked for.
        depth: How many candidates each leg was asked for.

    Returns:
        Twice the depth, at most `MOST_DEPTH`; None when there is enough, or no leg was full.
    """
    if not shape.selects or found >= k or depth >= MOST_DEPTH or not len(candidates.ids):
        return None
    listed = max(int(candidates.vector_rank.max()), int(candidates.keyword_rank.max()))
    return min(2 * depth, MOST_DEPTH) if listed >= depth else None


def shaped(
    shape: Shape,
    candidates: Candidates,
    scores: FloatArray,
    *,
    reader: Reader,
    model: int,
    k: int,
    now: int,
) -> Shaped:
    """Choose what is returned.

    Args:
        shape: What was asked for.
        candidates: The completed union of both legs.
        scores: Their fused scores, shape (n,).
        reader: The view that they came from; read for candidates only.
        model: The model's number in the file.
        k: How many hits.
        now: Microseconds since the epoch.

    Returns:
        At most k of them. Recency changes the order first; of chunks that say the same and of a
        document's chunks the best stays; then MMR, or else the score, says which k.
    """
    part = recency_part(shape, candidates.ids, scores, reader=reader, now=now)
    if part is not None:
        scores = scores + part
    places = order(candidates.ids, scores, max(len(scores), 1))
    more = np.zeros(len(places), dtype=np.int64)
    gave_way: tuple[GaveWay, ...] = ()
    if shape.selects:
        places, more, gave_way = _selected(shape, candidates.ids, scores, places, reader, model, k)
    places, more = places[:k], more[:k]
    newer = None if part is None else part[places]
    return Shaped(places, scores[places], newer, more, gave_way)


def recency_part(
    shape: Shape, ids: IdArray, scores: FloatArray, *, reader: Reader, now: int
) -> FloatArray | None:
    """What recency adds to each score, shape (n,); None where it was not asked for.

    Args:
        shape: What was asked for.
        ids: The candidates, shape (n,).
        scores: Theirs, shape (n,).
        reader: The view that they came from.
        now: Microseconds since the epoch.
    """
    if shape.recency_half_life_days is None:
        return None
    updated = reader.updated(ids)
    ages = np.array([now - updated.get(chunk, 0) for chunk in ids.tolist()])
    return recency(scores, ages / _DAY_US, half_life_days=shape.recency_half_life_days)


def _selected(
    shape: Shape,
    ids: IdArray,
    scores: FloatArray,
    places: IdArray,
    reader: Reader,
    model: int,
    k: int,
) -> tuple[IdArray, IdArray, tuple[GaveWay, ...]]:
    """What stays of the ordered candidates, how many others each stands for, and how that came."""
    gave_way: list[GaveWay] = []
    more = np.zeros(len(places), dtype=np.int64)
    vectors = np.empty((0, 0), dtype=np.float32)
    if shape.fold_duplicates or shape.mmr is not None:
        vectors = _vectors(reader, model, ids[places])
    if shape.fold_duplicates:
        rows = reader.chunks(ids[places])
        texts = [
            rows[chunk][0].text if chunk in rows else f"\0{chunk}" for chunk in ids[places].tolist()
        ]
        into = folded(vectors, texts)
        gave_way.append(GaveWay("folded", places, places[into]))
        places, vectors, more = _kept(into, places, vectors, more)
    owners = reader.owners(ids[places])
    documents = [owners.get(chunk, "") for chunk in ids[places].tolist()]
    if shape.collapse is not None:
        into = collapsed(documents)
        documents = [documents[place] for place in np.unique(into)]
        gave_way.append(GaveWay("collapsed", places, places[into]))
        places, vectors, more = _kept(into, places, vectors, more)
    if shape.mmr is not None:
        chosen = chosen_by_mmr(
            scores[places], vectors, documents, k=k, among=shape.mmr, trade=shape.mmr_lambda
        )
        places, more = places[chosen], more[chosen]
    return places, more, tuple(gave_way)


def _kept(
    into: IdArray, places: IdArray, vectors: FloatArray, more: IdArray
) -> tuple[IdArray, FloatArray, IdArray]:
    """Those that stand for themselves; each counts what it stands for, and what that stood for."""
    kept = np.unique(into)
    counted = np.bincount(into, weights=more + 1, minlength=len(into)).astype(np.int64) - 1
    return places[kept], vectors[kept] if len(vectors) else vectors, counted[kept]


def _vectors(reader: Reader, model: int, ids: IdArray) -> FloatArray:
    """Vectors of chunks in their order; rows of zeros for those that await theirs."""
    found, values = reader.vectors(model, ids)
    rows = np.zeros((len(ids), values.shape[1]), dtype=np.float32)
    place = {chunk: at for at, chunk in enumerate(ids.tolist())}
    rows[[place[chunk] for chunk in found.tolist()]] = values
    return rows
