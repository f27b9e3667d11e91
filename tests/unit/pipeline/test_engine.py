"""Opening a file: its model, its clock, and what has expired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import apsw
import numpy as np
import pytest

from vstash import Memory, NewDocument
from vstash.errors import (
    ChunkNotFoundError,
    DocumentNotFoundError,
    EmbeddingError,
    ModelMismatchError,
)
from vstash.pipeline.engine import Engine, open_engine
from vstash.settings import Settings
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray


class Turnable(Protocol):
    """The clock of conftest.py."""

    now: int


def at(clock: Turnable, seconds: float) -> datetime:
    """So many seconds from now, by that clock."""
    return datetime.fromtimestamp(clock.now / 1e6 + seconds, timezone.utc)


def searched(engine: Engine, query: str = "amber") -> set[str]:
    """Keys of the documents that a search returns."""
    result = engine.searching.search(
        query, vector=None, k=10, collection=None, where=None, mode="hybrid", strategy=None, explain=False,
        log=False,
    )  # fmt: skip
    return {hit.document.key for hit in result.hits}


def listed(engine: Engine) -> list[str]:
    """Keys of the documents that a listing shows."""
    page = engine.documents.list(collection=None, where=None, limit=10, cursor=None)
    return [document.key for document in page.items]


def test_another_model_is_refused_by_name(tmp_path: Path) -> None:
    """The message names the model of the file and the one given, and nothing was changed."""
    with Memory(tmp_path / "x.db", model=FakeEmbedder(64)) as memory:
        memory.add("text")
    with pytest.raises(ModelMismatchError) as caught:
        Memory(tmp_path / "x.db", model=FakeEmbedder(32))
    message = caught.value.message
    for info in (FakeEmbedder(64).info, FakeEmbedder(32).info):
        assert f"{info.name} ({info.dimension} dimensions, sha256 {info.sha256[:12]})" in message
    assert str(tmp_path) not in message
    with Memory(tmp_path / "x.db", model=FakeEmbedder(64)) as memory:
        assert memory.check().ok


def test_an_expired_document_is_hidden_at_once(engine: Engine, clock: Turnable) -> None:
    """From its time on it is in no search, listing, or lookup, and its chunks neither."""
    stays = engine.writing.add(NewDocument("the amber wall", key="stays"))
    gone = engine.writing.add(NewDocument("the amber lamp", key="gone", expires_at=at(clock, 60)))
    with engine.store.read() as reader:
        chunks = reader.owners(np.arange(1, 3, dtype=np.int64))
    chunk = next(number for number, owner in chunks.items() if owner == gone.id)
    assert searched(engine) == {"stays", "gone"}
    assert engine.documents.get_chunk(chunk).text == "the amber lamp"
    clock.now += 61_000_000
    assert searched(engine) == {"stays"}
    assert listed(engine) == ["stays"]
    get = partial(engine.documents.get, collection=None, include=("text",))
    calls: list[Callable[[], object]] = [
        lambda: get(gone.id, key=None),
        lambda: get(None, key="gone"),
        lambda: engine.writing.delete(gone.id, key=None, collection=None),
        lambda: engine.writing.replace(gone.id, NewDocument("x")),
    ]
    for call in calls:
        with pytest.raises(DocumentNotFoundError):
            call()
    with pytest.raises(ChunkNotFoundError):
        engine.documents.get_chunk(chunk)
    assert get(stays.id, key=None).text == "the amber wall"
    assert engine.upkeep.checking.check().ok


def test_a_file_in_which_all_has_expired_finds_nothing(engine: Engine, clock: Turnable) -> None:
    """A search over nothing but expired documents answers with no hits."""
    engine.writing.add(NewDocument("the amber lamp", key="gone", expires_at=at(clock, 1)))
    clock.now += 2_000_000
    assert searched(engine) == set()
    assert listed(engine) == []


def test_adding_under_an_expired_key_replaces(engine: Engine, clock: Turnable) -> None:
    """The key is free to be written: the document lives again, with its old id."""
    old = engine.writing.add(NewDocument("amber", key="k", expires_at=at(clock, 1)))
    clock.now += 2_000_000
    new = engine.writing.add(NewDocument("amber", key="k"))
    assert (new.id, new.expires_at) == (old.id, None)
    assert searched(engine) == {"k"}


@pytest.mark.parametrize("year", [1, 1900, 1970, 2000])
def test_a_time_in_the_past_hides_at_once(engine: Engine, year: int) -> None:
    """A document may be stored already expired, and its writer is told what was stored."""
    past = datetime(year, 1, 1, tzinfo=timezone.utc)
    stored = engine.writing.add(NewDocument("amber", key="k", expires_at=past))
    assert stored.expires_at == past
    assert searched(engine) == set()


def test_times_come_from_the_clock(engine: Engine, clock: Turnable) -> None:
    """Created and updated are the clock's microseconds, exactly."""
    document = engine.writing.add(NewDocument("amber", key="k"))
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert epoch <= document.created <= epoch + timedelta(microseconds=clock.now)
    assert document.created == document.updated
    clock.now -= 3_600_000_000
    older = engine.writing.update(
        document.id, key=None, collection=None, text="jade", title="", tags=(), metadata={},
        expires_at=None,
    )  # fmt: skip
    assert older.created == document.created
    assert older.updated < document.updated, "a clock that went back is written as it is"


