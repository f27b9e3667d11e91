"""Files, models and circumstances under which no interface can work: one typed error each."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import apsw
import numpy as np
import pytest

from tests.contract.interface import ContractError, Interface, Kind
from tests.contract.opening import Opener
from tests.contract.rest_interface import refused_service
from tests.disks import mounted
from vstash import Memory, errors
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray

HOLD_LOCK: Final = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def _refusal(
    kind: Kind, opening: Opener, path: Path, settings: dict[str, str] | None = None
) -> ContractError:
    """The error with which a file or a setting is refused by the first use."""
    if kind in {"rest", "client"}:
        return refused_service(path, settings or {})
    with pytest.raises(ContractError) as error:
        opening(path, settings).stats()
    return error.value


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_text(path: Path) -> None:
    path.write_text("Dear diary, today I did not use a database. " * 300, encoding="utf-8")


def _write_other_database(path: Path) -> None:
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE document (id); INSERT INTO document VALUES (1)")
    connection.close()


def _write_newer(path: Path) -> None:
    with Memory(path) as memory:
        memory.add("Port is 8090.")
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA user_version = 9999")
    connection.close()


def _write_damaged(path: Path) -> None:
    with Memory(path) as memory:
        memory.add("Port is 8090. " * 1000)
    with path.open("r+b") as stream:
        stream.seek(8192)
        stream.write(b"\xa5" * (path.stat().st_size - 8192))


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (_write_text, "store_foreign"),
        (_write_other_database, "store_foreign"),
        (_write_newer, "store_newer"),
        (_write_damaged, "store_corrupt"),
    ],
    ids=["text", "other database", "newer", "damaged"],
)
def test_a_file_that_cannot_be_used_is_refused_and_left_alone(
    kind: Kind, opening: Opener, path: Path, write: Callable[[Path], None], code: str
) -> None:
    """The error says what the file is, and not one byte of it changes."""
    write(path)
    before = _digest(path)
    assert _refusal(kind, opening, path).code == code
    assert _digest(path) == before


def test_a_folder_is_not_a_file(kind: Kind, opening: Opener, tmp_path: Path) -> None:
    """Naming a folder is refused as not a vstash file."""
    assert _refusal(kind, opening, tmp_path).code == "store_foreign"


def test_a_file_of_another_model_is_refused(kind: Kind, opening: Opener, path: Path) -> None:
    """Vectors of two models are never mixed; with its own model the file opens as before."""
    with Memory(path, model=FakeEmbedder(32)) as memory:
        memory.add("Port is 8090.")
    error = _refusal(kind, opening, path)
    assert (error.code, error.status) == ("model_mismatch", 409)
    with Memory(path, model=FakeEmbedder(32)) as memory:
        assert memory.stats().documents == 1
        assert memory.check().findings == ()


def test_a_setting_out_of_range_is_refused(kind: Kind, opening: Opener, path: Path) -> None:
    """Nothing is opened or made with settings that cannot be."""
    assert _refusal(kind, opening, path, {"chunk_tokens": "1"}).code == "settings_invalid"
    assert not path.exists()


def _model_folder(folder: Path, *, missing: str | None) -> Path:
    folder.mkdir()
    description = {
        "name": "made-up",
        "dimension": 8,
        "max_tokens": 64,
        "pooling": "cls",
        "files": {"model.onnx": "0" * 64, "tokenizer.json": "0" * 64},
    }
    contents = {
        "model.json": json.dumps(description),
        "model.onnx": "no model",
        "tokenizer.json": "{}",
    }
    for name, content in contents.items():
        if name != missing:
            (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.mark.parametrize("missing", ["model.json", "tokenizer.json", None])
def test_an_incomplete_or_altered_model_is_refused(
    opening: Opener, path: Path, tmp_path: Path, missing: str | None
) -> None:
    """A folder that lacks a file, or in which a file has another hash, never embeds anything."""
    folder = _model_folder(tmp_path / "model", missing=missing)
    with pytest.raises(ContractError) as error:
        opening(path, {"model": str(folder)}).add("Port is 8090.")
    assert (error.value.code, error.value.status) == ("model_invalid", 500)


class _BrokenModel(FakeEmbedder):
    """Returns the same number everywhere."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self._value = value

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Rows of one value."""
        return np.full((len(texts), self.info.dimension), self._value, dtype=np.float32)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_a_vector_that_cannot_be_compared_is_not_stored(path: Path, value: float) -> None:
    """A model that returns NaN, infinity or zero is told apart, and nothing is stored or lost."""
    with Memory(path) as memory:
        memory.add("Port is 8090.")
    with Memory(path, model=_BrokenModel(value)) as memory:
        with pytest.raises(errors.EmbeddingError):
            memory.add("Port is 9090.")
        with pytest.raises(errors.EmbeddingError):
            memory.search("port", mode="vector")
        assert memory.search("port").degraded[0].startswith("model_unavailable:")
        assert memory.stats().documents == 1
        assert memory.check().findings == ()


@pytest.fixture
def locked(path: Path) -> Iterator[None]:
    """Another process is in the middle of a write that does not end."""
    with Memory(path) as memory:
        memory.add("Port is 8090.", key="kept")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        yield


def test_a_busy_file_is_told_as_such(opening: Opener, path: Path, locked: None) -> None:
    """A write gives up after the timeout, changes nothing and may be tried again; reading goes on."""
    interface = opening(path, {"busy_timeout_s": "0.3"})
    with pytest.raises(ContractError) as error:
        interface.add("Port is 9090.")
    assert (error.value.code, error.value.status) == ("store_busy", 503)
    assert [hit["document"]["key"] for hit in interface.search("port")["hits"]] == ["kept"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 2 MiB."""
    folder = tmp_path / "small"
    with mounted(folder, "size=2m") as done:
        if not done:
            pytest.skip("only root on Linux can make a file system that is nearly full")
        yield folder


