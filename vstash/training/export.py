"""A trained model as a folder that `vstash model add` takes: int8 ONNX, tokenizer, description."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from vstash.embed.description import read_checked, read_described
from vstash.embed.onnx import OnnxEmbedder
from vstash.errors import TrainingError
from vstash.training.base import CONFIG, Base
from vstash.training.weights import requantised

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["describe", "export", "mixed", "served"]

_MODEL, _TOKENIZER, _DESCRIPTION = "model.onnx", "tokenizer.json", "model.json"


def mixed(
    base: Mapping[str, FloatArray], tuned: Mapping[str, FloatArray], share: float
) -> dict[str, FloatArray]:
    """Weights on the way from one model to another.

    Args:
        base: Where the way begins.
        tuned: Where it ends.
        share: Of the way, 0 to 1.
    """
    return {name: (1 - share) * values + share * tuned[name] for name, values in base.items()}


def export(base: Base, weights: Mapping[str, FloatArray], folder: Path, *, name: str) -> None:
    """Write a model folder.

    Args:
        base: The model that was trained; the new one has its graph, tokenizer, prefixes and pooling.
        weights: Of the new one.
        folder: Where; it exists.
        name: Of the new model.

    Raises:
        TrainingError: When the folder cannot be written.
    """
    files = {
        _MODEL: requantised(base.graph, weights),
        _TOKENIZER: read_checked(base.folder, _TOKENIZER),
        CONFIG: _json(base.config),
    }
    digests = {file: hashlib.sha256(files[file]).hexdigest() for file in (_MODEL, _TOKENIZER)}
    fields = read_described(base.folder.path) | {"name": name, "files": digests}
    # The description last: a folder with one is whole.
    _write(folder, files | {_DESCRIPTION: _json(fields)})


@contextmanager
def served(base: Base) -> Iterator[OnnxEmbedder]:
    """The int8 model of a base, as it would be served.

    Args:
        base: Before training.
    """
    if base.own:
        yield OnnxEmbedder(base.folder.path)
        return
    with TemporaryDirectory() as folder:
        export(base, base.weights, Path(folder), name=base.folder.info.name)
        yield OnnxEmbedder(Path(folder))


def describe(folder: Path, further: Mapping[str, Any]) -> None:
    """Put fields into the description of a model folder.

    Args:
        folder: As `export` wrote it.
        further: By name.

    Raises:
        TrainingError: When it cannot be written.
    """
    _write(folder, {_DESCRIPTION: _json(read_described(folder) | dict(further))})


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    try:
        for file, content in files.items():
            part = folder / f"{file}.part"
            part.write_bytes(content)
            part.replace(folder / file)
    except OSError as error:
        raise TrainingError(
            "The folder for the model cannot be written: see that there is room.",
            local_detail=f"{error.filename}: {error.strerror}",
        ) from error


def _json(fields: Mapping[str, Any]) -> bytes:
    return (json.dumps(fields, indent=2, ensure_ascii=False) + "\n").encode()
