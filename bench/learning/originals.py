"""How near a model made of the packaged int8 weights is to its float originals, before any training.

    python -m bench.learning.originals ../shared/models/bge-small-en-v1.5/weights.safetensors

The questions and answers of the general set are embedded by three models: the int8 file as it is served, its weights
made float again, and the float16 originals. Prints mean and least cosine of each pair, and nDCG@10 on the
general set of each.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vstash.embed.catalogue import open_model
from vstash.training.base import Base, open_base
from vstash.training.comparison import general_set
from vstash.training.encoder import Encoder

if TYPE_CHECKING:
    from vstash.types import FloatArray


def embedded(base: Base) -> tuple[FloatArray, FloatArray]:
    """Vectors of the general set's queries and passages."""
    encoder = Encoder(base)
    encoder.precision = "float32"
    general = general_set()
    found = []
    for rows in (
        encoder.queries(general.queries, 500),
        encoder.passages([each.text for each in general.passages], 500),
    ):
        vectors = np.empty((len(rows), base.folder.info.dimension), dtype=np.float32)
        for places, values in encoder.embedded(rows):
            vectors[places] = values
        found.append(vectors)
    return found[0], found[1]


def ndcg(queries: FloatArray, passages: FloatArray) -> float:
    """Each query is answered by the passage of its place."""
    scores = queries @ passages.T
    ranks = 1 + (scores > np.diag(scores)[:, None]).sum(axis=1)
    return float(np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0.0).mean())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning.originals", description=__doc__)
    parser.add_argument("weights", type=Path)
    given = parser.parse_args()
    general, served = general_set(), open_model("")
    models = {
        "int8": (
            served.embed_queries(general.queries),
            served.embed_passages([each.text for each in general.passages]),
        ),
        "dequantised": embedded(open_base("", None)),
        "originals": embedded(open_base(str(given.weights), None)),
    }
    row: dict[str, Any] = {f"nDCG@10 {name}": ndcg(*vectors) for name, vectors in models.items()}
    for one, other in combinations(models, 2):
        cosines = np.concatenate(
            [(a * b).sum(axis=1) for a, b in zip(models[one], models[other], strict=True)]
        )
        row[f"{one} and {other}"] = {"mean": float(cosines.mean()), "least": float(cosines.min())}
    print(json.dumps(row, indent=2))


if __name__ == "__main__":
    main()
