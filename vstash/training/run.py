"""A training from beginning to end: examples, steps, the model folder, and the decision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vstash.embed.installed import checked_name
from vstash.embed.onnx import OnnxEmbedder
from vstash.embed.protocol import Embedder
from vstash.errors import ExtraMissingError, TrainingError
from vstash.memory import Memory
from vstash.training.base import Base, open_base
from vstash.training.comparison import (
    Judged,
    background,
    compared,
    general_set,
    held_out_set,
)
from vstash.training.deciding import decided
from vstash.training.examples import Example, from_file, from_memory
from vstash.training.export import describe, export, mixed
from vstash.training.options import Stage, TrainOptions, TrainProgress, TrainWatcher
from vstash.training.reports import TrainReport
from vstash.training.splitting import Split, split
from vstash.training.stored import listed_vectors, stored_vectors
from vstash.types import JsonObject
from vstash.wire import to_json

if TYPE_CHECKING:
    from vstash.training.encoder import Encoder
    from vstash.training.fit import Fitted
    from vstash.types import FloatArray

__all__ = ["require_training", "train"]

_CHECKPOINT: Final = "checkpoint.pt"
_BEGUN: Final = "training.json"
_DECISION: Final = "decision.json"
_LIBRARIES: Final = ("torch", "transformers", "sentence_transformers")
_POOL: Final = 1500
_PROBES: Final = 64


def train(
    out: Path,
    memory: Memory | None,
    *,
    collection: str | None,
    base: str,
    data: Path | None,
    name: str | None,
    options: TrainOptions,
    models: Path | None,
    resume: bool,
    progress: TrainWatcher | None,
) -> TrainReport:
    """As `vstash.training.train_model`, with every argument."""
    options = options.checked()
    chosen = checked_name(out.name if name is None else name)
    model = open_base(base, models)
    require_training()
    examples = _examples(memory, data, collection, options, progress)
    parts = split(examples, share=options.held_out, seed=options.seed)
    begun = {
        "options": asdict(replace(options, minutes=0.0)),
        "data": _digest(examples),
        "base": model.folder.info.sha256,
    }
    _begin(out, begun, resume=resume)
    vectors = _vectors(memory, collection, model, parts.train)
    encoder, fitted = _fitted(out, model, parts, vectors, options, progress, resume=resume)
    encoder.load(mixed(model.weights, fitted.weights, options.share))
    _tell(progress, "export", 0, 1)
    export(model, encoder.weights(), out, name=chosen)
    report = _judged(out, model, encoder, fitted, parts, options, progress)
    report = replace(report, data_sha256=str(begun["data"]))
    (out / _DECISION).write_text(json.dumps(to_json(report), indent=2) + "\n", encoding="utf-8")
    for left in (_CHECKPOINT, _BEGUN):
        (out / left).unlink(missing_ok=True)
    return report


def require_training() -> None:
    """Refuse before any work is done.

    Raises:
        ExtraMissingError: When a library of the extra is not installed.
    """
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"Training needs {', '.join(missing)}: pip install 'vstash[train]'. On a machine without a GPU "
            "install PyTorch's build for CPUs first: "
            "pip install torch --index-url https://download.pytorch.org/whl/cpu"
        )


def _examples(
    memory: Memory | None,
    data: Path | None,
    collection: str | None,
    options: TrainOptions,
    progress: TrainWatcher | None,
) -> tuple[Example, ...]:
    if data is not None:
        if options.objective == "distil":
            raise TrainingError(
                "A file of examples has no fused lists: give --objective contrast.",
                pointer="/objective",
            )
        return from_file(data)
    if memory is None:
        raise TrainingError("Name a file of vstash, or a file of examples.", pointer="/data")
    return from_memory(
        memory,
        collection=collection,
        lists=options.objective == "distil",
        progress=lambda done, total: _tell(progress, "read", done, total),
    )


def _begin(out: Path, begun: dict[str, Any], *, resume: bool) -> None:
    """The folder, new or as the same training left it."""
    record = out / _BEGUN
    text = json.dumps(begun, sort_keys=True)
    try:
        if resume and record.is_file():
            if record.read_text(encoding="utf-8") != text:
                raise TrainingError(
                    "This training was begun with other options, data or base: give the same ones, or "
                    "another folder.",
                    pointer="/resume",
                )
            return
        if out.is_dir() and any(out.iterdir()):
            raise TrainingError(
                "The folder is not empty: name a new one, or go on with --resume.", pointer="/out"
            )
        out.mkdir(parents=True, exist_ok=True)
        record.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TrainingError(
            "The folder for the model cannot be written.",
            pointer="/out",
            local_detail=f"{error.filename}: {error.strerror}",
        ) from error


def _vectors(
    memory: Memory | None, collection: str | None, model: Base, examples: Sequence[Example]
) -> dict[str, FloatArray]:
    """Where the listed passages are before training."""
    if memory is None:
        return {}
    used = memory.stats().model
    same = used is not None and used.sha256 == model.folder.info.sha256
    stored = stored_vectors(memory, collection=collection) if same else {}
    found, missing = listed_vectors(examples, stored)
    if missing:
        rows = OnnxEmbedder(model.folder.path).embed_passages(missing)
        found |= dict(zip(missing, rows, strict=True))
    return found


def _fitted(
    out: Path,
    model: Base,
    parts: Split,
    vectors: dict[str, FloatArray],
    options: TrainOptions,
    progress: TrainWatcher | None,
    *,
    resume: bool,
) -> tuple[Encoder, Fitted]:
    # Imported here: PyTorch takes seconds, and is an extra.
    from vstash.training.encoder import Encoder  # noqa: PLC0415 - as said above
    from vstash.training.fit import fit  # noqa: PLC0415 - as said above
    from vstash.training.objectives import objective  # noqa: PLC0415 - as said above

    encoder = Encoder(model, checkpointing=options.checkpointing)
    goal = objective(encoder, parts.train, vectors, options)
    checkpoint = out / _CHECKPOINT
    return encoder, fit(
        encoder, goal, options, checkpoint=checkpoint, resume=resume, progress=progress
    )


def _judged(
    out: Path,
    model: Base,
    encoder: Encoder,
    fitted: Fitted,
    parts: Split,
    options: TrainOptions,
    progress: TrainWatcher | None,
) -> TrainReport:
    own = held_out_set(parts.held_out, parts.train, most=_POOL, seed=options.seed)
    general = general_set()
    total = 2 * sum(len(each.queries) + len(each.passages) for each in (own, general))
    done = 0

    def told(texts: int) -> None:
        nonlocal done
        done += texts
        _tell(progress, "compare", done, total)

    tuned = OnnxEmbedder(out)
    with TemporaryDirectory() as before:
        # Not the folder that the model came from: its weights may have come from elsewhere.
        export(model, model.weights, Path(before), name=model.folder.info.name)
        base = OnnxEmbedder(Path(before))
        results = [
            compared(each, base, tuned, seed=options.seed, progress=told) for each in (own, general)
        ]
        describe(out, _described(model, base, tuned, own, options.seed))
    cosine = _cosine(encoder, tuned, [each.text for each in own.passages[:_PROBES]])
    recommended, reason = decided(results[0], results[1], cosine)
    return TrainReport(
        name=tuned.info.name,
        folder=str(out),
        sha256=tuned.info.sha256,
        base=model.folder.info.name,
        base_sha256=model.folder.info.sha256,
        data_sha256="",
        options=options,
        examples=len(parts.train),
        held_out=len(parts.held_out),
        evidence=parts.evidence,
        steps=fitted.steps,
        planned=fitted.planned,
        losses=fitted.losses,
        seconds=fitted.seconds,
        peak_bytes=fitted.peak_bytes,
        device=fitted.device,
        cosine=cosine,
        own=results[0],
        general=results[1],
        recommended=recommended,
        reason=reason,
    )


def _described(
    model: Base, before: Embedder, after: Embedder, own: Judged, seed: int
) -> JsonObject:
    """What the new description says otherwise; the calibration of relevance is that of the base."""
    info = model.folder.info
    mean_before, deviation_before = background(before, own, seed=seed)
    mean, deviation = background(after, own, seed=seed)
    return {
        "source": f"{info.name}, trained by vstash",
        "background_mean": round(min(max(info.background_mean + mean - mean_before, -1.0), 1.0), 4),
        "background_deviation": round(
            min(info.background_deviation * deviation / deviation_before, 1.0), 4
        ),
    }


def _cosine(encoder: Encoder, exported: Embedder, texts: Sequence[str]) -> float:
    """Of the float model's vectors with those of the file that was written."""
    rows = encoder.passages(texts, encoder.max_tokens)
    ours = exported.embed_passages(texts)
    cosines = [
        float(vector @ ours[place])
        for places, vectors in encoder.embedded(rows)
        for place, vector in zip(places, vectors, strict=True)
    ]
    return float(np.mean(cosines))


def _digest(examples: Sequence[Example]) -> str:
    told = hashlib.sha256()
    for example in examples:
        told.update(repr(example).encode("utf-8", "surrogatepass"))
    return told.hexdigest()


def _tell(progress: TrainWatcher | None, stage: Stage, done: int, total: int) -> None:
    if progress is not None:
        progress(TrainProgress(stage, done, total))
