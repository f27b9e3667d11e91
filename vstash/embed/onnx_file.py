"""Enough of the ONNX file format to see whether a model reads other files.

An ONNX file is a protocol buffer. A tensor in it may name another file that holds its values
("external data"), and a session made from bytes would look for that file in the working directory.
Message and field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, wire format:
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["MalformedOnnxError", "fields", "has_external_data", "varint"]

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_EXTERNAL: Final = 1

# Message -> field number -> message inside it; fields left out cannot lead to a tensor.
_INSIDE: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION = 13, 14


class MalformedOnnxError(ValueError):
    """The bytes are not a protocol buffer; callers turn this into one of vstash's errors."""


def has_external_data(model: bytes) -> bool:
    """Say whether any tensor of a model keeps its values in another file.

    Args:
        model: The content of an ONNX file.

    Returns:
        True when a tensor says so or names a file, at any depth.

    Raises:
        MalformedOnnxError: When the bytes are not a protocol buffer.

    Example:
        >>> has_external_data(bytes([0x3A, 0x04, 0x2A, 0x02, 0x70, 0x01]))
        True
    """
    waiting = [("model", 0, len(model))]
    while waiting:
        message, start, end = waiting.pop()
        for number, wire, value, stop in fields(model, start, end):
            if message == "tensor":
                if number == _TENSOR_EXTERNAL_DATA:
                    return True
                if number == _TENSOR_DATA_LOCATION and wire == _VARINT and value == _EXTERNAL:
                    return True
            elif wire == _LENGTH and number in _INSIDE[message]:
                waiting.append((_INSIDE[message][number], value, stop))
    return False


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type, value (or where the content starts) and where the field ends.

    Args:
        data: What the message stands in.
        start: Of the message.
        end: Of the message.

    Raises:
        MalformedOnnxError: When it is no message.
    """
    position = start
    while position < end:
        tag, position = varint(data, position, end)
        number, wire = tag >> 3, tag & 7
        value = position
        if wire == _VARINT:
            value, position = varint(data, position, end)
        elif wire == _LENGTH:
            length, value = varint(data, position, end)
            position = value + length
        elif wire in {_FIXED64, _FIXED32}:
            position += 8 if wire == _FIXED64 else 4
        else:
            raise MalformedOnnxError(f"wire type {wire} at byte {value}")
        if number == 0 or position > end:
            raise MalformedOnnxError(f"a field at byte {value} does not fit")
        yield number, wire, value, position


def varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """A number of variable length, and where it ends.

    Args:
        data: What it stands in.
        position: Of its first byte.
        end: Where it must have ended.

    Raises:
        MalformedOnnxError: When it does not end.
    """
    result = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit of a varint
            return result, position
    raise MalformedOnnxError(f"a number at byte {position} does not end")
