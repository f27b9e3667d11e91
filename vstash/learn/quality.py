"""How good triples are, before anything is trained on them.

Of a triple with the positive p and the negative n, where ``share`` is n's fused score over p's (that of the
leg which is sure of p where no strategy ``score`` fused), clipped to [0, 1]::

    evidence = right * wrong
    right    = 1 where p is known to answer, by how the query was made, by judgements or by feedback;
               0 where feedback says that it does not; else 1 / (1 + its rank in the sure leg)
    wrong    = 0 where feedback says that n answers, 1 where it says that it does not; else 1 - share
    gradient = 1 / (1 + exp((cos(q, p) - cos(q, n)) / .05))
    worth    = evidence * gradient

The gradient is the share of its greatest that the contrastive loss of van den Oord et al. (InfoNCE, arXiv
1807.03748) has at one negative, which is that negative's softmax (Wang and Liu, arXiv 2012.09740), at the
temperature of MultipleNegativesRankingLoss. A triple is worth something where both are high, in the spirit of
effective contrastive information (Sinha et al., arXiv 2603.20990), which weighs hardness against safety.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from vstash.feedback import VerdictName
from vstash.mining import Spread
from vstash.types import JsonObject, TripleKind, TripleOrigin

__all__ = ["Quality", "quality", "spread"]

_TEMPERATURE: Final = 0.05
_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
# How many negatives are relevant, the mean of seven judged sets, where the share is at most this:
# `python -m bench.learning.false_negatives` counts them.
_FALSE: Final = ((0.3, 0.0), (0.45, 0.006), (0.6, 0.009), (0.75, 0.05), (1.0, 0.08))
_HELPED: Final = frozenset({"helpful", "cited"})


@dataclass(frozen=True, slots=True)
class Quality:
    """What can be said of a triple.

    Attributes:
        evidence: In [0, 1].
        gradient: In [0, 1].
        margin: How far the leg that is sure of the positive prefers it: a share of its BM25, or cosines in
            deviations from unrelated text; NaN where it is not known.
        false: How probable it is that the negative answers as well, as far as its scores tell.
    """

    evidence: float
    gradient: float
    margin: float
    false: float

    @property
    def worth(self) -> float:
        """In [0, 1]."""
        return self.evidence * self.gradient


def quality(
    kind: TripleKind,
    origin: TripleOrigin,
    evidence: JsonObject,
    *,
    said_of_positive: VerdictName | None,
    said_of_negative: VerdictName | None,
    deviation: float,
) -> Quality:
    """Look at a triple.

    Args:
        kind: Its kind.
        origin: Where its query is from.
        evidence: Ranks and scores, as they are stored with it; what is missing there counts as not known.
        said_of_positive: The verdict on the chunk for this query, None for none.
        said_of_negative: The same.
        deviation: Of cosines with unrelated text, above 0.

    Example:
        >>> scores = {"positive": {"sure_rank": 1, "cosine": 0.5, "bm25": 8.0, "fused": 5.0},
        ...     "negative": {"cosine": 0.7, "bm25": 0.0, "fused": 2.0}}
        >>> found = quality("dense_blind_spot", "search", scores, said_of_positive=None,
        ...     said_of_negative=None, deviation=0.05)
        >>> (round(found.evidence, 3), round(found.gradient, 3), found.margin)
        (0.3, 0.982, 1.0)
    """
    ours, theirs = _part(evidence, "positive"), _part(evidence, "negative")
    cosines = _number(ours, "cosine"), _number(theirs, "cosine")
    bm25 = _number(ours, "bm25"), _number(theirs, "bm25")
    sure = bm25 if kind == "dense_blind_spot" else cosines
    own_share = _share(*sure)
    fused_share = _share(_number(ours, "fused"), _number(theirs, "fused"))
    share = own_share if math.isnan(fused_share) else fused_share
    wrong = 0.0 if math.isnan(share) else 1 - share
    if said_of_negative is not None:
        wrong = (
            0.0
            if said_of_negative in _HELPED
            else 1.0
            if said_of_negative == "not_helpful"
            else wrong
        )
    margin = 1 - own_share if kind == "dense_blind_spot" else (cosines[0] - cosines[1]) / deviation
    return Quality(
        evidence=_right(ours, origin, said_of_positive) * wrong,
        gradient=_gradient(*cosines),
        margin=margin,
        false=_FALSE[-1][1]
        if math.isnan(share)
        else next(rate for most, rate in _FALSE if share <= most),
    )


def spread(values: Sequence[float]) -> Spread | None:
    """How values are distributed, None without one; what is NaN is left out.

    Example:
        >>> spread([0.0, 1.0, 2.0]).quantiles
        (0.1, 0.5, 1.0, 1.5, 1.9)
    """
    known = sorted(value for value in values if not math.isnan(value))
    if not known:
        return None
    found = tuple(round(_quantile(known, share), 6) for share in _QUANTILES)
    mean = round(math.fsum(known) / len(known), 6)
    return Spread(mean, cast("tuple[float, float, float, float, float]", found))


def _quantile(known: Sequence[float], share: float) -> float:
    place = share * (len(known) - 1)
    low = int(place)
    high = min(low + 1, len(known) - 1)
    return known[low] + (place - low) * (known[high] - known[low])


def _right(ours: Mapping[str, object], origin: TripleOrigin, said: VerdictName | None) -> float:
    if said == "not_helpful":
        return 0.0
    if origin != "search" or said in _HELPED:
        return 1.0
    rank = _number(ours, "sure_rank")
    return 0.0 if math.isnan(rank) or rank < 1 else 1 / (1 + rank)


def _gradient(ours: float, theirs: float) -> float:
    if math.isnan(ours) or math.isnan(theirs):
        return 0.0
    return 1 / (1 + math.exp(max(min((ours - theirs) / _TEMPERATURE, 700.0), -700.0)))


def _share(ours: float, theirs: float) -> float:
    """One score over another, in [0, 1]; NaN where one is not known or the first is not positive."""
    if math.isnan(ours) or math.isnan(theirs) or ours <= 0:
        return math.nan
    return min(max(theirs / ours, 0.0), 1.0)


def _part(evidence: JsonObject, name: str) -> Mapping[str, object]:
    part = evidence.get(name)
    return part if isinstance(part, Mapping) else {}


def _number(part: Mapping[str, object], name: str) -> float:
    value = part.get(name)
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(cast("float", value)) if known else math.nan
