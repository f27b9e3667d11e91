"""Metrics of rankings, computed by ir-measures as trec_eval computes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vstash.errors import ExtraMissingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.evaluation.judged import JudgedQuery

__all__ = ["METRICS", "first_relevant", "measured", "require_metrics"]

# Name to show: the name in ir-measures, and how far down a ranking it looks.
METRICS: Final[Mapping[str, tuple[str, int]]] = {
    "nDCG@10": ("nDCG@10", 10),
    "recall@10": ("R@10", 10),
    "recall@100": ("R@100", 100),
    "MRR@10": ("RR@10", 10),
    "MAP@100": ("AP@100", 100),
}


def measured(
    queries: Sequence[JudgedQuery], rankings: Sequence[Sequence[str]], *, depth: int
) -> dict[str, NDArray[np.float64]]:
    """Every metric for each query.

    nDCG has linear gains and the discount 1 / log2(rank + 1); MRR is 1 / rank of the first relevant
    document; MAP is the mean of the precision at each relevant document (Manning, Raghavan, Schütze
    2008, chapter 8).

    Args:
        queries: With judgements; a document without one counts as not relevant.
        rankings: For each, document keys, best first.
        depth: How long a ranking may be; metrics that look further down are left out.

    Returns:
        By name, shape (n,) in [0, 1], in the order of the queries.

    Raises:
        ExtraMissingError: When ir-measures is not installed.
    """
    library = _library()
    names = {
        library.parse_measure(theirs): ours
        for ours, (theirs, cut) in METRICS.items()
        if cut <= depth
    }
    values = {ours: np.zeros(len(queries)) for ours in names.values()}
    # Numbers as ids: ties of scores, which there are none of, would be broken by id.
    judgements = {str(number): dict(query.judgements) for number, query in enumerate(queries)}
    run = {
        str(number): {key: float(depth - rank) for rank, key in enumerate(ranking[:depth])}
        for number, ranking in enumerate(rankings)
    }
    for found in library.iter_calc(list(names), judgements, run):
        values[names[found.measure]][int(found.query_id)] = found.value
    return values


def first_relevant(query: JudgedQuery, ranking: Sequence[str]) -> int | None:
    """The rank, from 1, of the first relevant document; None where there is none."""
    relevant = (rank for rank, key in enumerate(ranking, 1) if query.judgements.get(key, 0) > 0)
    return next(relevant, None)


def require_metrics() -> None:
    """Refuse before any work is done.

    Raises:
        ExtraMissingError: When ir-measures is not installed.
    """
    _library()


def _library() -> Any:
    try:
        import ir_measures  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExtraMissingError(
            "Evaluation needs the library ir-measures: pip install 'vstash[eval]'"
        ) from error
    return ir_measures
