"""The weights inside an ONNX file: where they lie, and putting others in their place.

Weights are replaced where they lie, value for value, so that the graph around them stays what it was and
nothing but this package is needed to write it. Message and field numbers:
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vstash.embed.onnx_file import fields, varint
from vstash.errors import ModelInvalidError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Graph", "Node", "Tensor", "read_graph"]

_MODEL_GRAPH: Final = 7
_GRAPH_NODE, _GRAPH_TENSOR = 1, 5
_NODE_INPUT, _NODE_NAME, _NODE_TYPE = 1, 3, 4
_DIMS, _KIND, _FLOATS, _WHOLES, _NAME, _RAW = 1, 2, 4, 5, 8, 9
_LENGTH: Final = 2
_KINDS: Final[Mapping[int, Any]] = {1: np.dtype("<f4"), 2: np.dtype("u1"), 3: np.dtype("i1")}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A constant of the graph.

    Attributes:
        shape: Empty for a single value.
        kind: ONNX's number of its type.
        field: In which field its values lie.
        start: Offset of the first byte of the values in the file.
        end: Offset after the last.
    """

    shape: tuple[int, ...]
    kind: int
    field: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Node:
    """A step of the graph: what it is called, what it does, and the names of its inputs."""

    name: str
    operation: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """An ONNX file with its constants and steps.

    Attributes:
        content: The whole file.
        tensors: By name.
        nodes: In order.
    """

    content: bytes
    tensors: Mapping[str, Tensor]
    nodes: tuple[Node, ...]

    def values(self, name: str) -> NDArray[Any]:
        """The values of a constant.

        Args:
            name: One of `tensors`.

        Raises:
            ModelInvalidError: When they are of a type that no weight has, or cut off.
        """
        tensor = self.tensors[name]
        held = self.content[tensor.start : tensor.end]
        if tensor.kind not in _KINDS:
            raise _unknown(f"{name} has the type {tensor.kind}")
        if tensor.field == _WHOLES:
            found = np.array(_numbers(held), dtype=np.int64).astype(_KINDS[tensor.kind])
        else:
            found = np.frombuffer(held, dtype=_KINDS[tensor.kind])
        if found.size != int(np.prod(tensor.shape, dtype=np.int64)):
            raise _unknown(f"{name} has {found.size} values for the shape {tensor.shape}")
        return found.reshape(tensor.shape)

    def replaced(self, values: Mapping[str, NDArray[Any]]) -> bytes:
        """The file with other values in the same places.

        Args:
            values: By name, of the shapes and types that are there.

        Raises:
            ValueError: When a shape or type is another: a defect of the caller.
        """
        content = bytearray(self.content)
        for name, new in values.items():
            tensor = self.tensors[name]
            held = np.ascontiguousarray(new, dtype=_KINDS[tensor.kind]).tobytes()
            if tensor.field == _WHOLES or len(held) != tensor.end - tensor.start:
                raise ValueError(f"{name} cannot be replaced in its place")
            content[tensor.start : tensor.end] = held
        return bytes(content)


def read_graph(content: bytes) -> Graph:
    """Find the constants and steps of an ONNX file.

    Args:
        content: Of the file.

    Raises:
        MalformedOnnxError: When it is no protocol buffer.
        ModelInvalidError: When it has no graph.
    """
    for number, wire, start, end in fields(content, 0, len(content)):
        if number == _MODEL_GRAPH and wire == _LENGTH:
            return _graph(content, start, end)
    raise _unknown("there is no graph")


def _graph(content: bytes, start: int, end: int) -> Graph:
    tensors: dict[str, Tensor] = {}
    nodes: list[Node] = []
    for number, wire, inside, stop in fields(content, start, end):
        if wire == _LENGTH and number == _GRAPH_TENSOR:
            name, tensor = _tensor(content, inside, stop)
            tensors[name] = tensor
        elif wire == _LENGTH and number == _GRAPH_NODE:
            nodes.append(_node(content, inside, stop))
    return Graph(content, tensors, tuple(nodes))


def _tensor(content: bytes, start: int, end: int) -> tuple[str, Tensor]:
    shape: list[int] = []
    name, kind, place = "", 0, (0, start, start)
    for number, wire, value, stop in fields(content, start, end):
        if number == _DIMS:
            shape += _numbers(content[value:stop]) if wire == _LENGTH else [value]
        elif number == _KIND:
            kind = value
        elif number == _NAME:
            name = content[value:stop].decode("utf-8", "replace")
        elif number in {_FLOATS, _WHOLES, _RAW} and wire == _LENGTH:
            place = (number, value, stop)
    return name, Tensor(tuple(shape), kind, *place)


def _node(content: bytes, start: int, end: int) -> Node:
    found: dict[int, list[str]] = {_NODE_INPUT: [], _NODE_NAME: [], _NODE_TYPE: []}
    for number, wire, value, stop in fields(content, start, end):
        if wire == _LENGTH and number in found:
            found[number].append(content[value:stop].decode("utf-8", "replace"))
    name, operation = ("".join(found[each]) for each in (_NODE_NAME, _NODE_TYPE))
    return Node(name, operation, tuple(found[_NODE_INPUT]))


def _numbers(packed: bytes) -> list[int]:
    found, position = [], 0
    while position < len(packed):
        value, position = varint(packed, position, len(packed))
        found.append(value)
    return found


def _unknown(detail: str) -> ModelInvalidError:
    return ModelInvalidError(
        "The embedding model's file model.onnx holds no weights that can be trained.",
        local_detail=detail,
    )