class Broken(FakeEmbedder):
    """An embedder that returns what it is told to, once it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.spoil: Callable[[FloatArray], object] | None = None

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed passages, spoilt where asked."""
        good = super().embed_passages(texts)
        return good if self.spoil is None else self.spoil(good)  # type: ignore[return-value]


def _set(vectors: FloatArray, value: float) -> FloatArray:
    vectors[-1, 3] = value
    return vectors


SPOILT: dict[str, Callable[[FloatArray], object]] = {
    "nan": lambda vectors: _set(vectors, np.nan),
    "inf": lambda vectors: _set(vectors, np.inf),
    "zero": np.zeros_like,
    "too short": lambda vectors: vectors[:, :-1],
    "too long": lambda vectors: np.hstack([vectors, vectors]),
    "one missing": lambda vectors: vectors[:-1],
    "one more": lambda vectors: np.vstack([vectors, vectors[:1]]),
    "flat": lambda vectors: vectors.ravel(),
    "text": lambda vectors: [["x"] * vectors.shape[1]] * len(vectors),
    "integers": lambda vectors: vectors.astype(np.int8),
    "nothing": lambda _vectors: None,
}


@pytest.mark.parametrize("name", SPOILT)
def test_vectors_that_cannot_be_stored_are_refused(tmp_path: Path, name: str) -> None:
    """An embedder that fails leaves everything as it was, on every way in and in a search."""
    model = Broken()
    with Memory(tmp_path / "x.db", model=model) as memory:
        kept = memory.add("the amber lamp", key="kept")
        model.spoil = SPOILT[name]
        (tmp_path / "file.md").write_text("from a file", encoding="utf-8")
        for call in (
            lambda: memory.add("new text", key="new"),
            lambda: memory.add("another text", key="kept"),
            lambda: memory.add_batch([NewDocument("a"), NewDocument("b")]),
            lambda: memory.update(key="kept", text="changed"),
            lambda: memory.replace(kept.id, "changed"),
            lambda: memory.ingest(tmp_path / "file.md"),
            lambda: memory.search("amber", mode="vector"),
        ):
            with pytest.raises(EmbeddingError):
                call()
        assert memory.search("amber", mode="keyword").hits[0].text == "the amber lamp"
        assert [document.key for document in memory.list().items] == ["kept"]
        assert memory.check().ok


def test_longer_vectors_are_brought_to_length_one(tmp_path: Path) -> None:
    """A model whose vectors are not of length 1 is stored normalised, and searched so."""
    model = Broken()
    model.spoil = lambda vectors: vectors * 7
    with Memory(tmp_path / "x.db", model=model) as memory:
        memory.add("the amber lamp", key="k")
        (hit,) = memory.search("the amber lamp").hits
        assert hit.vector_score == pytest.approx(1.0, abs=1e-5)
        assert memory.check().ok


def test_settings_of_the_log_bound_it(tmp_path: Path) -> None:
    """Only so many searches are kept, and none when the log is off."""
    settings = Settings(log_max_rows=3)
    with Memory(tmp_path / "x.db", model="fake", settings=settings) as memory:
        memory.add("the amber lamp")
        for number in range(6):
            memory.search(f"amber {number}")
        queries = [item.query for item in memory.disagreements().items]
        assert queries == ["amber 5", "amber 4", "amber 3"]
        memory.search("amber", log=False)
        assert memory.stats().searches_logged == 3
    off = Settings(log_searches="off")
    with Memory(tmp_path / "x.db", model="fake", settings=off) as memory:
        memory.search("amber")
        assert memory.stats().searches_logged == 3


def test_a_failed_open_holds_nothing(tmp_path: Path) -> None:
    """After a refused model the file can be moved and opened as if nothing had been."""
    Memory(tmp_path / "x.db", model="fake").close()
    with pytest.raises(ModelMismatchError):
        open_engine(tmp_path / "x.db", model=FakeEmbedder(8))
    with closing(apsw.Connection(str(tmp_path / "x.db"))) as connection:
        # Leaving WAL needs the file for itself alone.
        assert connection.pragma("journal_mode", "delete") == "delete"
