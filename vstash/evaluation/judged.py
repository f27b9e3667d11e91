"""What an evaluation asks, and which documents answer it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from vstash.errors import EvaluationError
from vstash.types import JsonObject

__all__ = ["Corpus", "JudgedQuery", "JudgedSet", "judged_set", "known_only", "named"]

_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and what somebody said of documents.

    Attributes:
        id: Unique in its set.
        text: The query.
        judgements: Grade of each judged document, by key: above 0 is relevant.
        metadata: May become a filter, by named fields.
        collection: Where it is searched; None for ``default``.
    """

    id: str
    text: str
    judgements: Mapping[str, int]
    metadata: JsonObject = field(default_factory=dict)
    collection: str | None = None

    @property
    def answered(self) -> bool:
        """Whether a document is relevant to it."""
        return any(grade > 0 for grade in self.judgements.values())


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus.jsonl that was read through once.

    Attributes:
        path: The file.
        sha256: Hex digest of its bytes.
        documents: How many it holds.
    """

    path: Path
    sha256: str
    documents: int


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Queries with judgements, and the corpus that they are asked of.

    Attributes:
        name: To show.
        split: Which judgements of the set; empty where there is no such choice.
        queries: Each with at least one relevant document.
        corpus: None where the documents are in a vstash file already.
        notes: What was left out and why, to read.
    """

    name: str
    split: str
    queries: tuple[JudgedQuery, ...]
    corpus: Corpus | None = None
    notes: tuple[str, ...] = ()

    def sample(self, limit: int, *, seed: int = 0) -> JudgedSet:
        """The same set with fewer queries, in their order.

        Args:
            limit: How many at most, 1 or more.
            seed: The same seed draws the same queries.

        Raises:
            EvaluationError: When the limit is below 1 or the seed below 0.
        """
        if limit < 1 or seed < 0:
            raise EvaluationError("limit is 1 or more, and seed 0 or more.", pointer="/limit")
        if limit >= len(self.queries):
            return self
        drawn = np.random.default_rng(seed).choice(len(self.queries), limit, replace=False)
        queries = tuple(self.queries[position] for position in sorted(drawn.tolist()))
        note = f"{limit:,} of {len(self.queries):,} queries were drawn with seed {seed}"
        return replace(self, queries=queries, notes=(*self.notes, note))


def judged_set(
    name: str,
    queries: Sequence[JudgedQuery],
    *,
    split: str = "",
    corpus: Corpus | None = None,
    notes: Sequence[str] = (),
) -> JudgedSet:
    """A set of those queries that have an answer; the others could not tell any ways apart.

    Args:
        name: To show.
        queries: With judgements.
        split: Which judgements of the set.
        corpus: None where the documents are in a vstash file already.
        notes: What was left out before.

    Raises:
        EvaluationError: When no query is left.
    """
    kept = tuple(query for query in queries if query.answered)
    if not kept:
        raise EvaluationError(
            "No query has a relevant document: there is nothing to evaluate.",
            local_detail="; ".join((name, *notes)),
        )
    left = len(queries) - len(kept)
    without = (f"{left:,} queries without a relevant document were left out",) if left else ()
    return JudgedSet(name, split, kept, corpus, (*notes, *without))


def known_only(judged: JudgedSet, known: Collection[tuple[str | None, str]]) -> JudgedSet:
    """The same set without judgements of documents that are not there.

    Args:
        judged: The set.
        known: Collection and key of each document that is.

    Raises:
        EvaluationError: When no query is left.
    """
    unknown: dict[str, None] = {}
    queries = []
    for query in judged.queries:
        kept = {}
        for key, grade in query.judgements.items():
            if (query.collection, key) in known:
                kept[key] = grade
            else:
                unknown[key] = None
        queries.append(replace(query, judgements=kept))
    if not unknown:
        return judged
    note = f"judged documents that are not in the file: {named(tuple(unknown))}"
    return judged_set(
        judged.name,
        queries,
        split=judged.split,
        corpus=judged.corpus,
        notes=(*judged.notes, note),
    )


def named(ids: Sequence[str]) -> str:
    """How many, and the first few by name.

    Example:
        >>> named(["d1", "d2", "d3", "d4"])
        '4 (d1, d2, d3 and others)'
    """
    more = " and others" if len(ids) > _NAMED else ""
    return f"{len(ids):,} ({', '.join(ids[:_NAMED])}{more})"
