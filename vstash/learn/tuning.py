"""How far keywords count in a collection, learnt from where the two legs disagree, without a label.

What a leg puts first is either an answer or not. An answer is likely to be listed by the other leg too,
what is none is not. So the leg whose first chunks the other one lists more often is right more often, as
far as the two err independently (the premise of co-training: Blum and Mitchell 1998, COLT, section 2).
On seven judged sets its sign agreed with what judgements say wherever it was beyond chance: docs/learning.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vstash.types import FloatArray, IdArray

__all__ = ["FACTORS", "Lean", "best_factor", "crossed", "factor", "lean"]

# First chunks of a leg that are looked for in the other, by the reciprocal of their rank.
_FIRST: Final = 3
# The logarithm of the weight of keywords that a lean of 1 stands for: six of seven judged sets lie near it.
_STEP: Final = 12.0
_MOST: Final = 2.0
# A lean within so many standard errors counts as none.
_CHANCE: Final = 2.0
FACTORS: Final = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0)
"""Factors that are tried where answers are known."""
# Answered queries that count as much as the built-in factor.
_PRIOR: Final = 50


@dataclass(frozen=True, slots=True)
class Lean:
    """Which leg the other one bears out more often.

    Attributes:
        mean: Above 0 where keywords are borne out more often, as a share of how often either is.
        z: The same in standard errors.
        queries: That told.
    """

    mean: float
    z: float
    queries: int


def crossed(vector_rank: IdArray, keyword_rank: IdArray, depth: int) -> tuple[float, float] | None:
    """How much of what each leg puts first the other lists.

    Args:
        vector_rank: Of each candidate, from 1, 0 where the leg does not list it, shape (n,).
        keyword_rank: The same of keywords.
        depth: How many candidates each leg was asked for.

    Returns:
        Shares of the first keywords in the vector leg and of the first vectors in the keyword leg, in
        [0, 1]; None where a leg lists fewer than it was asked for, which makes it harder to be listed there.
    """
    if min(int((ranks > 0).sum()) for ranks in (vector_rank, keyword_rank)) < depth:
        return None

    def share(sure: IdArray, other: IdArray) -> float:
        first = (sure > 0) & (sure <= _FIRST)
        weights = 1.0 / sure[first]
        return float(weights[other[first] > 0].sum() / weights.sum())

    return share(keyword_rank, vector_rank), share(vector_rank, keyword_rank)


def lean(shares: Sequence[tuple[float, float]]) -> Lean:
    """Which leg is borne out more often over several queries.

    Args:
        shares: From `crossed`, one a query.
    """
    values = np.array(shares, dtype=np.float64).reshape(-1, 2)
    differences = values[:, 0] - values[:, 1]
    usual = float(values.mean()) if len(values) else 0.0
    spread = float(differences.std(ddof=1)) if len(values) > 1 else 0.0
    if usual == 0 or spread == 0:
        return Lean(0.0, 0.0, len(values))
    mean = float(differences.mean())
    return Lean(mean / usual, mean / spread * math.sqrt(len(values)), len(values))


def factor(found: Lean, trust: float) -> float:
    """The factor on the weight of keywords that follows, 1 where the lean may be chance.

    What the lean says is shrunk by the positive part of 1 - 4 / z^2 (James and Stein 1961, with the border at
    two standard errors). Only what it says beyond the trust that the collection's keywords are given anyway
    changes anything, and only in the direction in which it leans.

    Args:
        found: Which leg is borne out more often.
        trust: By what the weight is multiplied as it is, above 0; see `vstash.search.trust`.

    Returns:
        In [.5, 2].
    """
    if abs(found.z) <= _CHANCE:
        return 1.0
    beyond = _STEP * found.mean - math.log(trust)
    if beyond * found.mean <= 0:
        return 1.0
    kept = beyond * (1 - (_CHANCE / found.z) ** 2)
    return float(min(max(math.exp(kept), 1 / _MOST), _MOST))


def best_factor(values: FloatArray) -> float:
    """The factor under which answered queries are answered best, drawn to 1 where they are few.

    Args:
        values: A metric of each query under each of `FACTORS`, shape (queries, factors), higher is better.
    """
    means = values.mean(axis=0)
    # Of equals, the one nearest to the built-in.
    best = max(range(len(FACTORS)), key=lambda each: (means[each], -abs(math.log(FACTORS[each]))))
    trusted = len(values) / (len(values) + _PRIOR)
    return float(math.exp(trusted * math.log(FACTORS[best])))
