"""Models that were installed beside the one in the package: whole copies in a folder, known by name."""

from __future__ import annotations

import json
import re
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from vstash.embed.description import (
    MODEL_FILES,
    ModelFolder,
    read_checked,
    read_described,
    read_model_folder,
)
from vstash.errors import FieldError, ModelExistsError, ModelInvalidError
from vstash.errors.missing import no_model
from vstash.types import ModelInfo

__all__ = ["checked_name", "install", "installed_folder", "installed_models", "uninstall"]

# A name is one part of a path on every system, and no hidden one.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DESCRIPTION: Final = "model.json"
# Any text that every tokenizer reads.
_PROBE: Final = "ready"


def checked_name(name: object) -> str:
    """A name that a model can be installed as.

    Args:
        name: Letters, digits, ``.``, ``_`` and ``-``, at most 100.

    Raises:
        FieldError: When it is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith("."):
        raise FieldError(
            "A model's name has letters, digits, `.`, `_` and `-`, at most 100, begins with a letter "
            "or digit and does not end with a dot.",
            pointer="/name",
        )
    return name


def installed_models(models: Path) -> dict[str, ModelInfo]:
    """What is installed, by name; a folder that is no sound model is left out.

    Args:
        models: The folder of installed models; one that is missing holds none.
    """
    found = {}
    with suppress(OSError):
        for folder in sorted(models.iterdir()):
            if _NAME.fullmatch(folder.name):
                with suppress(ModelInvalidError):
                    found[folder.name] = replace(read_model_folder(folder).info, name=folder.name)
    return found


def installed_folder(models: Path, name: str) -> Path | None:
    """The folder of an installed model, None when there is none of this name."""
    if not _NAME.fullmatch(name):
        return None
    folder = models / name
    return folder if (folder / _DESCRIPTION).is_file() else None


def install(source: Path, models: Path, name: str) -> ModelInfo:
    """Copy a model folder whole, each file held against its digest.

    Args:
        source: Folder with model.json, model.onnx and tokenizer.json.
        models: The folder of installed models; it is made.
        name: What it is to be called.

    Returns:
        The model as installed.

    Raises:
        ModelExistsError: When another model has this name.
        ModelInvalidError: When the folder is not complete and sound, or cannot be copied.
    """
    described = read_model_folder(source)
    if installed_folder(models, name) is not None:
        there = read_model_folder(models / name).info
        if there.sha256 == described.info.sha256:
            return replace(there, name=name)
        raise ModelExistsError(
            "Another model has this name: give one with --name, or remove that one first.",
            pointer="/name",
        )
    part = models / f".{name}-{secrets.token_hex(8)}"
    try:
        models.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.mkdir(mode=0o700)
        try:
            _copy(described, part, name)
            _try(part)
            part.rename(models / name)
        finally:
            _remove(part)
    except OSError as error:
        raise ModelInvalidError(
            "The model cannot be copied to the folder of installed models: see that it can be written "
            "and that there is room.",
            local_detail=f"{error.filename}: {error.strerror}",
        ) from error
    return replace(described.info, name=name)


def _copy(described: ModelFolder, part: Path, name: str) -> None:
    for file in MODEL_FILES:
        (part / file).write_bytes(read_checked(described, file))
    fields = read_described(described.path) | {"name": name, "files": dict(described.digests)}
    text = json.dumps(fields, indent=2, ensure_ascii=False) + "\n"
    (part / _DESCRIPTION).write_text(text, encoding="utf-8")


def _try(folder: Path) -> None:
    """Embed something: a model that cannot is better refused now than when a file needs it."""
    from vstash.embed.onnx import OnnxEmbedder  # noqa: PLC0415 - who lists models need not load it

    OnnxEmbedder(folder, threads=1).embed_queries([_PROBE])


def uninstall(models: Path, name: str) -> ModelInfo:
    """Remove an installed model's files.

    Args:
        models: The folder of installed models.
        name: Of the model.

    Returns:
        The model that was.

    Raises:
        ModelNotFoundError: When none of this name is installed.
        ModelInvalidError: When it cannot be removed.
    """
    folder = installed_folder(models, checked_name(name))
    if folder is None:
        raise no_model()
    info = replace(read_model_folder(folder).info, name=name)
    gone = models / f".{name}-{secrets.token_hex(8)}"
    try:
        # Under another name first: who looks for it meanwhile finds all of it or nothing.
        folder.rename(gone)
        _remove(gone)
    except OSError as error:
        raise ModelInvalidError(
            "The model's files cannot be removed: see that the folder can be written.",
            local_detail=f"{error.filename}: {error.strerror}",
        ) from error
    return info


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
