"""Weights between an int8 ONNX file and the names and shapes that PyTorch trains.

A file made by ONNX Runtime's dynamic quantisation holds matrices as whole numbers with a scale for each column, and
tables of embeddings with one scale and zero point for all:
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vstash.errors import ModelInvalidError
from vstash.training.graph import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.types import FloatArray

__all__ = ["dequantised", "requantised", "shapes"]

_QUANTISED, _SCALE, _ZERO = "_quantized", "_scale", "_zero_point"
_MOST: Final = 127
_LAST: Final = 255
# Steps: what division leaves of a whole number.
_WHOLE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class _Weight:
    """Where one trained weight lies.

    Attributes:
        name: As transformers' models call it.
        held: The constant's name, without what marks the parts of a quantised one.
        kind: ``plain``, ``matrix`` (int8, a scale for each column, transposed), or ``table`` (uint8).
    """

    name: str
    held: str
    kind: str


def dequantised(graph: Graph) -> dict[str, FloatArray]:
    """The weights of a quantised model as PyTorch names and shapes them.

    Args:
        graph: Of a BERT encoder, quantised by ONNX Runtime.

    Raises:
        ModelInvalidError: When it is none.
    """
    found: dict[str, FloatArray] = {}
    for weight in _weights(graph):
        if weight.kind == "plain":
            values = graph.values(weight.held)
        else:
            whole = graph.values(weight.held + _QUANTISED).astype(np.float32)
            zero = graph.values(weight.held + _ZERO).astype(np.float32)
            values = (whole - zero) * graph.values(weight.held + _SCALE)
        found[weight.name] = np.ascontiguousarray(
            values.T if weight.kind == "matrix" else values, dtype=np.float32
        )
    return found


def shapes(graph: Graph) -> dict[str, tuple[int, ...]]:
    """The shapes of what `dequantised` returns.

    Raises:
        ModelInvalidError: As there.
    """
    found = {}
    for weight in _weights(graph):
        held = weight.held if weight.kind == "plain" else weight.held + _QUANTISED
        shape = graph.tensors[held].shape
        found[weight.name] = shape[::-1] if weight.kind == "matrix" else shape
    return found


def requantised(graph: Graph, weights: Mapping[str, FloatArray], *, seed: int = 0) -> bytes:
    """The ONNX file with other weights, quantised in the same way.

    A matrix gets a new scale for each column, and is rounded up or down by chance, in proportion: weights
    that were whole numbers of steps before a training moved by a fraction of one, and the nearest whole
    number would mostly be the old one (of what nfcorpus taught, seven tenths were lost). A table keeps its
    zero point, and its scale grows or shrinks so that every value has room.

    Args:
        graph: Where the weights were read from, or of a model of the same architecture.
        weights: For each name of `shapes`, finite and of that shape.
        seed: Of the rounding; the same gives the same file.

    Raises:
        ModelInvalidError: When the graph is no quantised BERT encoder.
    """
    new: dict[str, NDArray[Any]] = {}
    generator = np.random.default_rng(seed)
    for weight in _weights(graph):
        values = np.asarray(weights[weight.name], dtype=np.float32)
        if weight.kind == "plain":
            new[weight.held] = values
        elif weight.kind == "matrix":
            scale = _above_zero(np.abs(values).max(axis=1) / _MOST)
            new[weight.held + _SCALE] = scale
            whole = _by_chance(values.T / scale, generator)
            new[weight.held + _QUANTISED] = np.clip(whole, -_MOST, _MOST).astype(np.int8)
        else:
            zero = int(graph.values(weight.held + _ZERO))
            room = (values.max() / max(_LAST - zero, 1), -values.min() / max(zero, 1))
            table_scale = _above_zero(np.float32(max(room)))
            new[weight.held + _SCALE] = table_scale
            whole = np.rint(values / table_scale) + zero
            new[weight.held + _QUANTISED] = np.clip(whole, 0, _LAST).astype(np.uint8)
    return graph.replaced(new)


def _by_chance(values: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Whole numbers whose mean over many draws is the value; what is whole already stays."""
    nearest = np.rint(values)
    drawn = np.floor(values + generator.random(values.shape, dtype=np.float32))
    return np.where(np.abs(values - nearest) < _WHOLE, nearest, drawn)


def _above_zero(scale: Any) -> Any:
    return np.where(scale > 0, scale, np.float32(1)).astype(np.float32)


def _weights(graph: Graph) -> list[_Weight]:
    found = sorted(_all(graph), key=lambda weight: weight.name)
    kinds = {weight.kind for weight in found}
    if kinds != {"plain", "matrix", "table"} or any(
        part not in graph.tensors for weight in found for part in _parts(weight)
    ):
        raise ModelInvalidError(
            "Only a BERT encoder that ONNX Runtime quantised to int8 can be trained from its model.onnx: "
            "give one with --from, or leave it out for the model in the package.",
            local_detail=f"{len(found)} weights of the kinds {sorted(kinds)}",
        )
    return found


def _parts(weight: _Weight) -> tuple[str, ...]:
    if weight.kind == "plain":
        return (weight.held,)
    return tuple(weight.held + part for part in (_QUANTISED, _SCALE, _ZERO))


def _all(graph: Graph) -> Iterator[_Weight]:
    for name in graph.tensors:
        if name.startswith(("embeddings.", "encoder.")):
            if name.endswith((".weight", ".bias")):
                yield _Weight(name, name, "plain")
            elif name.endswith(".weight" + _QUANTISED):
                held = name.removesuffix(_QUANTISED)
                yield _Weight(held, held, "table")
    for node in graph.nodes:
        # "/encoder/layer.0/attention/self/query/MatMul_quant" multiplies by what is called
        # "encoder.layer.0.attention.self.query.weight".
        if node.operation == "MatMulInteger" and len(node.inputs) > 1:
            path = node.name.strip("/").split("/")[:-1]
            held = node.inputs[1].removesuffix(_QUANTISED)
            yield _Weight(".".join((*path, "weight")), held, "matrix")
