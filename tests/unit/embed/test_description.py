"""Reading model.json, and what a model's digest stands for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vstash.embed.description import read_checked, read_model_folder, read_model_info
from vstash.errors import ModelInvalidError

TinyFolder = Callable[..., Path]
HEX = "0" * 64


def test_fields_are_read(tiny_folder: TinyFolder) -> None:
    """Every field of the description is in the info; those left out have their defaults."""
    info = read_model_info(tiny_folder(query_prefix="query: ", background_mean=0.25))
    assert (info.name, info.dimension, info.max_tokens, info.pooling) == ("tiny", 8, 16, "mean")
    assert (info.query_prefix, info.passage_prefix) == ("query: ", "")
    assert (info.background_mean, info.background_deviation) == (0.25, 0.1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", 7),
        ("name", "n" * 201),
        ("dimension", 0),
        ("dimension", -8),
        ("dimension", 8.0),
        ("dimension", True),
        ("dimension", "8"),
        ("dimension", 65_537),
        ("max_tokens", 2),
        ("max_tokens", None),
        ("pooling", "max"),
        ("pooling", None),
        ("pooling", ["cls"]),
        ("normalize", False),
        ("normalize", 1),
        ("query_prefix", 5),
        ("query_prefix", None),
        ("passage_prefix", "x" * 10_001),
        ("background_mean", 1.5),
        ("background_mean", "0"),
        pytest.param("background_mean", 10**400, id="beyond every float"),
        ("background_deviation", 0),
        ("background_deviation", True),
        ("calibration", {}),
        ("calibration", []),
        ("calibration", [1.0] * 5),
        ("calibration", [1.0] * 7),
        ("calibration", [1.0] * 5 + ["1"]),
        ("calibration", [1.0] * 5 + [True]),
        ("calibration", [1.0] * 5 + [None]),
        ("calibration", [1.0] * 5 + [1000]),
        pytest.param("calibration", [10**400] * 6, id="calibration beyond every float"),
        ("files", {}),
        ("files", [HEX, HEX]),
        ("files", {"model.onnx": HEX}),
        ("files", {"model.onnx": HEX, "tokenizer.json": "0" * 63}),
        ("files", {"model.onnx": HEX, "tokenizer.json": "G" * 64}),
        ("files", {"model.onnx": HEX, "tokenizer.json": 5}),
        ("files", {"model.onnx": HEX, "tokenizer.json": HEX, "../other": HEX}),
    ],
)
def test_a_malformed_field_is_named(tiny_folder: TinyFolder, field: str, value: object) -> None:
    """The error names the field, keeps the path for this machine, and says no path aloud."""
    folder = tiny_folder(**{field: value})
    with pytest.raises(ModelInvalidError) as caught:
        read_model_info(folder)
    assert f"`{field}`" in caught.value.message
    assert str(folder / "model.json") in caught.value.local_detail
    assert str(folder) not in caught.value.message


@pytest.mark.parametrize("field", ["name", "dimension", "max_tokens", "pooling"])
def test_fields_without_a_default_must_be_there(tiny_folder: TinyFolder, field: str) -> None:
    """A description that lacks a needed field is refused by that field's name."""
    folder = tiny_folder()
    path = folder / "model.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    del values[field]
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ModelInvalidError, match=f"`{field}`"):
        read_model_info(folder)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b'{"name": NaN}', id="not JSON"),
        pytest.param(b'{"name": "\xff"}', id="not UTF-8"),
        pytest.param(b"[" * 200_000, id="too deep"),
        pytest.param(b'{"name": "' + b"x" * 1_000_000 + b'"}', id="too long"),
    ],
)
def test_a_description_that_is_no_object_is_refused(
    tiny_folder: TinyFolder, content: bytes
) -> None:
    """Whatever stands in model.json, the answer is a model error."""
    folder = tiny_folder()
    (folder / "model.json").write_bytes(content)
    with pytest.raises(ModelInvalidError, match=r"model\.json"):
        read_model_info(folder)


@pytest.mark.parametrize("file", ["model.json", "model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(tiny_folder: TinyFolder, file: str) -> None:
    """A folder that lacks one of the three files is refused at once, by the file's name."""
    folder = tiny_folder()
    (folder / file).unlink()
    with pytest.raises(ModelInvalidError, match=file) as caught:
        read_model_info(folder)
    assert str(folder / file) in caught.value.local_detail


def test_the_digest_changes_with_whatever_changes_vectors(tiny_folder: TinyFolder) -> None:
    """Files, pooling, prefixes and maximum length make another model; name and background do not."""
    other_bytes = tiny_folder()
    with (other_bytes / "tokenizer.json").open("a", encoding="utf-8") as stream:
        stream.write("\n")
    folders = [
        tiny_folder(),
        tiny_folder(pooling="cls"),
        tiny_folder(query_prefix="q "),
        tiny_folder(passage_prefix="q "),
        tiny_folder(max_tokens=17),
        tiny_folder([[1.0] * 8] * 8),
        other_bytes,
    ]
    digests = [read_model_info(folder).sha256 for folder in folders]
    assert len(set(digests)) == len(folders)
    assert read_model_info(tiny_folder(name="else", background_mean=0.5)).sha256 == digests[0]


def test_recorded_digests_are_taken_and_held_against_the_files(tiny_folder: TinyFolder) -> None:
    """With digests in model.json the files are hashed when they are read, and a change is found."""
    plain = read_model_folder(tiny_folder())
    recorded = read_model_folder(tiny_folder(files=dict(plain.digests)))
    assert recorded.info.sha256 == plain.info.sha256
    path = recorded.path / "tokenizer.json"
    content = path.read_bytes()
    assert read_checked(recorded, "tokenizer.json") == content
    assert recorded.digests["tokenizer.json"] == hashlib.sha256(content).hexdigest()
    path.write_bytes(content + b" ")
    with pytest.raises(ModelInvalidError, match="install the model again"):
        read_checked(recorded, "tokenizer.json")
    path.unlink()
    with pytest.raises(ModelInvalidError, match="missing"):
        read_checked(recorded, "tokenizer.json")
