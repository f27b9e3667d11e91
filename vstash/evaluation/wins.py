"""The queries on which two ways differ most, to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vstash.evaluation.metrics import first_relevant

if TYPE_CHECKING:
    from vstash.evaluation.run import Evaluation

__all__ = ["Win", "largest"]


@dataclass(frozen=True, slots=True)
class Win:
    """A query that a way answers better or worse than the baseline.

    Attributes:
        way: The way.
        query_id: Of the query.
        query: Its text.
        difference: Of the metric; above 0 the way is better.
        rank: Of the way's first relevant document, from 1; None where it found none.
        baseline_rank: The same of the baseline.
    """

    way: str
    query_id: str
    query: str
    difference: float
    rank: int | None
    baseline_rank: int | None


def largest(
    evaluation: Evaluation, way: str, baseline: str, count: int, *, metric: str = "nDCG@10"
) -> tuple[Win, ...]:
    """The largest gains, then the largest losses, of a way against the baseline.

    Args:
        evaluation: As `evaluate` returned it.
        way: The name of a way in it.
        baseline: The name of another.
        count: How many gains and how many losses at most.
        metric: By which they are told.

    Raises:
        EvaluationError: When one of the ways was not asked.
    """
    ours, theirs = evaluation.run(way), evaluation.run(baseline)
    differences = ours.values[metric] - theirs.values[metric]
    order = differences.argsort(kind="stable").tolist()
    gains = [place for place in reversed(order) if differences[place] > 0][:count]
    losses = [place for place in order if differences[place] < 0][:count]
    found = []
    for place in (*gains, *losses):
        query = evaluation.judged.queries[place]
        found.append(
            Win(
                way=way,
                query_id=query.id,
                query=query.text,
                difference=float(differences[place]),
                rank=first_relevant(query, ours.rankings[place]),
                baseline_rank=first_relevant(query, theirs.rankings[place]),
            )
        )
    return tuple(found)
