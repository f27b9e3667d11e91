"""How many mined negatives are answers that the miner took for wrong, with the masks and without.

    python -m bench.learning.false_negatives ../shared/data/*.tar.gz --work /tmp/sets

The queries of judged sets are asked, and judgements only measure: a negative is false where the set calls its
document relevant. Two ways to mine: `search` takes positives from the legs, as the log does; `known` is told
one relevant document, drawn by the seed, and the others are hidden from it. Sets with one relevant document a
query can hardly show a false negative, so counts come with Wilson's 95 % intervals. The masks' shares were
chosen on these sets: `halves` has the same for the queries of even and of odd number. Prints a row for each
set and one for all, and appends them to bench/results/learning.jsonl.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bench.learning.judged_legs import Answered, answered, parser, wilson
from bench.machine import append_row
from vstash.learn.triples import EVERY_MASK, OF_KNOWN, Masks, Mined, mine, mine_known

if TYPE_CHECKING:
    import argparse

# Nothing is at least NaN.
NO_MASK: Final = Masks(same_document=False, cosine=math.nan, share=math.nan, fused=math.nan)
WAYS: Final = ("search", "known")

Counts = Counter[tuple[str, bool, str, int]]


def from_search(each: Answered, masks: Masks) -> Mined:
    """The triples that a logged search gives."""
    legs, background = each.asked.legs, each.asked.found.answers.background
    return mine(
        legs.vector,
        legs.keyword,
        legs.scores,
        typical_cosine=background.mean + background.deviation,
        likeness=each.known.likeness,
        masks=masks,
    )


def from_known(each: Answered, masks: Masks, seed: int) -> Mined:
    """The triples of one relevant document that is known."""
    legs = each.asked.legs
    rng = Random(f"{seed} {each.query.id}")
    key = rng.choice(sorted(key for key, grade in each.query.judgements.items() if grade > 0))
    ranks = [
        (rank, entry.chunk_id)
        for leg in (legs.vector, legs.keyword)
        for rank, entry in enumerate(leg[:10])
        if each.keys.get(legs.scores[entry.chunk_id].document_id) == key
    ]
    positives = {min(ranks)[1]} if ranks else set()
    return mine_known(
        positives,
        legs.vector,
        legs.keyword,
        legs.scores,
        likeness=each.known.likeness,
        masks=masks,
    )


def counted(source: Path, given: argparse.Namespace) -> Counts:
    """Triples, false negatives and right positives by way, masks, kind and half."""
    counts: Counts = Counter()
    for place, each in enumerate(answered(source, given)):
        for masked in (False, True):
            found = {
                "search": from_search(each, EVERY_MASK if masked else NO_MASK),
                "known": from_known(each, OF_KNOWN if masked else NO_MASK, given.seed),
            }
            for way, mined in found.items():
                for triple in mined.triples:
                    half = place % 2
                    counts[f"{way} {triple.kind}", masked, "triples", half] += 1
                    false, right = each.relevant(triple.negative), each.relevant(triple.positive)
                    counts[f"{way} {triple.kind}", masked, "false", half] += false
                    counts[f"{way} {triple.kind}", masked, "right", half] += right
    return counts


def told(counts: Counts, way: str, *, masked: bool) -> dict[str, Any]:
    """Rates of one way."""

    def of(what: str, half: int | None = None, kind: str = "") -> int:
        return sum(
            count
            for (name, was_masked, each, place), count in counts.items()
            if name.startswith(way)
            and name.endswith(kind)
            and was_masked is masked
            and each == what
            and half in {None, place}
        )

    triples, false = of("triples"), of("false")
    kinds = ("dense_blind_spot", "lexical_blind_spot")
    return {
        "triples": triples,
        "false": false,
        "rate": round(false / triples, 6) if triples else None,
        "interval": wilson(false, triples),
        "positives_right": round(of("right") / triples, 4) if triples else None,
        "by_kind": {kind: [of("false", kind=kind), of("triples", kind=kind)] for kind in kinds},
        "halves": [[of("false", half), of("triples", half)] for half in (0, 1)],
    }


def main() -> None:
    """Measure, print, and append to the results."""
    arguments = parser("false_negatives", __doc__)
    arguments.add_argument("--seed", type=int, default=0)
    given = arguments.parse_args()
    every: Counts = Counter()
    for source in [*given.sets, None]:
        name = "all" if source is None else source.name.removesuffix(".tar.gz")
        counts = every if source is None else counted(source, given)
        if source is not None:
            every += counts
        for way in WAYS:
            row: dict[str, object] = {"measure": "false_negatives", "set": name, "mined": way}
            row |= {
                "without": told(counts, way, masked=False),
                "with": told(counts, way, masked=True),
            }
            print(json.dumps(row), flush=True)
            append_row(given.rows, row)


if __name__ == "__main__":
    main()
