"""What many logged searches tell together."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Final

from vstash.log_reports import LegsJudged, LogRate, Period, TermRate
from vstash.types import MaskReason

__all__ = ["LoggedSearch", "Tally", "legs_judged"]

_MOST_PERIODS: Final = 60
_MOST_TERMS: Final = 20
# What was asked once says little about a word.
_LEAST_SEARCHES: Final = 2
# Longer logs are told by week, so that a line stands for enough searches.
_MOST_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class LoggedSearch:
    """A logged search, as far as a report needs it.

    Attributes:
        at: Microseconds since the epoch.
        terms: Informative words, None where the query was not kept.
    """

    at: int
    collection: str
    disagreement: float
    asked: int
    in_session: bool
    reformulates: bool
    masked: Mapping[MaskReason, int]
    with_triples: bool
    terms: AbstractSet[str] | None


@dataclass(slots=True)
class _Sum:
    searches: int = 0
    asked: int = 0
    disagreement: float = 0.0
    reformulated: int = 0

    def add(self, each: LoggedSearch) -> None:
        self.searches += 1
        self.asked += each.asked
        self.disagreement += each.disagreement
        self.reformulated += each.reformulates

    def add_all(self, other: _Sum) -> None:
        self.searches += other.searches
        self.asked += other.asked
        self.disagreement += other.disagreement
        self.reformulated += other.reformulated

    def rate(self, name: str) -> LogRate:
        mean = round(self.disagreement / self.searches, 6)
        return LogRate(name, self.searches, self.asked, mean, self.reformulated)


@dataclass(slots=True)
class Tally:
    """Adds up searches.

    Attributes:
        whole: All of them.
        hashed: Those whose query was not kept.
        with_triples: Those that yielded one.
        in_sessions: Those with a session.
        masked: Negatives passed over, by reason.
    """

    whole: _Sum = field(default_factory=_Sum)
    hashed: int = 0
    with_triples: int = 0
    in_sessions: int = 0
    masked: Counter[MaskReason] = field(default_factory=Counter)
    _days: dict[date, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    _collections: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    _terms: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))

    def add(self, each: LoggedSearch) -> None:
        """Take in one search."""
        day = datetime.fromtimestamp(each.at // 1_000_000, timezone.utc).date()
        for sum_ in (self.whole, self._days[day], self._collections[each.collection]):
            sum_.add(each)
        self.hashed += each.terms is None
        self.with_triples += each.with_triples
        self.in_sessions += each.in_session
        self.masked.update(each.masked)
        for term in each.terms or ():
            self._terms[term].add(each)

    @property
    def disagreement(self) -> float | None:
        """Mean disagreement, None without a search."""
        return self.whole.disagreement / self.whole.searches if self.whole.searches else None

    def over_time(self) -> tuple[Period, tuple[LogRate, ...]]:
        """By day, or by week where days are many; oldest first."""
        days = sorted(self._days)
        period: Period = "day"
        sums: Mapping[date, _Sum] = self._days
        if days and (days[-1] - days[0]).days >= _MOST_DAYS:
            period, sums = "week", self._weeks()
        latest = sorted(sums)[-_MOST_PERIODS:]
        return period, tuple(sums[day].rate(day.isoformat()) for day in latest)

    def _weeks(self) -> Mapping[date, _Sum]:
        weeks: dict[date, _Sum] = defaultdict(_Sum)
        for day, sum_ in self._days.items():
            weeks[day - timedelta(days=day.weekday())].add_all(sum_)
        return weeks

    def by_collection(self) -> tuple[LogRate, ...]:
        """Most searches first."""
        rates = [sum_.rate(name) for name, sum_ in self._collections.items()]
        return tuple(sorted(rates, key=lambda each: (-each.searches, each.name)))

    def terms(self) -> tuple[TermRate, ...]:
        """Words by how much more their queries disagree than all do, together."""
        mean = self.disagreement or 0.0
        weighed = sorted(
            (mean * each.searches - each.disagreement, term, each)
            for term, each in self._terms.items()
            if each.searches >= _LEAST_SEARCHES and each.disagreement > mean * each.searches
        )
        return tuple(
            TermRate(term, each.searches, round(each.disagreement / each.searches, 6))
            for _, term, each in weighed[:_MOST_TERMS]
        )


def legs_judged(
    judged: Iterable[tuple[int, Sequence[int], Sequence[int]]],
) -> LegsJudged:
    """Compare both ranks of chunks that were right.

    Args:
        judged: For each, the chunk and what the vector leg and the keyword leg list, best first.

    Example:
        >>> found = legs_judged([(7, [7, 8], [8]), (8, [7, 8], [8]), (9, [7], [8])])
        >>> (found.vector_better, found.keyword_better, found.equal)
        (1, 1, 1)
    """
    pairs = [(_reciprocal(chunk, one), _reciprocal(chunk, other)) for chunk, one, other in judged]
    vector = sum(one > other for one, other in pairs)
    keyword = sum(one < other for one, other in pairs)
    count = len(pairs)
    return LegsJudged(
        chunks=count,
        vector_better=vector,
        keyword_better=keyword,
        equal=count - vector - keyword,
        vector_mrr=round(sum(one for one, _ in pairs) / count, 6) if count else None,
        keyword_mrr=round(sum(other for _, other in pairs) / count, 6) if count else None,
        p_value=_sign_test(vector, keyword) if vector + keyword else None,
    )


def _reciprocal(chunk: int, leg: Sequence[int]) -> float:
    return 1 / (leg.index(chunk) + 1) if chunk in leg else 0.0


def _sign_test(wins: int, losses: int) -> float:
    """How likely a split is that is at least as uneven, were both as likely."""
    count, fewer = wins + losses, min(wins, losses)
    # In logarithms: a power of two above 1,023 is no float.
    logs = [_log_choose(count, each) - count * math.log(2) for each in range(fewer + 1)]
    return round(min(1.0, 2 * sum(map(math.exp, logs))), 6)


def _log_choose(count: int, chosen: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(chosen + 1) - math.lgamma(count - chosen + 1)
