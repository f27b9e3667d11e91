"""What both legs would say of a passage without its title and headings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vstash.embed.validate import validated
from vstash.pipeline.record import BothLegs
from vstash.search.bm25 import term
from vstash.text.normalise import indexed
from vstash.types import LegEntry

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.pipeline.search import Found
    from vstash.search.words import QueryWords
    from vstash.types import FloatArray

__all__ = ["bare"]

_MOST_WORDS = 2**16 - 1


def bare(
    legs: BothLegs,
    chunk: int,
    text: str,
    *,
    found: Found,
    words: QueryWords,
    vector: FloatArray,
    embedder: Embedder,
    mean_length: float,
) -> BothLegs:
    """Both legs with a chunk where its text alone puts it.

    A query that is its title would find the chunk by that title, which both indexes hold.

    Args:
        legs: Of the query.
        chunk: Among the first of either leg.
        text: Of the chunk.
        found: What the query found.
        words: Of the query.
        vector: Of the query.
        embedder: Embeds the text once more.
        mean_length: In words, of the file's chunks.
    """
    before = legs.scores[chunk]
    passage = validated(embedder.embed_passages([text]), count=1, dimension=embedder.info.dimension)
    cosine = float(passage[0] @ vector)
    bm25 = _bm25(text, found, words, mean_length)
    fused = before.fused + _less(found, chunk, cosine - before.cosine, bm25 - before.bm25)
    return BothLegs(
        _moved(legs.vector, chunk, cosine),
        _moved(legs.keyword, chunk, bm25),
        {**legs.scores, chunk: replace(before, cosine=cosine, bm25=bm25, fused=fused)},
    )


def _bm25(text: str, found: Found, words: QueryWords, mean_length: float) -> float:
    present, often = Counter(indexed(text).split()), Counter(words.all)
    length = min(max(present.total(), 1), _MOST_WORDS)
    total = 0.0
    for word, weight in found.answers.idfs.items():
        count = max(present[form] for form in (word, *words.variants.get(word, ())))
        if count:
            gains = term(
                np.zeros(1, dtype=np.int64),
                np.array([min(count, 255)], dtype=np.uint8),
                np.array([length], dtype=np.uint16),
                mean_length,
            ).gains
            total += often[word] * weight * float(gains[0])
    return total


def _less(found: Found, chunk: int, cosine: float, bm25: float) -> float:
    """By how much less of both scores changes the fused one; what feedback adds stays."""
    scored, ids = found.scored, found.answers.candidates.ids
    if scored is None:
        return 0.0
    place = int(np.flatnonzero(ids == chunk)[0])
    fused, known = scored.fused, float(found.answers.candidates.bm25[place])
    slope = float(fused.keyword_part[place]) / known if known else 0.0
    deviations = cosine / found.answers.background.deviation
    return fused.weights.vector * deviations + slope * bm25


def _moved(leg: Sequence[LegEntry], chunk: int, score: float) -> tuple[LegEntry, ...]:
    """A leg with the chunk at the place of another score; a leg that does not list it stays."""
    if all(entry.chunk_id != chunk for entry in leg):
        return tuple(leg)
    others = [entry for entry in leg if entry.chunk_id != chunk]
    # With no score the keyword leg does not list it.
    here = [LegEntry(chunk, score)] if score else []
    return tuple(sorted([*here, *others], key=lambda entry: -entry.score))
