"""How far the two indexes disagree on judged sets: the published range is 63 to 87 % by corpus.

    python -m bench.learning.disagreement ../shared/data/*.tar.gz --work /tmp/sets

Both legs are asked 50 deep and compared at 10: disagreement@10 is 1 - what both list among their first 10
chunks / 10, the mean over a set's queries. `searches` is the share of queries of which the two lists of 10
are not the same. A set of short documents has one chunk for each. Prints a row for each set and appends it to
bench/results/learning.jsonl.
"""

from __future__ import annotations

import json

import numpy as np

from bench.learning.judged_legs import answered, parser
from bench.machine import append_row
from vstash.learn.triples import DISAGREEMENT_K, disagreement_at


def main() -> None:
    """Measure, print, and append to the results."""
    given = parser("disagreement", __doc__).parse_args()
    for source in given.sets:
        at_k, first, count = [], 0, 0
        for each in answered(source, given):
            legs = each.asked.legs
            vector, keyword = (
                [entry.chunk_id for entry in leg] for leg in (legs.vector, legs.keyword)
            )
            at_k.append(disagreement_at(vector, keyword, DISAGREEMENT_K))
            first += vector[:1] != keyword[:1]
            count += 1
        values = np.array(at_k)
        row: dict[str, object] = {
            "measure": "disagreement",
            "set": source.name.removesuffix(".tar.gz"),
            "queries": count,
            "legs_asked": 50,
            "k": DISAGREEMENT_K,
            "mean": round(float(values.mean()), 4),
            "error": round(float(values.std(ddof=1) / np.sqrt(count)), 4),
            "searches": round(float((values > 0).mean()), 4),
            "first_differs": round(first / count, 4),
        }
        print(json.dumps(row))
        append_row(given.rows, row)


if __name__ == "__main__":
    main()
