"""Models are installed whole, known by name, and checked at every load."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vstash import Memory, install_model, installed_models, uninstall_model
from vstash.errors import (
    FieldError,
    ModelExistsError,
    ModelInvalidError,
    ModelNotFoundError,
)
from vstash.settings import Settings

Folder = Callable[..., Path]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a folder of installed models of their own."""
    return Settings(models_folder=str(tmp_path / "models"))


def names(settings: Settings) -> list[str]:
    """What is installed."""
    return [info.name for info in installed_models(settings=settings)]


def test_a_copy_under_a_name(tiny_folder: Folder, settings: Settings, tmp_path: Path) -> None:
    """A file switches to an installed model whose folder is gone, and reopens with it by itself."""
    source = tiny_folder()
    info = install_model(source, name="own", settings=settings)
    assert (info.name, info.dimension) == ("own", 8)
    assert install_model(source, name="own", settings=settings) == info
    assert names(settings) == ["own", "bge-small-en-v1.5"]
    source.rename(source.with_name("gone"))
    with Memory(tmp_path / "x.db", model="fake", settings=settings) as memory:
        memory.add("red")
        memory.add("green", key="green")
        assert memory.reindex("own").model == "own"
    with Memory(tmp_path / "x.db", settings=settings) as memory:
        assert memory.search("green", k=1, mode="vector").hits[0].document.key == "green"


def test_nothing_is_installed_that_cannot_be_used(tiny_folder: Folder, settings: Settings) -> None:
    """A folder that lacks something, keeps values elsewhere or is of another digest leaves nothing."""
    lacking = tiny_folder()
    (lacking / "tokenizer.json").unlink()
    wrong = tiny_folder(files={"model.onnx": "0" * 64, "tokenizer.json": "0" * 64})
    external = tiny_folder(model={"external": True})
    shorter = tiny_folder(dimension=9)
    for source in (lacking, wrong, external, shorter, lacking / "none"):
        with pytest.raises(ModelInvalidError):
            install_model(source, settings=settings)
    assert names(settings) == ["bge-small-en-v1.5"]
    folder = settings.models_path()
    assert not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-x", "x" * 101, "a b", "x.", "a\0"]
)
def test_a_name_is_one_part_of_a_path(tiny_folder: Folder, settings: Settings, name: str) -> None:
    """A name that could lead elsewhere is refused, to install and to remove."""
    with pytest.raises(FieldError):
        install_model(tiny_folder(), name=name, settings=settings)
    with pytest.raises(FieldError):
        uninstall_model(name, settings=settings)


def test_a_name_that_is_taken(tiny_folder: Folder, settings: Settings) -> None:
    """The names of the package's models and of another installed one are refused."""
    for name in ("bge-small-en-v1.5", "fake", "fake-32"):
        with pytest.raises(ModelExistsError):
            install_model(tiny_folder(), name=name, settings=settings)
    install_model(tiny_folder(), settings=settings)
    with pytest.raises(ModelExistsError):
        install_model(tiny_folder(max_tokens=12), settings=settings)


def test_a_changed_file_is_refused_at_the_load(
    tiny_folder: Folder, settings: Settings, tmp_path: Path
) -> None:
    """An installed copy that was changed is not used, and the file stays with its model."""
    install_model(tiny_folder(), name="own", settings=settings)
    path = settings.models_path() / "own" / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"x": 1}))
    with Memory(tmp_path / "x.db", model="fake", settings=settings) as memory:
        memory.add("red")
        with pytest.raises(ModelInvalidError, match="install the model again"):
            memory.reindex("own")
        assert memory.stats().model.name == "fake"


def test_removal(tiny_folder: Folder, settings: Settings) -> None:
    """A copy is removed by its name, and gone."""
    install_model(tiny_folder(), name="own", settings=settings)
    assert uninstall_model("own", settings=settings).name == "own"
    with pytest.raises(ModelNotFoundError):
        uninstall_model("own", settings=settings)
    with pytest.raises(ModelNotFoundError):
        uninstall_model("bge-small-en-v1.5", settings=settings)
    assert not list(settings.models_path().iterdir())
