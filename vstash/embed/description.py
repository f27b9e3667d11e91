"""The description of a model folder: model.json, read with care."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

from vstash.errors import ModelInvalidError
from vstash.types import ModelInfo

__all__ = [
    "MODEL_FILES",
    "ModelFolder",
    "read_checked",
    "read_described",
    "read_model_folder",
    "read_model_info",
]

MODEL_FILES: Final = ("model.onnx", "tokenizer.json")
_DESCRIPTION: Final = "model.json"
_MAX_DESCRIPTION_BYTES: Final = 1_000_000
_MAX_NAME: Final = 200
_MAX_PREFIX: Final = 10_000
# One for each feature of relevance, and the intercept.
_CALIBRATION_NUMBERS: Final = 6
_MOST_CALIBRATION: Final = 1e3
_MAX_DIMENSION: Final = 65_536
_MIN_TOKENS: Final = 8
_MAX_TOKENS: Final = 1_000_000
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model folder whose description was read.

    Attributes:
        path: The folder.
        info: What the description says.
        digests: File name to hex SHA-256 of its content, for each of `MODEL_FILES`.
    """

    path: Path
    info: ModelInfo
    digests: Mapping[str, str]


def read_model_info(folder: Path) -> ModelInfo:
    """Read what a model folder says of its model.

    Args:
        folder: Folder with model.json, model.onnx and tokenizer.json.

    Returns:
        The model's info; its digest changes when a file, the pooling, a prefix or the maximum
        length does.

    Raises:
        ModelInvalidError: When a file is missing or a field is malformed.

    Example:
        >>> from vstash.embed.catalogue import packaged_folder
        >>> read_model_info(packaged_folder("bge-small-en-v1.5")).dimension
        384
    """
    return read_model_folder(folder).info


def read_model_folder(folder: Path) -> ModelFolder:
    """Read a model folder's description, and hash its files where the description does not.

    Args:
        folder: Folder with model.json, model.onnx and tokenizer.json.

    Returns:
        The folder's path, info and digests.

    Raises:
        ModelInvalidError: When a file is missing or a field is malformed.
    """
    fields = _Fields(folder / _DESCRIPTION, _read_json(folder / _DESCRIPTION))
    name = fields.text("name", longest=_MAX_NAME)
    if not name.strip():
        fields.fail("name", "must not be empty")
    fields.require_normalized()
    pooling = fields.pooling()
    max_tokens = fields.whole("max_tokens", _MIN_TOKENS, _MAX_TOKENS)
    query_prefix = fields.text("query_prefix", default="", longest=_MAX_PREFIX)
    passage_prefix = fields.text("passage_prefix", default="", longest=_MAX_PREFIX)
    background_mean = fields.number("background_mean", 0.0, lambda x: -1 <= x <= 1)
    background_deviation = fields.number("background_deviation", 0.1, lambda x: 0 < x <= 1)
    dimension = fields.whole("dimension", 1, _MAX_DIMENSION)
    for file in MODEL_FILES:
        if not (folder / file).is_file():
            _missing(folder / file)
    digests = fields.digests() or {file: _digest(folder / file) for file in MODEL_FILES}
    identity = {
        "files": digests,
        "max_tokens": max_tokens,
        "passage_prefix": passage_prefix,
        "pooling": pooling,
        "query_prefix": query_prefix,
    }
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    info = ModelInfo(
        name=name,
        dimension=dimension,
        sha256=hashlib.sha256(canonical.encode("ascii")).hexdigest(),
        max_tokens=max_tokens,
        pooling=pooling,
        query_prefix=query_prefix,
        passage_prefix=passage_prefix,
        background_mean=background_mean,
        background_deviation=background_deviation,
        calibration=fields.calibration(),
    )
    return ModelFolder(path=folder, info=info, digests=digests)


def read_described(folder: Path) -> dict[str, object]:
    """All fields of a model folder's description, also those that vstash does not read.

    Args:
        folder: Folder with model.json.

    Raises:
        ModelInvalidError: When it is missing or not one JSON object.
    """
    return _read_json(folder / _DESCRIPTION)


