"""Which embedding model a name stands for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vstash.embed.description import read_model_info
from vstash.errors import ModelInvalidError

if TYPE_CHECKING:
    from vstash.embed.protocol import Embedder

__all__ = ["DEFAULT_MODEL", "open_model", "packaged_folder", "packaged_models", "read_model_info"]

DEFAULT_MODEL: Final = "bge-small-en-v1.5"
_FAKE: Final = "fake"


def open_model(name: str = "", *, threads: int = 0, warm: bool = False) -> Embedder:
    """Open an embedding model; its weights are loaded by the first embedding.

    Args:
        name: Empty for the model in the package, the name of a packaged model, ``fake`` for the
            deterministic test embedder, or a folder with model.json, model.onnx and tokenizer.json
            (``~`` is expanded).
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
    if name == _FAKE:
        from vstash.embed.fake import FakeEmbedder  # noqa: PLC0415 - as said above

        return FakeEmbedder()
    from vstash.embed.onnx import OnnxEmbedder  # noqa: PLC0415 - as said above

    model = OnnxEmbedder(_folder(name or DEFAULT_MODEL), threads=threads)
    if warm:
        model.warm()
    return model


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


def _folder(name: str) -> Path:
    if name == DEFAULT_MODEL or name in packaged_models():
        return packaged_folder(name)
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
