"""Embedding with ONNX Runtime: the packaged model, and tiny models built by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from vstash.embed.catalogue import packaged_folder
from vstash.embed.onnx import OnnxEmbedder
from vstash.errors import EmbeddingError, ModelInvalidError

TinyFolder = Callable[..., Path]
FOLDER = packaged_folder("bge-small-en-v1.5")
PREFIX = "Represent this sentence for searching relevant passages: "
TEXTS = ["short", "a somewhat longer text about otters", "x", "", "words " * 90, "short"]


@pytest.fixture(scope="module")
def model() -> OnnxEmbedder:
    """The packaged model with two workers."""
    return OnnxEmbedder(FOLDER, threads=2)


def test_vectors_are_those_of_the_reference(model: OnnxEmbedder) -> None:
    """Vectors made without vstash's code agree: cosine .99 at least, whatever ONNX Runtime."""
    content = Path(__file__).with_name("golden_bge_small.json").read_text(encoding="utf-8")
    golden = json.loads(content)
    expected = np.array([row["vector"] for row in golden])
    found = model.embed_passages([row["text"] for row in golden])
    assert found.shape == (10, 384)
    assert np.einsum("ij,ij->i", found, expected).min() >= 0.99
    others = found @ expected.T - 2 * np.eye(10)
    assert others.max() < 0.95


def test_rows_are_unit_float32(model: OnnxEmbedder) -> None:
    """Rows are float32 of length 1; no texts give no rows."""
    vectors = model.embed_passages(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert model.embed_queries([]).shape == (0, 384)


def test_a_text_alone_and_in_a_batch_is_the_same(model: OnnxEmbedder) -> None:
    """A text's vector depends on that text alone, to the last bit, for any number of workers."""
    batch = model.embed_passages(TEXTS)
    alone = np.concatenate([model.embed_passages([text]) for text in TEXTS])
    one_worker = OnnxEmbedder(FOLDER, threads=1).embed_passages(TEXTS[::-1])[::-1]
    np.testing.assert_array_equal(batch, alone)
    np.testing.assert_array_equal(batch, one_worker)
    np.testing.assert_array_equal(batch[0], batch[-1])


def test_threads_may_share_a_model_that_is_not_loaded_yet() -> None:
    """Eight threads that embed at once get what one gets, also while the model loads."""
    shared = OnnxEmbedder(FOLDER, threads=2)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shared.embed_passages(TEXTS[:3]), range(8)))
    for vectors in found:
        np.testing.assert_array_equal(vectors, found[0])


def test_queries_get_their_prefix(model: OnnxEmbedder) -> None:
    """A query is embedded as its prefix and its text, and a passage as its text."""
    query = "who crossed the river?"
    np.testing.assert_array_equal(
        model.embed_queries([query]), model.embed_passages([PREFIX + query])
    )
    assert not np.array_equal(model.embed_queries([query]), model.embed_passages([query]))


def test_what_stands_after_the_last_token_read_changes_nothing(model: OnnxEmbedder) -> None:
    """Of a long text 510 tokens count, and the 510th does."""
    full, longer, other = model.embed_passages(
        ["otter " * 510, "otter " * 510 + "zebra", "otter " * 509 + "zebra"]
    )
    np.testing.assert_array_equal(full, longer)
    assert not np.array_equal(full, other)


def test_a_users_folder_gives_the_same_vectors(packaged_copy: Path, model: OnnxEmbedder) -> None:
    """A copy of the model elsewhere is the same model."""
    copy = OnnxEmbedder(packaged_copy)
    assert copy.info == model.info
    np.testing.assert_array_equal(copy.embed_queries(["hi"]), model.embed_queries(["hi"]))


def test_a_flipped_bit_is_found(packaged_copy: Path) -> None:
    """One other bit among 34 million bytes stops the load, by the file's name."""
    path = packaged_copy / "model.onnx"
    content = bytearray(path.read_bytes())
    path.unlink()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelInvalidError, match=r"model\.onnx"):
        OnnxEmbedder(packaged_copy).embed_queries(["hi"])


def test_token_offsets_need_only_the_tokenizer(tiny_folder: TinyFolder) -> None:
    """Cutting a text into tokens does not read the model."""
    folder = tiny_folder()
    tiny = OnnxEmbedder(folder)
    (folder / "model.onnx").unlink()
    assert tiny.token_offsets("red  green") == [(0, 3), (5, 10)]
    with pytest.raises(ModelInvalidError, match="missing"):
        tiny.embed_passages(["red"])


def test_mean_pooling_is_the_mean_over_all_tokens(tiny_folder: TinyFolder) -> None:
    """The vector is the scaled mean of the tokens' vectors, special tokens included."""
    table = np.random.default_rng(5).normal(size=(8, 8)).astype(np.float32)
    tiny = OnnxEmbedder(tiny_folder(table, query_prefix="query: "))
    expected = table[[1, 3, 4, 5, 2]].mean(axis=0)
    found = tiny.embed_queries(["red green"])[0]
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-6)


