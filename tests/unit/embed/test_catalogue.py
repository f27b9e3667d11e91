"""Which model a name stands for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vstash.embed.catalogue import open_model, packaged_folder, packaged_models
from vstash.embed.description import read_model_folder
from vstash.errors import ModelInvalidError
from vstash.testing import FakeEmbedder


def test_no_name_is_the_packaged_model() -> None:
    """Without a name, and by its name, the packaged model is opened."""
    info = open_model("").info
    assert info == open_model("bge-small-en-v1.5").info
    assert (info.name, info.dimension, info.max_tokens) == ("bge-small-en-v1.5", 384, 512)
    assert info.background_mean > 0.3
    assert 0.02 < info.background_deviation < 0.1
    assert packaged_models() == ("bge-small-en-v1.5",)


def test_recorded_digests_of_the_packaged_model_are_those_of_its_files(
    packaged_copy: Path,
) -> None:
    """A copy whose model.json lost its digests is the same model: they are computed."""
    path = packaged_copy / "model.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"files"', '"was"'), encoding="utf-8")
    computed = read_model_folder(packaged_copy)
    recorded = read_model_folder(packaged_folder("bge-small-en-v1.5"))
    assert computed.digests == recorded.digests
    assert computed.info == recorded.info


def test_fake_is_the_test_embedder() -> None:
    """The name `fake` needs no folder."""
    model = open_model("fake")
    assert isinstance(model, FakeEmbedder)
    assert model.info.dimension == 64


def test_a_folder_is_opened_by_its_path(
    tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is absolute, relative to the working directory, or starts with `~`."""
    folder = tiny_folder()
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    monkeypatch.chdir(folder.parent)
    for name in (str(folder), folder.name, f"~/{folder.name}"):
        assert open_model(name).info.name == "tiny"


@pytest.mark.parametrize(
    "name", ["no-such-model", "/no/such/folder", "\0", "x" * 5_000, "~nobody0/x"]
)
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    """A name that is neither known nor a folder is refused with the names that are known."""
    with pytest.raises(ModelInvalidError, match=r"bge-small-en-v1\.5, fake"):
        open_model(name)


def test_a_file_is_not_a_model_folder(tiny_folder: Callable[..., Path]) -> None:
    """The path of a file inside a model folder is refused."""
    with pytest.raises(ModelInvalidError):
        open_model(str(tiny_folder() / "model.onnx"))


def test_opening_loads_nothing() -> None:
    """The catalogue needs no NumPy, opening needs no ONNX Runtime, nor do token offsets."""
    code = """
import sys
import vstash.embed.catalogue as catalogue
assert not {"numpy", "onnxruntime", "tokenizers"} & set(sys.modules)
model = catalogue.open_model("")
assert model.info.dimension == 384
assert not {"onnxruntime", "tokenizers"} & set(sys.modules)
assert model.token_offsets("two words") == [(0, 3), (4, 9)]
assert "onnxruntime" not in sys.modules
"""
    root = str(packaged_folder("x").parents[2])
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
