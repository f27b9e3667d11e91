"""Weights are read out of the packaged model and put back where they were."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from vstash.embed.catalogue import packaged_folder
from vstash.errors import ModelInvalidError
from vstash.training.base import open_base
from vstash.training.graph import Graph, read_graph
from vstash.training.safetensors import read_weights
from vstash.training.weights import dequantised, requantised, shapes

PACKAGED = packaged_folder("bge-small-en-v1.5")
QUERY = "encoder.layer.0.attention.self.query.weight"
WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Of the packaged model."""
    return read_graph((PACKAGED / "model.onnx").read_bytes())


def safetensors(path: Path, tensors: dict[str, tuple[str, list[int], bytes]]) -> Path:
    """Write a safetensors file."""
    header, start = {}, 0
    for name, (kind, shape, held) in tensors.items():
        offsets = [start, start + len(held)]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": offsets}
        start += len(held)
    values = b"".join(held for _, _, held in tensors.values())
    text = json.dumps({"__metadata__": {"format": "pt"}} | header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)
    return path


def test_every_weight_of_a_bert_encoder_is_there(graph: Graph) -> None:
    """As many, of the names and shapes that transformers' BertModel has; matrices are output x input."""
    found = dequantised(graph)
    assert {name: values.shape for name, values in found.items()} == shapes(graph)
    assert len(found) == 5 + 12 * 16
    assert found[WORDS].shape == (30522, 384)
    assert found["encoder.layer.3.intermediate.dense.weight"].shape == (1536, 384)
    assert found["encoder.layer.3.output.dense.weight"].shape == (384, 1536)
    assert np.abs(found[QUERY]).max() == pytest.approx(0.5, abs=0.4)


def test_unchanged_weights_give_the_same_file(graph: Graph) -> None:
    """Not one byte differs, and after a change only what was changed."""
    weights = dequantised(graph)
    assert requantised(graph, weights) == graph.content
    changed = weights | {QUERY: 2 * weights[QUERY]}
    again = dequantised(read_graph(requantised(graph, changed)))
    np.testing.assert_allclose(again[QUERY], changed[QUERY], atol=1e-6)
    np.testing.assert_array_equal(again[WORDS], weights[WORDS])


def test_other_weights_are_rounded_to_a_fraction_of_a_per_cent(graph: Graph) -> None:
    """Noise survives up to half a step of each column, and of each table."""
    weights = dequantised(graph)
    generator = np.random.default_rng(0)
    noisy = {
        name: values + generator.normal(0, 0.01, values.shape).astype(np.float32)
        for name, values in weights.items()
    }
    again = dequantised(read_graph(requantised(graph, noisy)))
    for name, values in noisy.items():
        most = np.abs(values).max(axis=1, keepdims=True) if name == QUERY else np.abs(values).max()
        assert np.all(np.abs(again[name] - values) <= most / 100), name
    assert np.any(again[QUERY] != noisy[QUERY])


def test_what_is_less_than_a_step_is_not_lost(graph: Graph) -> None:
    """A fifth of a step for every weight is there on average; the nearest whole number would be the old one."""
    weights = dequantised(graph)
    old = weights[QUERY]
    step = np.abs(old).max(axis=1, keepdims=True) / 127
    # The largest of each column stays, and with it the step.
    moved = np.where(np.abs(old) < 120 * step, old + 0.2 * step, old)
    file = requantised(graph, weights | {QUERY: moved})
    again = dequantised(read_graph(file))
    kept = (again[QUERY] - old)[np.abs(old) < 120 * step] / np.broadcast_to(step, old.shape)[
        np.abs(old) < 120 * step
    ]
    assert kept.mean() == pytest.approx(0.2, abs=0.01)
    assert np.rint(moved / step).tolist() == np.rint(old / step).tolist()
    assert requantised(graph, weights | {QUERY: moved}) == file
    assert requantised(graph, weights | {QUERY: moved}, seed=1) != file


def test_nothing_of_another_size_is_put_in_place(graph: Graph) -> None:
    """Neither a shape nor a value of variable length."""
    with pytest.raises(ValueError, match="its place"):
        graph.replaced({"embeddings.LayerNorm.weight": np.zeros(3)})
    with pytest.raises(ValueError, match="its place"):
        graph.replaced({f"{WORDS}_zero_point": np.array(1, dtype=np.uint8)})


def test_a_model_that_was_not_quantised_is_refused() -> None:
    """A graph without the three kinds of weights cannot be trained."""
    with pytest.raises(ModelInvalidError, match="no weights"):
        read_graph(b"")
    with pytest.raises(ModelInvalidError, match="BERT encoder"):
        dequantised(read_graph(bytes([0x3A, 0x00])))


def test_safetensors_of_three_kinds(tmp_path: Path) -> None:
    """Halves of both kinds and floats are read; whole numbers are left out."""
    path = safetensors(
        tmp_path / "w.safetensors",
        {
            "half": ("F16", [2], np.array([0.5, -2], dtype="<f2").tobytes()),
            "brain": ("BF16", [1], b"\x80\x3f"),
            "float": ("F32", [1, 2], np.array([1, 3], dtype="<f4").tobytes()),
            "ids": ("I64", [1], bytes(8)),
        },
    )
    found = read_weights(path)
    assert {name: values.tolist() for name, values in found.items()} == {
        "half": [0.5, -2.0],
        "brain": [1.0],
        "float": [[1.0, 3.0]],
    }


@pytest.mark.parametrize("cut", [4, 40, -1])
def test_a_safetensors_file_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    """In its length, its header, or its values; the control is whole."""
    held = np.array([1, 3], dtype="<f4").tobytes()
    path = safetensors(tmp_path / "w.safetensors", {"float": ("F32", [2], held)})
    assert len(read_weights(path)) == 1
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ModelInvalidError, match="whole"):
        read_weights(path)


def test_a_base_by_its_kind(tmp_path: Path, graph: Graph) -> None:
    """The packaged model, its folder, and other weights for it are the same; others are refused."""
    packaged = open_base("", None)
    assert packaged.config["num_attention_heads"] == 12
    assert open_base(str(PACKAGED), None).folder.info == packaged.folder.info
    halves = {
        f"bert.{name}": ("F16", list(values.shape), values.astype("<f2").tobytes())
        for name, values in packaged.weights.items()
    }
    halves["bert.pooler.dense.bias"] = ("F16", [1], bytes(2))
    folder = tmp_path / "hub"
    folder.mkdir()
    safetensors(folder / "model.safetensors", halves)
    found = open_base(str(folder), None)
    np.testing.assert_allclose(found.weights[QUERY], packaged.weights[QUERY], atol=1e-3)
    some = {f"bert.{QUERY}": halves[f"bert.{QUERY}"]}
    lacking = safetensors(tmp_path / "lacking.safetensors", some)
    with pytest.raises(ModelInvalidError, match="another architecture"):
        open_base(str(lacking), None)
    with pytest.raises(ModelInvalidError, match="no such embedding model"):
        open_base("nothing", None)
