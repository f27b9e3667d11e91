"""Which examples are held out: no query and no answer's document stands on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vstash.errors import TrainingError
from vstash.learn.splitting import groups as hanging_together
from vstash.training.examples import Example

__all__ = ["Split", "split"]

LEAST: Final = 20
"""Examples on either side, without which nothing could be said."""


@dataclass(frozen=True, slots=True)
class Split:
    """Examples to learn from, and examples to judge by, which have a positive.

    Attributes:
        evidence: ``known``: the held-out answers were known beforehand, by how the query was made or by a
            judgement. ``log``: they follow from where the two indexes disagree, as what is learnt does.
    """

    train: tuple[Example, ...]
    held_out: tuple[Example, ...]
    evidence: str


def split(examples: Sequence[Example], *, share: float, seed: int) -> Split:
    """Hold some examples out, by query and by document.

    Examples that share a query, or the document of their positive, go to the same side. What is held out
    is judged by answers that were known beforehand, where there are enough. Its documents are taken from
    the passages of the other side.

    Args:
        examples: All of them.
        share: Of the examples with a positive that is held out.
        seed: Which ones.

    Raises:
        TrainingError: When there are too few.
    """
    groups = hanging_together([_marks(example) for example in examples])
    known = [
        place
        for place, example in enumerate(examples)
        if example.positive is not None and example.origin != "search"
    ]
    judged = [place for place, example in enumerate(examples) if example.positive is not None]
    evidence = "known" if len(known) * share >= LEAST else "log"
    pool = known if evidence == "known" else judged
    order = np.random.default_rng(seed).permutation(sorted({groups[place] for place in pool}))
    wanted = share * len(pool)
    members: dict[int, list[int]] = {}
    for place in pool:
        members.setdefault(groups[place], []).append(place)
    chosen: set[int] = set()
    held: list[int] = []
    for group in order.tolist():
        if len(held) + len(members[group]) > 1.2 * wanted:
            continue
        chosen.add(group)
        held += members[group]
        if len(held) >= wanted:
            break
    documents = {
        positive.document for place in held if (positive := examples[place].positive) is not None
    }
    train = [
        _without(example, documents)
        for place, example in enumerate(examples)
        if groups[place] not in chosen
    ]
    if len(held) < LEAST or len(train) < LEAST:
        raise TrainingError(
            f"Too few examples: {len(train)} to learn from and {len(held)} to judge by, where {LEAST} are "
            "needed on either side. Search more, or make queries with `vstash learn mine`."
        )
    return Split(tuple(train), tuple(examples[place] for place in sorted(held)), evidence)


def _without(example: Example, documents: set[str]) -> Example:
    kept = [
        place for place, passage in enumerate(example.listed) if passage.document not in documents
    ]
    return replace(
        example,
        negatives=tuple(each for each in example.negatives if each.document not in documents),
        listed=tuple(example.listed[place] for place in kept),
        scores=tuple(example.scores[place] for place in kept),
    )


def _marks(example: Example) -> list[tuple[str, str]]:
    marks = [("query", " ".join(example.query.casefold().split()))]
    if example.positive is not None:
        marks.append(("document", example.positive.document))
    return marks
