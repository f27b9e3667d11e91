"""Training an embedding model on what searches disagreed about.

Example:
    >>> from vstash import Memory, train_model
    >>> with Memory("notes.db") as memory:
    ...     report = train_model("tuned", memory, minutes=30)
    >>> report.recommended
    True
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vstash.memory import Memory
    from vstash.training.options import TrainOptions, TrainWatcher
    from vstash.training.reports import TrainReport

__all__ = ["train_model"]


def train_model(
    out: str | os.PathLike[str],
    memory: Memory | None = None,
    *,
    collection: str | None = None,
    base: str = "",
    data: str | os.PathLike[str] | None = None,
    name: str | None = None,
    options: TrainOptions | None = None,
    resume: bool = False,
    progress: TrainWatcher | None = None,
) -> TrainReport:
    """Train a copy of an embedding model, compare it with the one before, and write a model folder.

    The file is read only. What comes out is a folder that `install_model` takes; a file uses it after
    `Memory.reindex`. Whether that is worth it stands in the report, and in decision.json beside the model.

    Args:
        out: The folder to write; new or empty.
        memory: The file whose logged and made queries are learnt from; None with ``data``.
        collection: Of the file; None for ``default``.
        base: What to start from: empty for the model in the package, the name or folder of a model, a
            .safetensors file or a folder with model.safetensors of the same architecture, or
            ``organisation/name`` of the Hugging Face hub, which alone downloads something.
        data: A file of examples instead: JSON Lines with ``query``, ``positive`` and ``negatives``.
        name: Of the new model; None for the folder's name.
        options: How to train; None for the defaults.
        resume: Go on with a training that was interrupted, from its last checkpoint.
        progress: Called along the way; what it raises ends the training, and a checkpoint is kept.

    Raises:
        ExtraMissingError: When the extra ``train`` is not installed.
        QueryError: When an option is out of range.
        TrainingError: When there is too little to learn from, or the folder cannot be used.
        ModelInvalidError: When the base cannot be trained.
        VstashError: What reading the file raises.

    Example:
        >>> with Memory("notes.db") as memory:
        ...     report = train_model("tuned", memory)
        >>> report.own["nDCG@10"].difference
        Interval(mean=0.031, low=0.012, high=0.05)
    """
    from vstash.settings import load_settings  # noqa: PLC0415 - who only imports vstash trains nothing
    from vstash.training.options import TrainOptions  # noqa: PLC0415 - the same
    from vstash.training.run import train  # noqa: PLC0415 - the same

    settings = load_settings() if memory is None else memory.settings
    return train(
        Path(out),
        memory,
        collection=collection,
        base=base,
        data=None if data is None else Path(data),
        name=name,
        options=TrainOptions() if options is None else options,
        models=settings.models_path(),
        resume=resume,
        progress=progress,
    )
