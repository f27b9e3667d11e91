"""A training from beginning to end: examples, steps, the model folder, and the decision."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vstash.embed.installed import checked_name
from vstash.errors import ExtraMissingError, TrainingError
from vstash.memory import Memory
from vstash.training.base import Base, open_base
from vstash.training.beginning import BEGUN, Begun, begin, begun_before, require_empty
from vstash.training.examples import Example, from_file, from_memory
from vstash.training.export import export, mixed, served
from vstash.training.judging import Verdict, judge
from vstash.training.options import Stage, TrainOptions, TrainProgress, TrainWatcher
from vstash.training.reports import TrainReport
from vstash.training.splitting import Split, split
from vstash.training.stored import listed_vectors, stored_vectors
from vstash.wire import to_json

if TYPE_CHECKING:
    from vstash.training.encoder import Encoder
    from vstash.training.fit import Fitted
    from vstash.types import FloatArray

__all__ = ["require_training", "train"]

_CHECKPOINT: Final = "checkpoint.pt"
_BATCH: Final = 64
_DECISION: Final = "decision.json"
# Of the minutes, after which what follows the steps begins: export and comparison.
_TRAINED: Final = 0.8
_LIBRARIES: Final = ("torch", "transformers", "sentence_transformers")


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
    started = time.monotonic()
    options = options.checked()
    chosen = checked_name(out.name if name is None else name)
    model = open_base(base, models)
    require_training()
    begun = begun_before(out) if resume else None
    if begun is None:
        require_empty(out)
        examples = _examples(memory, data, collection, options, progress)
        begun = Begun(replace(options, minutes=0.0), model.folder.info.sha256, examples)
    elif (begun.options, begun.base) != (replace(options, minutes=0.0), model.folder.info.sha256):
        raise TrainingError(
            "This training was begun with other options or from another model: give the same ones, or "
            "another folder.",
            pointer="/resume",
        )
    parts = split(begun.examples, share=options.held_out, seed=options.seed)
    begin(out, begun)
    vectors = _vectors(memory, collection, model, parts.train, progress)
    budget_s = _TRAINED * 60 * options.minutes - (time.monotonic() - started)
    encoder, fitted = _fitted(
        out, model, parts, vectors, options, budget_s, progress, resume=resume
    )
    encoder.load(mixed(model.weights, fitted.weights, options.share))
    _tell(progress, "export", 0, 1)
    export(model, encoder.weights(), out, name=chosen)
    verdict = judge(out, model, encoder, parts, seed=options.seed, progress=progress)
    report = _report(out, model, fitted, parts, verdict, options)
    (out / _DECISION).write_text(json.dumps(to_json(report), indent=2) + "\n", encoding="utf-8")
    for left in (_CHECKPOINT, BEGUN):
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


def _vectors(
    memory: Memory | None,
    collection: str | None,
    model: Base,
    examples: Sequence[Example],
    progress: TrainWatcher | None,
) -> dict[str, FloatArray]:
    """Where the listed passages are before training."""
    if memory is None:
        return {}
    used = memory.stats().model
    same = model.own and used is not None and used.sha256 == model.folder.info.sha256
    stored = stored_vectors(memory, collection=collection) if same else {}
    found, missing = listed_vectors(examples, stored)
    with served(model) as embedder:
        for start in range(0, len(missing), _BATCH):
            texts = missing[start : start + _BATCH]
            found |= dict(zip(texts, embedder.embed_passages(texts), strict=True))
            _tell(progress, "embed", start + len(texts), len(missing))
    return found


def _fitted(
    out: Path,
    model: Base,
    parts: Split,
    vectors: dict[str, FloatArray],
    options: TrainOptions,
    budget_s: float,
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
        encoder,
        goal,
        options,
        budget_s=budget_s if options.minutes else None,
        checkpoint=checkpoint,
        resume=resume,
        progress=progress,
    )


def _report(
    out: Path, model: Base, fitted: Fitted, parts: Split, verdict: Verdict, options: TrainOptions
) -> TrainReport:
    return TrainReport(
        name=verdict.tuned.name,
        folder=str(out),
        sha256=verdict.tuned.sha256,
        base=model.folder.info.name,
        base_sha256=model.folder.info.sha256,
        data_sha256=_digest((*parts.train, *parts.held_out)),
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
        cosine=verdict.cosine,
        own=verdict.own,
        general=verdict.general,
        recommended=verdict.recommended,
        reason=verdict.reason,
    )


def _digest(examples: Sequence[Example]) -> str:
    told = hashlib.sha256()
    for example in examples:
        told.update(repr(example).encode("utf-8", "surrogatepass"))
    return told.hexdigest()


def _tell(progress: TrainWatcher | None, stage: Stage, done: int, total: int) -> None:
    if progress is not None:
        progress(TrainProgress(stage, done, total))
