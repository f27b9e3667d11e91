"""Model folders for tests: a copy of the packaged one, and tiny ones built by hand."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from vstash.embed.catalogue import packaged_folder

WORDS = ("[UNK]", "[CLS]", "[SEP]", "query:", "red", "green", "blue", "far")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _message(number: int, *content: bytes) -> bytes:
    body = b"".join(content)
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _scalar(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _value_info(name: str, element: int, axes: tuple[int | str, ...]) -> bytes:
    shape = b"".join(
        _message(1, _scalar(1, axis) if isinstance(axis, int) else _message(2, axis.encode()))
        for axis in axes
    )
    tensor_type = _message(1, _scalar(1, element), _message(2, shape))
    return _message(1, name.encode()) + _message(2, tensor_type)


@dataclass(frozen=True)
class TinyModel:
    """A model that looks each token's vector up in a table, as an ONNX file.

    Attributes:
        table: One row per word of the tokenizer.
        inputs: Names of the graph's inputs; `input_ids` is the one used.
        input_type: ONNX number of the inputs' type; 7 is int64.
        pooled: Return the table itself, which has two axes, in place of the tokens' vectors.
        external: Say that the table is in another file.
    """

    table: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    inputs: tuple[str, ...] = ("input_ids",)
    input_type: int = 7
    pooled: bool = False
    external: bool = False

    def content(self) -> bytes:
        """The ONNX file's bytes."""
        rows, columns = self.table.shape
        weights = _scalar(1, rows) + _scalar(1, columns) + _scalar(2, 1) + _message(8, b"table")
        if self.external:
            weights += _message(13, _message(1, b"location"), _message(2, b"table.bin"))
            weights += _scalar(14, 1)
        else:
            weights += _message(9, self.table.astype("<f4").tobytes())
        names = (b"table",) if self.pooled else (b"table", b"input_ids")
        node = b"".join(_message(1, name) for name in names)
        node += _message(2, b"last_hidden_state")
        node += _message(4, b"Identity" if self.pooled else b"Gather")
        axes: tuple[int | str, ...] = (rows, columns) if self.pooled else ("b", "n", columns)
        graph = _message(1, node) + _message(2, b"tiny") + _message(5, weights)
        for name in self.inputs:
            graph += _message(11, _value_info(name, self.input_type, ("b", "n")))
        graph += _message(12, _value_info("last_hidden_state", 1, axes))
        return _scalar(1, 8) + _message(7, graph) + _message(8, _scalar(2, 13))


def _tokenizer() -> dict[str, object]:
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        "version": "1.0",
        "truncation": {
            "max_length": 3,
            "strategy": "LongestFirst",
            "stride": 0,
            "direction": "Right",
        },
        "padding": {
            "strategy": {"Fixed": 20},
            "direction": "Right",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[UNK]",
        },
        "added_tokens": [
            {"id": place, "content": WORDS[place], "special": True, **special} for place in range(3)
        ],
        "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
            ],
            "pair": [
                {"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {
                name: {"id": name, "ids": [place], "tokens": [name]}
                for place, name in ((1, "[CLS]"), (2, "[SEP]"))
            },
        },
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: place for place, word in enumerate(WORDS)},
            "unk_token": "[UNK]",
        },
    }


TinyFolder = Callable[..., Path]


@pytest.fixture
def tiny_folder(tmp_path: Path) -> TinyFolder:
    """Write a model folder for a table of token vectors; fields go to model.json."""

    def write(
        table: object = None, *, model: dict[str, object] | None = None, **fields: object
    ) -> Path:
        rows = np.eye(len(WORDS), 8) if table is None else table
        shape: dict[str, object] = {"table": np.asarray(rows, dtype=np.float32), **(model or {})}
        folder = tmp_path / f"tiny{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        content = TinyModel(**shape).content()  # type: ignore[arg-type]
        (folder / "model.onnx").write_bytes(content)
        (folder / "tokenizer.json").write_text(json.dumps(_tokenizer()), encoding="utf-8")
        description = {
            "name": "tiny",
            "dimension": 8,
            "max_tokens": 16,
            "pooling": "mean",
            **fields,
        }
        (folder / "model.json").write_text(json.dumps(description), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def packaged_copy(tmp_path: Path) -> Path:
    """The packaged model as a user's folder: its own model.json, hard links where they work."""
    folder = tmp_path / "my model"
    folder.mkdir()
    for path in packaged_folder("bge-small-en-v1.5").iterdir():
        target = folder / path.name
        if path.name == "model.json":
            shutil.copyfile(path, target)
            continue
        try:
            os.link(path, target)
        except OSError:
            shutil.copyfile(path, target)
    return folder
