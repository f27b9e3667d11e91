"""Miss analysis: what kept a document out of an answer, in words and in what would have to change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from vstash.filters import And, Compare, Filter, Not, Or, Value, matches
from vstash.times import time_text
from vstash.types import Explanation

if TYPE_CHECKING:
    from vstash.misses import ScorePart, WhyNot
    from vstash.types import Document, Mode

__all__ = ["advice", "failed_conditions", "lacking", "sentence"]

_PARTS: Final[tuple[ScorePart, ...]] = ("vector", "keyword", "feedback", "exact", "recency")
# What the parts of a score are called to a reader.
_SOURCES: Final[dict[ScorePart, str]] = {
    "vector": "the cosine",
    "keyword": "the words",
    "feedback": "the likeness to the best hits",
    "exact": "exact matches",
    "recency": "recency",
}
_WORDS_SHOWN: Final = 5


def failed_conditions(where: Filter, document: Document) -> tuple[str, ...]:
    """The conditions of a filter that a document fails, each of an ``and`` on its own.

    Args:
        where: The filter.
        document: Without its text.

    Example:
        >>> failed_conditions(parse({"key": {"eq": "a"}, "title": {"prefix": "B"}}), document)
        ('title prefix "B"',)
    """
    return tuple(_text(part) for part in _parts(where) if not _passes(part, document))


def _parts(node: Filter) -> Iterator[Filter]:
    if isinstance(node, And):
        for part in node.parts:
            yield from _parts(part)
    else:
        yield node


def _passes(node: Filter, document: Document) -> bool:
    return matches(
        node,
        id=document.id,
        key=document.key,
        title=document.title,
        tags=document.tags,
        created=document.created,
        updated=document.updated,
        expires_at=document.expires_at,
        metadata=document.metadata,
    )


def _text(node: Filter) -> str:
    if isinstance(node, Compare):
        return f"{'.'.join((node.field.name, *node.field.path))} {node.op} {_value(node.value)}"
    if isinstance(node, Not):
        return f"not ({_text(node.part)})"
    joined = " or " if isinstance(node, Or) else " and "
    return joined.join(
        f"({_text(part)})" if isinstance(part, And | Or) else _text(part) for part in node.parts
    )


def _value(value: Value) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, datetime):
        return time_text(value)
    return json.dumps(value, ensure_ascii=False)


def lacking(explanation: Explanation, last: Explanation) -> ScorePart:
    """Which part of a score falls furthest behind that of another.

    Args:
        explanation: Of the score that is too low.
        last: Of the one that it would have to reach.
    """
    return max(_PARTS, key=lambda name: part_of(last, name) - part_of(explanation, name))


def part_of(explanation: Explanation, name: ScorePart) -> float:
    """One part of a score, by its name."""
    return float(getattr(explanation, f"{name}_part"))


def sentence(found: WhyNot, searched: str, min_relevance: float | None) -> str:
    """Say where it was lost.

    Args:
        found: What is known of it.
        searched: The collection that was searched.
        min_relevance: As it was asked for.
    """
    match found.stage:
        case "other_collection":
            said = f"The document is in the collection {found.collection}; {searched} was searched."
        case "expired":
            said = "The document has expired."
        case "filtered":
            said = f"The filter leaves it out: {'; '.join(found.failed)}."
        case "not_a_candidate":
            said = f"It was no candidate: {_vector_place(found)}, {_keyword_place(found)}."
        case "below_min_relevance":
            said = f"Its relevance is {found.relevance:.2f}, less than {min_relevance:g}."
        case "folded":
            said = f"It says the same as chunk {found.behind}, which stands for it."
        case "collapsed":
            said = f"Chunk {found.behind} is the best of its document and stands for it."
        case "mmr":
            said = (
                f"MMR puts it at {found.rank} although its score would do; of the hits it is most "
                f"like chunk {found.behind}."
            )
        case "returned":
            said = f"It was not lost: it is hit number {found.rank}."
        case _:
            said = _outscored(found)
    return said


def _outscored(found: WhyNot) -> str:
    text = f"It is number {found.rank}, and {found.k} were asked for"
    ours, last, part = found.explanation, found.explanation_of_last, found.lacks
    if found.score is None or found.score_needed is None or not (ours and last and part):
        return f"{text}."
    return (
        f"{text}: its score is {found.score:.3f}, the last hit has {found.score_needed:.3f}. Most is "
        f"missing from {_SOURCES[part]} ({part_of(ours, part):.3f} against {part_of(last, part):.3f})."
    )


def _vector_place(found: WhyNot) -> str:
    if found.vector_score is None:
        return "it awaits its vector" if found.awaiting else "vectors were not asked"
    if found.vector_rank is not None:
        return f"number {found.vector_rank} by vectors, of which {found.depth} were listed"
    return f"beyond number {found.vector_deeper_than} by vectors"


def _keyword_place(found: WhyNot) -> str:
    if found.keyword_score is None:
        return "keywords were not asked"
    if found.keyword_rank is not None:
        return f"number {found.keyword_rank} by keywords, of which {found.depth} were listed"
    return "it holds no informative word of the query"


def advice(found: WhyNot, mode: Mode, *, plain: bool) -> tuple[str, ...]:
    """What would have to change for a search to return it.

    Args:
        found: What is known of it.
        mode: Which legs were asked.
        plain: Whether the best are returned as they are.
    """
    first = {
        "other_collection": f"search the collection {found.collection}",
        "expired": "set a later expires_at, or none",
        "below_min_relevance": f"lower min_relevance to {_below(found.relevance)}",
        "folded": "search without fold_duplicates",
        "collapsed": "search without collapse",
        "mmr": "search without mmr, or with an mmr_lambda nearer to 1",
    }
    lines = [first[found.stage]] if found.stage in first else []
    lines += [f"drop the condition {text}" for text in found.failed]
    if found.k_needed is not None:
        lines.append(f"raise k to {found.k_needed}")
    if mode == "hybrid" and plain and found.stage in {"not_a_candidate", "outscored"}:
        lines += [
            f'search with mode="{leg}", which puts it at {rank}'
            for leg, rank in (("vector", found.vector_rank), ("keyword", found.keyword_rank))
            if rank is not None and rank <= found.k
        ]
    if found.awaiting:
        lines.append("it awaits its vector: run `vstash embed`")
    if found.stage != "returned":
        lines += _word_advice(found)
    return tuple(lines)


def _below(relevance: float | None) -> str:
    """A relevance that this one reaches, in two digits."""
    return f"{int((relevance or 0.0) * 100) / 100:g}"


def _word_advice(found: WhyNot) -> list[str]:
    known = [word.word for word in found.missing_words if word.chunks]
    unknown = [word.word for word in found.missing_words if not word.chunks]
    lines = []
    if known:
        said = "none of the query's words is in it" if found.keyword_score == 0 else "it lacks"
        lines.append(f"{said}: {', '.join(known[:_WORDS_SHOWN])}")
    if unknown:
        lines.append(f"no chunk of the file holds {', '.join(unknown[:_WORDS_SHOWN])}")
    return lines
