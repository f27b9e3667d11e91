"""What the log of searches tells as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vstash.types import MaskReason, TripleKind

__all__ = ["DisagreementReport", "LegsJudged", "LogRate", "Period", "RedactReport", "TermRate"]

Period = Literal["day", "week"]


@dataclass(frozen=True, slots=True)
class LogRate:
    """Searches that have something in common.

    Attributes:
        name: A collection, or the first day of a period as ``2026-01-31``, UTC.
        searches: Different ones, by when they were last asked.
        asked: How often they were asked in all.
        disagreement: Mean over the different ones, each at its last time, in [0, 1].
        reformulated: How many put an earlier one of their session in other words.
    """

    name: str
    searches: int
    asked: int
    disagreement: float
    reformulated: int


@dataclass(frozen=True, slots=True)
class TermRate:
    """An informative word of queries: how many have it, and their mean disagreement."""

    term: str
    searches: int
    disagreement: float


@dataclass(frozen=True, slots=True)
class LegsJudged:
    """Which leg was right, where chunks were called helpful or cited: both ranks of each are compared.

    Attributes:
        chunks: That were.
        vector_better: Ranked higher by vectors; what a leg does not list in its first k comes after.
        keyword_better: By keywords.
        equal: At the same rank, or in neither list.
        vector_mrr: Mean reciprocal rank, 0 where it is not listed; None without a chunk.
        keyword_mrr: The same of keywords.
        p_value: Two-sided sign test that one is better as often as the other; None where they never differ.
    """

    chunks: int
    vector_better: int
    keyword_better: int
    equal: int
    vector_mrr: float | None
    keyword_mrr: float | None
    p_value: float | None


@dataclass(frozen=True, slots=True)
class DisagreementReport:
    """Where the two indexes disagree, over time and by what was asked.

    Attributes:
        collection: That was searched, None for all.
        k: Depth at which the legs are compared.
        searches: Logged, each different one once.
        asked: How often these were asked.
        folded: Share of ``asked`` that repeated an earlier search.
        hashed: Of ``searches``, those of which only the keyed hash is kept: without terms and triples.
        disagreement: Mean disagreement, None without a search.
        with_triples: Share of the searches with their text that yielded a triple; None without one.
        period: Length of the periods in ``over_time``.
        over_time: Oldest first, at most the last 60 with a search.
        by_collection: Most searches first.
        terms: Words that are more frequent where legs disagree; those that weigh most first.
        triples: By kind.
        masked: Negatives that were passed over since they may answer as well, by reason.
        legs: Which leg tends to be right, where there is feedback.
        in_sessions: Searches with a session.
        reformulated: Share of these that put an earlier one in other words; None without one.
        dropped: Searches of this process that were not logged.
    """

    collection: str | None
    k: int
    searches: int
    asked: int
    folded: float
    hashed: int
    disagreement: float | None
    with_triples: float | None
    period: Period
    over_time: tuple[LogRate, ...]
    by_collection: tuple[LogRate, ...]
    terms: tuple[TermRate, ...]
    triples: Mapping[TripleKind, int]
    masked: Mapping[MaskReason, int]
    legs: LegsJudged
    in_sessions: int
    reformulated: float | None
    dropped: int


@dataclass(frozen=True, slots=True)
class RedactReport:
    """What was removed from the log.

    Attributes:
        searches: Whose text and session were replaced by keyed hashes.
        triples: Of these searches, which teach nothing without the text.
        purged: Whether what they left in unused parts of pages is gone from the file.
        log_emptied: Whether the write-ahead log was emptied; a reader under way keeps it.
        remedy: What to do where one of the two is false, else empty.
    """

    searches: int
    triples: int
    purged: bool
    log_emptied: bool
    remedy: str