def read_checked(folder: ModelFolder, file: str) -> bytes:
    """Read a file of a model and hold it against its digest.

    Args:
        folder: The folder as described.
        file: One of `MODEL_FILES`.

    Returns:
        The content whose digest was checked: use these bytes, not the file again.

    Raises:
        ModelInvalidError: When the file is missing or its content is another.
    """
    path = folder.path / file
    try:
        content = path.read_bytes()
    except OSError as error:
        _missing(path, error)
    if hashlib.sha256(content).hexdigest() != folder.digests[file]:
        raise ModelInvalidError(
            f"The embedding model's file {file} is not the one its description was made for: "
            "install the model again.",
            local_detail=f"{path} has another SHA-256",
        )
    return content


def _digest(path: Path) -> str:
    hasher = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                hasher.update(block)
    except OSError as error:
        _missing(path, error)
    return hasher.hexdigest()


def _missing(path: Path, error: OSError | None = None) -> NoReturn:
    raise ModelInvalidError(
        f"The embedding model's file {path.name} is missing or cannot be read: a model folder needs "
        f"{_DESCRIPTION}, {' and '.join(MODEL_FILES)}.",
        local_detail=f"{path}: {error.strerror}" if error else str(path),
    ) from error


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _read_json(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as stream:
            content = stream.read(_MAX_DESCRIPTION_BYTES + 1)
    except OSError as error:
        _missing(path, error)
    detail = "not an object"
    try:
        if len(content) <= _MAX_DESCRIPTION_BYTES:
            value = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
            if isinstance(value, dict):
                return value
        else:
            detail = f"longer than {_MAX_DESCRIPTION_BYTES} bytes"
    except (ValueError, RecursionError) as error:
        detail = str(error)
    raise ModelInvalidError(
        f"The embedding model's {_DESCRIPTION} must be one JSON object in UTF-8.",
        local_detail=f"{path}: {detail}",
    )


class _Fields:
    """The fields of a description, each read with its own check."""

    def __init__(self, path: Path, values: Mapping[str, object]) -> None:
        self._path = path
        self._values = values

    def fail(self, field: str, reason: str) -> NoReturn:
        raise ModelInvalidError(
            f"The embedding model's {_DESCRIPTION} is malformed: `{field}` {reason}.",
            local_detail=f"{self._path}, field {field}",
        )

    def text(self, field: str, *, longest: int, default: str | None = None) -> str:
        value = self._values.get(field, default)
        if not isinstance(value, str):
            self.fail(field, "must be a string")
        if len(value) > longest:
            self.fail(field, f"must have at most {longest} characters")
        return value

    def whole(self, field: str, least: int, most: int) -> int:
        value = self._values.get(field)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.fail(field, f"must be a whole number from {least} to {most}")
        return value

    def number(self, field: str, default: float, allowed: Callable[[float], bool]) -> float:
        value = self._values.get(field, default)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            self.fail(field, "must be a number")
        if not allowed(value):
            self.fail(field, "is out of range for a cosine's statistic")
        return float(value)

    def pooling(self) -> Literal["cls", "mean"]:
        value = self._values.get("pooling")
        if value != "cls" and value != "mean":  # noqa: PLR1714 - a list is not hashable
            self.fail("pooling", "must be `cls` or `mean`")
        return value

    def require_normalized(self) -> None:
        if self._values.get("normalize", True) is not True:
            self.fail("normalize", "must be true: vectors are compared by cosine")

    def calibration(self) -> tuple[float, ...] | None:
        value = self._values.get("calibration")
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != _CALIBRATION_NUMBERS:
            self.fail("calibration", f"must hold {_CALIBRATION_NUMBERS} numbers")
        if any(isinstance(x, bool) or not isinstance(x, int | float) for x in value):
            self.fail("calibration", "must hold numbers alone")
        if any(abs(x) >= _MOST_CALIBRATION for x in value):
            self.fail("calibration", f"must hold numbers below {_MOST_CALIBRATION:g} in size")
        return tuple(map(float, value))

    def digests(self) -> dict[str, str] | None:
        value = self._values.get("files")
        if value is None:
            return None
        if not isinstance(value, dict) or set(value) != set(MODEL_FILES):
            self.fail("files", f"must hold a digest of each of {' and '.join(MODEL_FILES)}")
        if not all(isinstance(digest, str) and _SHA256.match(digest) for digest in value.values()):
            self.fail("files", "must hold SHA-256 digests of 64 lower-case hex digits")
        return dict(value)
