"""Which embedding model a name stands for."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vstash.embed import installed
from vstash.embed.description import read_model_info
from vstash.embed.installed import checked_name, installed_folder, installed_models
from vstash.errors import ModelExistsError, ModelInvalidError
from vstash.errors.missing import no_model

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder
    from vstash.types import ModelInfo

__all__ = [
    "DEFAULT_MODEL",
    "install",
    "known_models",
    "model_folder",
    "model_name",
    "named_model",
    "open_model",
    "packaged_folder",
    "packaged_models",
    "read_model_info",
]

DEFAULT_MODEL: Final = "bge-small-en-v1.5"
_FAKE: Final = "fake"
# The test embedder with another dimension.
_FAKES: Final = re.compile(r"fake(?:-([1-9]\d{0,3}))?")


def open_model(
    name: str = "", *, models: Path | None = None, threads: int = 0, warm: bool = False
) -> Embedder:
    """Open an embedding model; its weights are loaded by the first embedding.

    Args:
        name: Empty for the model in the package, the name of a packaged or installed model, ``fake``
            or ``fake-`` with a dimension for the deterministic test embedder, or a folder with
            model.json, model.onnx and tokenizer.json (``~`` is expanded).
        models: The folder of installed models, None for none.
        threads: Embedding workers; 0 means one per core this process may use.
        warm: Begin to load its weights at once, in a thread.

    Returns:
        The model, ready to embed from any thread.

    Raises:
        ModelInvalidError: When there is no such model, or its folder is not complete and sound.

    Example:
        >>> open_model("fake").info.dimension
        64
    """
    # Imported here: NumPy costs 80 ms that only who embeds should pay.
    if fake := _FAKES.fullmatch(name):
        from vstash.embed.fake import FakeEmbedder  # noqa: PLC0415 - as said above

        return FakeEmbedder(int(fake[1])) if fake[1] else FakeEmbedder()
    from vstash.embed.onnx import OnnxEmbedder  # noqa: PLC0415 - as said above

    model = OnnxEmbedder(model_folder(name or DEFAULT_MODEL, models), threads=threads)
    if warm:
        model.warm()
    return model


def named_model(name: str, models: Path, *, threads: int = 0) -> Embedder:
    """Open a model by a name that is no path, whoever gave it.

    Args:
        name: Of a packaged or installed model, or of the test embedder.
        models: The folder of installed models.
        threads: As for `open_model`.

    Raises:
        ModelNotFoundError: When there is none of this name.
        ModelInvalidError: When its files are not complete and sound.
    """
    known = name in packaged_models() or _FAKES.fullmatch(name) is not None
    if not known and installed_folder(models, name) is None:
        raise no_model(pointer="/model")
    return open_model(name, models=models, threads=threads)


def install(source: Path, models: Path, name: str | None) -> ModelInfo:
    """Install a model folder under a name that no model of the package has; see `installed.install`."""
    wanted = checked_name(read_model_info(source).name if name is None else name)
    if wanted in packaged_models() or _FAKES.fullmatch(wanted):
        raise ModelExistsError(
            "A model of the package has this name: give another one with --name.", pointer="/name"
        )
    return installed.install(source, models, wanted)


def known_models(models: Path) -> dict[str, ModelInfo]:
    """The models that can be opened by name, the test embedder left out.

    Args:
        models: The folder of installed models.
    """
    packaged = {name: read_model_info(packaged_folder(name)) for name in packaged_models()}
    return installed_models(models) | packaged


def model_name(sha256: str, dimension: int, models: Path) -> str | None:
    """The name that opens the model of a file; None when it is not on this machine.

    Args:
        sha256: What the file says which model it is.
        dimension: Of the model.
        models: The folder of installed models.
    """
    for name, known in known_models(models).items():
        if known.sha256 == sha256:
            return name
    fakes = (name for name in (_FAKE, f"{_FAKE}-{dimension}") if _FAKES.fullmatch(name))
    return next((name for name in fakes if open_model(name).info.sha256 == sha256), None)


def model_folder(name: str, models: Path | None) -> Path:
    """The folder of a model by its name, or by its path.

    Args:
        name: As for `open_model`, the test embedder left out.
        models: The folder of installed models, None for none.

    Raises:
        ModelInvalidError: When there is none.
    """
    if name == DEFAULT_MODEL or name in packaged_models():
        return packaged_folder(name)
    found = None if models is None else installed_folder(models, name)
    if found is not None:
        return found
    try:
        folder = Path(name).expanduser().absolute()
        if folder.is_dir():
            return folder
    except (RuntimeError, ValueError, OSError):
        # No home folder, a null byte, or a name too long for a path: no such folder either way.
        folder = Path(name)
    known = ", ".join((*packaged_models(), _FAKE))
    raise ModelInvalidError(
        f"There is no such embedding model: give the path of a model folder, or one of {known}.",
        local_detail=f"looked for {folder}",
    )


def packaged_folder(name: str) -> Path:
    """The folder of a model that came with the package, whether or not it is there."""
    return Path(__file__).resolve().parent.parent / "models" / name


@lru_cache(maxsize=1)
def packaged_models() -> tuple[str, ...]:
    """The names of the models that came with the package, in order.

    Returns:
        One name per folder with a model.json.
    """
    return tuple(sorted(path.parent.name for path in packaged_folder("").glob("*/model.json")))
