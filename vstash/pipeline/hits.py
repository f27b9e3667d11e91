"""The hits of a search, as they are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from vstash.errors import StoreCorruptError
from vstash.search.explain import explain
from vstash.search.relevance import tier
from vstash.text.normalise import indexed
from vstash.types import Chunk, Document, Explanation, Hit

if TYPE_CHECKING:
    from vstash.pipeline.question import Question
    from vstash.pipeline.search import Found
    from vstash.pipeline.shaping import Shaped
    from vstash.search.words import QueryWords

__all__ = ["explained", "listed_row", "made_hits", "present_words"]


def made_hits(
    question: Question,
    words: QueryWords,
    found: Found,
    chosen: Shaped,
    rows: Mapping[int, tuple[Chunk, Document]],
) -> tuple[Hit, ...]:
    """Put together what is shown of each chosen candidate.

    Args:
        question: What was asked.
        words: Its words.
        found: The scored candidates.
        chosen: Which of them are shown, in order.
        rows: Their chunks and documents by chunk id.

    Raises:
        StoreCorruptError: When an index lists a chunk that does not exist.
    """
    candidates, hits = found.candidates, []
    for place, position in enumerate(map(int, chosen.positions)):
        chunk, document = row = listed_row(rows, int(candidates.ids[position]))
        explanation = None
        if question.explain:
            explanation = explained(question, words, found, position, row)
            if chosen.recency is not None:
                explanation = replace(explanation, recency_part=float(chosen.recency[place]))
        cosine, bm25 = float(candidates.cosine[position]), float(candidates.bm25[position])
        relevance = None if found.judged is None else float(found.judged.relevance[position])
        hits.append(
            Hit(
                score=float(chosen.scores[place]),
                chunk=chunk,
                document=document,
                vector_rank=int(candidates.vector_rank[position]) or None,
                keyword_rank=int(candidates.keyword_rank[position]) or None,
                vector_score=None if math.isnan(cosine) else cosine,
                keyword_score=None if question.mode == "vector" else bm25,
                relevance=relevance,
                tier=None if relevance is None else tier(relevance),
                explanation=explanation,
                more=int(chosen.more[place]),
            )
        )
    return tuple(hits)


def listed_row(rows: Mapping[int, tuple[Chunk, Document]], chunk_id: int) -> tuple[Chunk, Document]:
    """The chunk that an index listed, with its document.

    Args:
        rows: By chunk id.
        chunk_id: As listed.

    Raises:
        StoreCorruptError: When there is no such chunk.
    """
    row = rows.get(chunk_id)
    if row is None:
        raise StoreCorruptError(
            "The file is damaged: an index lists a passage that does not exist. "
            "`vstash check` tells what is wrong."
        )
    return row


def explained(
    question: Question,
    words: QueryWords,
    found: Found,
    position: int,
    row: tuple[Chunk, Document],
) -> Explanation:
    """Explain the score of one candidate.

    Args:
        question: What was asked.
        words: Its words.
        found: The scored candidates.
        position: Of the candidate.
        row: Its chunk and document.
    """
    chunk_id = int(found.candidates.ids[position])
    return explain(
        position,
        found.candidates,
        found.fused,
        mode=question.mode,
        strategy=question.strategy,
        idfs=found.answers.idfs,
        present=present_words(words, row),
        exact=found.answers.exact.terms.get(chunk_id, ()),
    )


def present_words(words: QueryWords, row: tuple[Chunk, Document]) -> dict[str, set[str]]:
    """The informative words of a query that occur in a chunk, by field.

    Args:
        words: Of the query.
        row: The chunk and its document.
    """
    chunk, document = row
    texts = {"title": document.title, "heading": "\n".join(chunk.heading), "body": chunk.text}
    return {name: words.found_in(indexed(text).split()) for name, text in texts.items()}
