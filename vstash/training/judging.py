"""What is measured of a model folder that was just written, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.embed.onnx import OnnxEmbedder
from vstash.embed.protocol import Embedder
from vstash.training.base import Base
from vstash.training.comparison import (
    Judged,
    background,
    compared,
    general_set,
    held_out_set,
)
from vstash.training.deciding import decided
from vstash.training.export import describe, served
from vstash.training.options import TrainProgress, TrainWatcher
from vstash.training.reports import Measured
from vstash.training.splitting import Split
from vstash.types import JsonObject, ModelInfo

if TYPE_CHECKING:
    from vstash.training.encoder import Encoder, Rows
    from vstash.types import FloatArray

__all__ = ["Verdict", "judge"]

_POOL: Final = 1000
_PROBES: Final = 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured of a trained model, and whether it is recommended."""

    tuned: ModelInfo
    cosine: float
    own: Mapping[str, Measured]
    general: Mapping[str, Measured]
    recommended: bool
    reason: str


def judge(
    out: Path,
    model: Base,
    encoder: Encoder,
    parts: Split,
    *,
    seed: int,
    progress: TrainWatcher | None,
) -> Verdict:
    """Compare a trained model with the one before, as both are served, and complete its description.

    Args:
        out: The trained model's folder.
        model: The one before.
        encoder: The trained one before it was made int8.
        parts: With the examples that were held out.
        seed: Of what is drawn.
        progress: Called along the way.
    """
    own, general = held_out_set(parts.held_out, parts.train, most=_POOL, seed=seed), general_set()
    told = _Told(
        progress, 2 * sum(len(each.queries) + len(each.passages) for each in (own, general))
    )
    tuned = OnnxEmbedder(out)
    with served(model) as base:
        own_found, general_found = (
            compared(each, base, tuned, seed=seed, progress=told) for each in (own, general)
        )
        describe(out, _described(model, base, tuned, own, seed))
    cosine = _cosine(encoder, tuned, own)
    recommended, reason = decided(own_found, general_found, cosine, parts.evidence)
    return Verdict(tuned.info, cosine, own_found, general_found, recommended, reason)


class _Told:
    """Tells how many texts were embedded."""

    def __init__(self, progress: TrainWatcher | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def __call__(self, texts: int) -> None:
        self._done += texts
        if self._progress is not None:
            self._progress(TrainProgress("compare", self._done, self._total))


def _described(
    model: Base, before: Embedder, after: Embedder, own: Judged, seed: int
) -> JsonObject:
    """What the new description says otherwise; the calibration of relevance is that of the base."""
    info = model.folder.info
    mean_before, deviation_before = background(before, own, seed=seed)
    mean, deviation = background(after, own, seed=seed)
    moved = info.background_mean + mean - mean_before
    return {
        "source": f"{info.name}, trained by vstash",
        "background_mean": round(min(max(moved, -1.0), 1.0), 4),
        "background_deviation": round(
            min(info.background_deviation * deviation / deviation_before, 1.0), 4
        ),
    }


def _cosine(encoder: Encoder, exported: Embedder, own: Judged) -> float:
    """Of the float model's vectors with those of the file: the mean over queries or passages, the lower one.

    Queries move further than passages, and lose more where rounding undoes a training.
    """
    queries, most = own.queries[:_PROBES], encoder.max_tokens
    passages = [each.text for each in own.passages[:_PROBES]]
    return min(
        _mean_cosine(encoder, encoder.queries(queries, most), exported.embed_queries(queries)),
        _mean_cosine(encoder, encoder.passages(passages, most), exported.embed_passages(passages)),
    )


def _mean_cosine(encoder: Encoder, rows: Rows, ours: FloatArray) -> float:
    cosines = [
        float(vector @ ours[place])
        for places, vectors in encoder.embedded(rows)
        for place, vector in zip(places, vectors, strict=True)
    ]
    return float(np.mean(cosines))
