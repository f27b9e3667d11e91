"""What a training starts from: a model's weights, its configuration, and the file that tuned ones go into."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vstash.embed.catalogue import DEFAULT_MODEL, model_folder, packaged_folder
from vstash.embed.description import ModelFolder, read_checked, read_model_folder
from vstash.embed.onnx_file import MalformedOnnxError
from vstash.errors import ExtraMissingError, ModelInvalidError
from vstash.training.graph import Graph, read_graph
from vstash.training.safetensors import read_weights
from vstash.training.weights import dequantised, shapes

if TYPE_CHECKING:
    from vstash.types import FloatArray

__all__ = ["CONFIG", "Base", "open_base"]

CONFIG: Final = "config.json"
_WEIGHTS: Final = "model.safetensors"
_DESCRIPTION: Final = "model.json"
_MODEL: Final = "model.onnx"
# What BERT has that an encoder of texts does not use.
_UNUSED: Final = ("pooler.", "cls.")


@dataclass(frozen=True, slots=True)
class Base:
    """A model before training.

    Attributes:
        folder: Its description: prefixes, pooling, tokenizer.
        graph: The int8 file that tuned weights are put into.
        config: Of transformers' BertModel.
        weights: By the names of that class, float32.
        own: Whether they are those of the graph, not brought from elsewhere.
    """

    folder: ModelFolder
    graph: Graph
    config: Mapping[str, Any]
    weights: Mapping[str, FloatArray]
    own: bool = True


def open_base(source: str, models: Path | None) -> Base:
    """Read a model to train.

    Args:
        source: Empty for the model in the package; the name or folder of a model of vstash, whose int8
            weights are made float again; or other weights for the architecture of the packaged model:
            a .safetensors file, a folder with model.safetensors, or an ``organisation/name`` of the
            Hugging Face hub, which alone is downloaded.
        models: The folder of installed models.

    Raises:
        ModelInvalidError: When there is no such model, or its architecture is another.
        ExtraMissingError: When a name of the hub is given and its client is not installed.
    """
    path = Path(source).expanduser() if source else None
    if path is not None and path.is_file():
        return _with_weights(path, models)
    if path is not None and (path / _WEIGHTS).is_file() and not (path / _DESCRIPTION).is_file():
        return _with_weights(path / _WEIGHTS, models)
    if source.count("/") == 1 and not source.startswith((".", "/")) and path and not path.is_dir():
        return _with_weights(_downloaded(source), models)
    return _own(source, models)


def _own(source: str, models: Path | None) -> Base:
    folder = read_model_folder(model_folder(source or DEFAULT_MODEL, models))
    try:
        graph = read_graph(read_checked(folder, _MODEL))
    except MalformedOnnxError as error:
        raise ModelInvalidError(
            "The embedding model's file model.onnx is not an ONNX file.", local_detail=str(error)
        ) from error
    config = _config(folder.path, graph)
    return Base(folder, graph, config, dequantised(graph))


def _config(folder: Path, graph: Graph) -> Mapping[str, Any]:
    """Beside the model; a tuned copy of the packaged model has that one's."""
    packaged = packaged_folder(DEFAULT_MODEL)
    path = folder / CONFIG
    if not path.is_file() and shapes(graph) == shapes(read_graph((packaged / _MODEL).read_bytes())):
        path = packaged / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelInvalidError(
            "To be trained, this model needs a config.json of transformers' BertModel beside it.",
            local_detail=f"{path}: {error}",
        ) from error
    if not isinstance(config, dict) or config.get("model_type") != "bert":
        raise ModelInvalidError(
            "Only models of the type bert can be trained.", local_detail=str(path)
        )
    return config


def _with_weights(path: Path, models: Path | None) -> Base:
    """The packaged model with other weights."""
    packaged = _own("", models)
    found = {
        name.removeprefix("bert."): values
        for name, values in read_weights(path).items()
        if not name.removeprefix("bert.").startswith(_UNUSED)
    }
    wanted = {name: values.shape for name, values in packaged.weights.items()}
    given = {name: values.shape for name, values in found.items() if name in wanted}
    if given != wanted:
        strange = sorted(name for name in wanted if given.get(name) != wanted[name])
        raise ModelInvalidError(
            "These weights are of another architecture than the packaged model, which is the one that "
            "can be trained.",
            local_detail=f"{path}: {len(strange)} weights are missing or of another shape, {strange[0]}",
        )
    return replace(packaged, weights={name: found[name] for name in wanted}, own=False)


def _downloaded(name: str) -> Path:
    try:
        from huggingface_hub import hf_hub_download  # noqa: PLC0415 - an extra
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError  # noqa: PLC0415
    except ImportError as error:
        raise ExtraMissingError(
            "Models of the hub need the extra: pip install 'vstash[train]'"
        ) from error
    try:
        return Path(hf_hub_download(name, _WEIGHTS))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise ModelInvalidError(
            "There is no such model here, and the hub did not give it.",
            local_detail=f"{name}: {error}",
        ) from error