def test_mean_pooling_of_the_packaged_model_is_another_vector(
    packaged_copy: Path, model: OnnxEmbedder
) -> None:
    """The description's pooling is what is done: the same files with `mean` differ from `cls`."""
    path = packaged_copy / "model.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"cls"', '"mean"'), encoding="utf-8")
    mean = OnnxEmbedder(packaged_copy)
    assert mean.info.sha256 != model.info.sha256
    texts = TEXTS[:3]
    cosine = (mean.embed_passages(texts) * model.embed_passages(texts)).sum(axis=1)
    assert cosine.max() < 0.99


def test_cls_pooling_is_the_first_token(tiny_folder: TinyFolder) -> None:
    """With `cls` the vector is that of the first token, whatever follows."""
    tiny = OnnxEmbedder(tiny_folder(pooling="cls"))
    np.testing.assert_array_equal(tiny.embed_passages(["red", "blue"]), np.eye(8)[[1, 1]])


def test_only_the_graphs_own_inputs_are_fed(tiny_folder: TinyFolder) -> None:
    """A graph may lack token types and the mask, or have all three."""
    one = OnnxEmbedder(tiny_folder())
    names = ("input_ids", "attention_mask", "token_type_ids")
    three = OnnxEmbedder(tiny_folder(model={"inputs": names}))
    np.testing.assert_array_equal(one.embed_queries(["red"]), three.embed_queries(["red"]))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"external": True}, "other files"),
        ({"pooled": True}, "last hidden state"),
        ({"inputs": ("input_ids", "pixel_values")}, "inputs among"),
        ({"inputs": ("attention_mask",), "pooled": True}, "inputs among"),
        ({"input_type": 6}, "int64"),
        ({"table": np.eye(8, 5, dtype=np.float32)}, "5 values per token"),
    ],
)
def test_other_kinds_of_model_are_refused(
    tiny_folder: TinyFolder, change: dict[str, object], reason: str
) -> None:
    """A model that cannot be used as one is refused when it loads, with the reason."""
    tiny = OnnxEmbedder(tiny_folder(model=change))
    with pytest.raises(ModelInvalidError, match=reason):
        tiny.embed_passages(["red"])


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08"])
def test_a_file_that_is_no_model_is_refused(tiny_folder: TinyFolder, content: bytes) -> None:
    """Whatever stands in model.onnx, the answer is a model error."""
    folder = tiny_folder()
    (folder / "model.onnx").write_bytes(content)
    with pytest.raises(ModelInvalidError, match=r"model\.onnx"):
        OnnxEmbedder(folder).embed_passages(["red"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_vectors_that_cannot_be_stored_are_refused(tiny_folder: TinyFolder, value: float) -> None:
    """A model that returns values that are not finite, or a zero vector, raises and gives nothing."""
    tiny = OnnxEmbedder(tiny_folder(np.full((8, 8), value)))
    with pytest.raises(EmbeddingError):
        tiny.embed_passages(["red"])


def test_a_model_that_fails_on_a_text_says_so(tiny_folder: TinyFolder) -> None:
    """A run that ONNX Runtime breaks off is a model error, from any worker."""
    tiny = OnnxEmbedder(tiny_folder(np.eye(5, 8)), threads=2)
    assert tiny.embed_passages(["red"]).shape == (1, 8)
    for texts in (["far"], ["red", "far", "red"]):
        with pytest.raises(EmbeddingError, match="max_tokens"):
            tiny.embed_passages(texts)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_a_forked_child_is_told_to_open_the_model_again() -> None:
    """A model that crossed a fork raises at once and never hangs."""
    code = """
import os, sys
from vstash.embed.catalogue import open_model
from vstash.errors import ForkedError
model = open_model("")
model.embed_passages(["a", "b", "c"])
child = os.fork()
if child == 0:
    try:
        model.embed_passages(["a", "b", "c"])
    except ForkedError:
        os._exit(7 if open_model("").embed_passages(["a", "b"]).shape == (2, 384) else 1)
    os._exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    arguments = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    done = subprocess.run(
        arguments, cwd=FOLDER.parents[2], timeout=120, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_asked_of_the_network() -> None:
    """Opening, loading and embedding open no socket."""
    code = """
import sys
def refuse(event, args):
    if event.startswith("socket."):
        raise SystemExit(event)
sys.addaudithook(refuse)
from vstash.embed.catalogue import open_model
assert open_model("").embed_queries(["a", "b"]).shape == (2, 384)
"""
    subprocess.run([sys.executable, "-c", code], cwd=FOLDER.parents[2], timeout=120, check=True)
