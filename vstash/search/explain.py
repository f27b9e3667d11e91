"""Explaining one hit in numbers that add up, and in a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from vstash.search.fusion import Candidates, Fused
from vstash.types import Explanation, MatchedWord, Mode, StrategyName

__all__ = ["explain"]


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def explain(
    position: int,
    candidates: Candidates,
    fused: Fused,
    *,
    mode: Mode,
    strategy: StrategyName,
    idfs: Mapping[str, float],
    present: Mapping[str, AbstractSet[str]],
    exact: tuple[str, ...],
) -> Explanation:
    """Say where the score of one candidate comes from.

    Args:
        position: Of the candidate.
        candidates: All candidates.
        fused: Their scores.
        mode: Which legs were asked.
        strategy: How they were fused.
        idfs: IDF of each informative word of the query.
        present: The query's informative words that occur in the chunk, by field.
        exact: Exact terms that stand in the chunk to the letter.

    Returns:
        Parts that add up to the score.
    """
    places = {
        word: tuple(field for field, words in present.items() if word in words) for word in idfs
    }
    matched = sorted(
        (MatchedWord(word, idfs[word], fields) for word, fields in places.items() if fields),
        key=lambda found: (-found.idf, found.word),
    )
    vector_rank = int(candidates.vector_rank[position])
    keyword_rank = int(candidates.keyword_rank[position])
    return Explanation(
        vector_part=float(fused.vector_part[position]),
        keyword_part=float(fused.keyword_part[position]),
        feedback_part=float(fused.feedback_part[position]),
        exact_part=float(fused.exact_part[position]),
        vector_normalised=None
        if mode == "keyword"
        else _or_none(float(fused.vector_normalised[position])),
        keyword_normalised=None if mode == "vector" else float(fused.keyword_normalised[position]),
        damping=fused.damping,
        trust=fused.trust,
        exact=exact,
        matched=tuple(matched),
        why=_sentence(
            mode,
            strategy,
            vector_rank,
            keyword_rank,
            [found.word for found in matched],
            exact,
            fused,
        ),
    )


def _place(leg: str, rank: int) -> str:
    return f"number {rank} by {leg}" if rank else f"not listed by {leg}"


def _sentence(
    mode: Mode,
    strategy: StrategyName,
    vector_rank: int,
    keyword_rank: int,
    matched: list[str],
    exact: tuple[str, ...],
    fused: Fused,
) -> str:
    if mode == "vector":
        return f"{_place('vectors', vector_rank).capitalize()}."
    words = f" ({', '.join(matched[:5])})" if matched else ""
    if mode == "keyword":
        return f"{_place('keywords', keyword_rank).capitalize()}{words}."
    return (
        f"{_place('vectors', vector_rank).capitalize()}, {_place('keywords', keyword_rank)}{words}; "
        f"{strategy} weighs vectors {fused.weights.vector:.2f} and keywords "
        f"{fused.weights.keyword:.2f}{_reasons(fused, exact)}."
    )


def _reasons(fused: Fused, exact: tuple[str, ...]) -> str:
    """What moved the weight of keywords, and what counts beside both legs."""
    reasons = []
    counts = fused.weights.keyword > 0
    if counts and fused.damping != 1:
        length = "long" if fused.damping < 1 else "short"
        reasons.append(f"{fused.damping:.2f} times the usual for a {length} query")
    if counts and fused.trust != 1:
        reasons.append(f"{fused.trust:.2f} times by the collection's other searches")
    if counts and fused.learnt != 1:
        reasons.append(f"{fused.learnt:.2f} times as was learnt of the collection")
    if exact:
        reasons.append(f"to the letter: {', '.join(exact)}")
    return f"; {'; '.join(reasons)}" if reasons else ""