def test_a_full_disk_loses_nothing(small_disk: Path, opening: Opener) -> None:
    """A text that does not fit is refused, what was there stays, and a small one still fits."""
    path = small_disk / "memory.db"
    with Memory(path) as memory:
        memory.add("Port is 8090.", key="kept")
    interface = opening(path)
    with pytest.raises(ContractError) as error:
        interface.add(" ".join(f"word{number}" for number in range(60_000)), key="large")
    assert (error.value.code, error.value.status) == ("store_full", 507)
    interface.close()
    with Memory(path) as memory:
        assert [document.key for document in memory.list().items] == ["kept"]
        assert memory.check().findings == ()
        memory.add("Port is 9090.", key="small")
        assert memory.stats().documents == 2


def _unreadable(folder: Path) -> Path:
    """A file that exists and cannot be read, for root neither."""
    if os.geteuid() != 0:
        found = folder / "secret.md"
        found.write_text("Secret.", encoding="utf-8")
        found.chmod(0)
        return found
    found = Path("/proc/self/mem")
    if not found.exists():
        pytest.skip("root reads every file here")
    return found


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other permissions")
@pytest.mark.parametrize("kind", ["memory", "cli"], indirect=True)
def test_an_unreadable_file_keeps_no_other_out(interface: Interface, tmp_path: Path) -> None:
    """It is reported as failed with a stable code, and the file beside it is stored."""
    good = tmp_path / "good.md"
    good.write_text("# Port\n\nPort is 8090.\n", encoding="utf-8")
    report = interface.ingest([str(_unreadable(tmp_path)), str(good)])
    assert (report["failed"], report["added"]) == (1, 1)
    outcomes: dict[str, Any] = {found["status"]: found for found in report["outcomes"]}
    assert outcomes["failed"]["reason"].startswith("unreadable: ")
    assert outcomes["added"]["path"] == good.resolve().as_posix()


@pytest.mark.parametrize("kind", ["memory", "cli"], indirect=True)
def test_a_folder_without_readable_files_is_no_error(interface: Interface, tmp_path: Path) -> None:
    """The report says what was passed over and why."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "cat.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (folder / "blank.md").write_text(" \n", encoding="utf-8")
    report = interface.ingest([str(folder)])
    counts = {name: report[name] for name in ("added", "replaced", "unchanged", "failed", "chunks")}
    assert set(counts.values()) == {0}
    assert report["skipped"] == 2
    reasons = {Path(found["path"]).name: found["reason"] for found in report["outcomes"]}
    assert reasons["cat.jpg"].startswith("media_type_unsupported: ")
    assert reasons["blank.md"].startswith("text_invalid: ")
