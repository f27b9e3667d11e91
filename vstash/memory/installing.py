"""Installing embedding models on this machine, for every file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.types import ModelInfo

__all__ = ["install_model", "installed_models", "uninstall_model"]


def install_model(
    folder: str | os.PathLike[str], *, name: str | None = None, settings: Settings | None = None
) -> ModelInfo:
    """Copy a model folder to where every vstash of this user finds it by its name.

    The copy is whole, each file is held against its digest, then and at every load, and the model is
    tried once. Nothing is downloaded.

    Args:
        folder: With model.json, model.onnx, which keeps no values in other files, and tokenizer.json.
        name: What it is to be called: letters, digits, ``.``, ``_`` and ``-``; None for what model.json
            says.
        settings: Its `models_folder`; None reads them.

    Returns:
        The model as installed; the same where it was already.

    Raises:
        FieldError: When the name cannot be used.
        ModelExistsError: When another model has it.
        ModelInvalidError: When the folder is not complete and sound, or cannot be copied.

    Example:
        >>> import vstash
        >>> vstash.install_model("./minilm", name="minilm").name  # doctest: +SKIP
        'minilm'
    """
    from vstash.embed.catalogue import install  # noqa: PLC0415 - heavy

    return install(Path(folder).expanduser().absolute(), _folder(settings), name)


def installed_models(*, settings: Settings | None = None) -> tuple[ModelInfo, ...]:
    """List the models that can be opened by name: those in the package, and those installed.

    Args:
        settings: Its `models_folder`; None reads them.
    """
    from vstash.embed.catalogue import known_models  # noqa: PLC0415 - heavy

    return tuple(known_models(_folder(settings)).values())


def uninstall_model(name: str, *, settings: Settings | None = None) -> ModelInfo:
    """Remove the copy of a model that `install_model` made; files that are searched with it need it.

    Args:
        name: As it is listed.
        settings: Its `models_folder`; None reads them.

    Returns:
        The model that was.

    Raises:
        ModelNotFoundError: When none of this name is installed.
        ModelInvalidError: When its files cannot be removed.
    """
    from vstash.embed.installed import uninstall  # noqa: PLC0415 - heavy

    return uninstall(_folder(settings), name)


def _folder(settings: Settings | None) -> Path:
    from vstash.settings import load_settings  # noqa: PLC0415 - heavy

    return (load_settings() if settings is None else settings).models_path()
