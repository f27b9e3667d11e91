"""Weights in a safetensors file: a length, a JSON header, and the values as they lie in memory.

The format: https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from vstash.errors import ModelInvalidError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray

__all__ = ["read_weights"]

_LENGTH_BYTES: Final = 8
_LONGEST_HEADER: Final = 10_000_000


class _Entry(msgspec.Struct):
    """Where one tensor lies."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read_weights(path: Path) -> dict[str, FloatArray]:
    """The floating-point tensors of a safetensors file, as float32; others are left out.

    Args:
        path: The file.

    Raises:
        ModelInvalidError: When it is missing, cut off, or no such file.
    """
    try:
        content = path.read_bytes()
        size = int.from_bytes(content[:_LENGTH_BYTES], "little")
        start = _LENGTH_BYTES + size
        if size > _LONGEST_HEADER or start > len(content):
            raise _malformed(path, "its header does not end")
        header = msgspec.json.decode(content[_LENGTH_BYTES:start], type=dict[str, Any])
        header.pop("__metadata__", None)
        entries = msgspec.convert(header, type=dict[str, _Entry])
    except OSError as error:
        raise _malformed(path, str(error.strerror)) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _malformed(path, str(error)) from error
    found = {}
    for name, entry in entries.items():
        first, last = entry.data_offsets
        values = _values(content[start + first : start + last], entry.dtype)
        if values is not None:
            if values.size != math.prod(entry.shape) or start + last > len(content):
                raise _malformed(path, f"{name} is cut off")
            found[name] = values.reshape(entry.shape)
    return found


def _values(held: bytes, dtype: str) -> NDArray[np.float32] | None:
    kinds = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}
    if dtype == "BF16":
        # The upper half of a float32.
        whole = np.frombuffer(held[: len(held) & ~1], dtype="<u2").astype(np.uint32) << 16
        return whole.view(np.float32)
    if dtype not in kinds:
        return None
    step = np.dtype(kinds[dtype]).itemsize
    return np.frombuffer(held[: len(held) // step * step], dtype=kinds[dtype]).astype(np.float32)


def _malformed(path: Path, detail: str) -> ModelInvalidError:
    return ModelInvalidError(
        "The weights are no whole .safetensors file.", local_detail=f"{path}: {detail}"
    )
