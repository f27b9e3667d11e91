"""One model takes the place of another while the file is in use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from vstash import Memory, NewDocument, salvage
from vstash.errors import (
    FieldError,
    ModelExistsError,
    ModelIncompleteError,
    ModelInUseError,
    ModelMismatchError,
    ModelMissingError,
    ModelNotFoundError,
    ModelTooShortError,
    StoreFullError,
)
from vstash.settings import Settings
from vstash.switching import ModelState, ReindexProgress
from vstash.testing import FakeEmbedder

COUNT = 80


class _CutError(Exception):
    """Stands for whatever ends a process half way."""


def filled(path: Path, count: int = COUNT) -> Memory:
    """A file with documents that are told apart by one word each."""
    memory = Memory(path, model="fake")
    memory.add_batch([NewDocument(f"amber number{n} stone", key=f"d{n}") for n in range(count)])
    return memory


def state(memory: Memory, name: str) -> ModelState:
    """One model of a file."""
    return next(each for each in memory.models() if each.name == name)


def cut_after(batches: int) -> Callable[[ReindexProgress], None]:
    """Progress that ends the work when so many batches were stored."""
    told = 0

    def tell(_progress: ReindexProgress) -> None:
        nonlocal told
        told += 1
        if told > batches:
            raise _CutError

    return tell


def finds(memory: Memory, number: int) -> bool:
    """Whether the vector leg alone finds a document by its word."""
    hits = memory.search(f"amber number{number} stone", k=1, mode="vector").hits
    return bool(hits) and hits[0].document.key == f"d{number}"


def test_another_dimension_takes_over(tmp_path: Path) -> None:
    """After a reindex searches use the new model, nothing awaits a vector, and the file is whole."""
    with filled(tmp_path / "x.db") as memory:
        report = memory.reindex("fake-32")
        assert (report.before, report.model, report.switched) == ("fake", "fake-32", True)
        assert (report.embedded, report.awaiting) == (COUNT, 0)
        assert memory.stats().model.dimension == 32
        assert memory.stats().vectors == COUNT
        assert finds(memory, 7)
        assert [state(memory, name).index for name in ("fake", "fake-32")] == ["kept", "active"]
        assert memory.check().ok


def test_it_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    """What was committed before an interruption is not embedded again."""
    with filled(tmp_path / "x.db") as memory:
        with pytest.raises(_CutError):
            memory.reindex("fake-32", progress=cut_after(1))
        assert memory.stats().model.name == "fake"
        there = state(memory, "fake-32")
        assert there.index == "building"
        assert 0 < there.vectors < COUNT
        assert memory.check().ok
        assert memory.reindex("fake-32").embedded == COUNT - there.vectors
        assert memory.check().ok


def test_writes_meanwhile_are_caught_up_with(tmp_path: Path) -> None:
    """What this or another object writes, replaces and removes during a reindex is right after it."""
    with filled(tmp_path / "x.db") as memory, Memory(tmp_path / "x.db", model="fake") as other:
        told = 0

        def write(_progress: ReindexProgress) -> None:
            nonlocal told
            told += 1
            if told <= 3:
                number = COUNT + told
                other.add(f"amber number{number} stone", key=f"d{number}")
                memory.add("amber number3 stone", key="d3", title=f"At {number}")
                other.delete(key=f"d{10 + 20 * told}")

        report = memory.reindex("fake-32", progress=write)
        assert report.awaiting == 0
        assert all(finds(other, COUNT + number) for number in (1, 2, 3))
        assert not finds(memory, 30)
        assert memory.check().ok
        assert other.stats().model.name == "fake-32"


def test_searches_go_on_during_a_reindex(tmp_path: Path) -> None:
    """Searches from other threads, of the same and of another object, all succeed before and after."""
    failures: list[BaseException] = []
    searched = 0
    ended = threading.Event()

    def search(memory: Memory) -> None:
        nonlocal searched
        try:
            while not ended.is_set():
                assert memory.search("amber number5 stone", k=1).hits[0].document.key == "d5"
                searched += 1
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            failures.append(error)

    with filled(tmp_path / "x.db") as memory, Memory(tmp_path / "x.db", model="fake") as other:
        threads = [threading.Thread(target=search, args=(each,)) for each in (memory, other)]
        for thread in threads:
            thread.start()
        memory.reindex("fake-32")
        memory.use_model("fake")
        memory.use_model("fake-32")
        ended.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert searched > 0


def test_back_and_forth(tmp_path: Path) -> None:
    """The index before is gone back to; what was written since is embedded for it first."""
    with filled(tmp_path / "x.db") as memory:
        memory.reindex("fake-32")
        memory.add("amber number900 stone", key="d900")
        assert state(memory, "fake").awaiting == 1
        report = memory.use_model("fake")
        assert (report.before, report.model, report.embedded) == ("fake-32", "fake", 1)
        assert finds(memory, 900)
        assert memory.use_model("fake-32").embedded == 0
        assert memory.use_model("fake-32").switched is False
        assert memory.check().ok


def test_back_at_once(tmp_path: Path) -> None:
    """Going back with `later` embeds nothing: what was written since waits for its vectors."""
    with filled(tmp_path / "x.db") as memory:
        memory.reindex("fake-32")
        memory.add("amber number900 stone", key="d900")
        report = memory.use_model("fake", embed="later")
        assert (report.embedded, report.awaiting) == (0, 1)
        assert memory.check().ok
        assert memory.embed().embedded == 1
        assert finds(memory, 900)
        assert memory.check().ok


def test_a_write_that_a_switch_overtakes(tmp_path: Path) -> None:
    """Vectors of the model before go into its own index, and the chunk gets one of the new model too."""
    with filled(tmp_path / "x.db") as memory, Memory(tmp_path / "x.db", model="fake") as other:
        stale = other._engine
        memory.reindex("fake-32")
        stale.writing.add(NewDocument("amber number901 stone", key="d901"))
        assert other.stats().awaiting == 0
        assert finds(other, 901)
        assert memory.use_model("fake").embedded == 0
        assert memory.check().ok


def test_only_an_index_that_is_not_in_use_is_removed(tmp_path: Path) -> None:
    """Removing an index frees its room, and its number never stands for another model."""
    with filled(tmp_path / "x.db") as memory:
        with pytest.raises(ModelInUseError):
            memory.remove_model("fake")
        with pytest.raises(ModelNotFoundError):
            memory.remove_model("fake-32")
        memory.reindex("fake-32")
        assert memory.remove_model("fake").vectors == COUNT
        with pytest.raises(ModelNotFoundError):
            memory.use_model("fake")
        memory.reindex("fake-48")
        memory.remove_model("fake-32")
        assert memory.check().ok
        assert finds(memory, 4)
        with memory._engine.store.read() as reader:
            assert reader.served is not None
            assert reader.served.number == 3
        memory.reindex("fake-32")
        with memory._engine.store.read() as reader:
            assert reader.served is not None
            assert reader.served.number == 4
        assert memory.check().ok


def test_a_third_model_waits_until_the_second_is_built(tmp_path: Path) -> None:
    """One index is built at a time, and an unfinished one is not switched to but can be dropped."""
    with filled(tmp_path / "x.db") as memory:
        with pytest.raises(_CutError):
            memory.reindex("fake-32", progress=cut_after(1))
        with pytest.raises(ModelIncompleteError):
            memory.reindex("fake-48")
        with pytest.raises(ModelIncompleteError):
            memory.use_model("fake-32")
        memory.remove_model("fake-32")
        assert memory.reindex("fake-48").switched


class _Other(FakeEmbedder):
    """A model of one's own."""

    def __init__(self, dimension: int, **fields: object) -> None:
        super().__init__(dimension)
        self._info = replace(self._info, **fields)  # type: ignore[arg-type]


def test_a_model_that_cannot_take_over(tmp_path: Path) -> None:
    """A model that reads too little of a chunk, or has another's name, is refused; nothing changes."""
    with filled(tmp_path / "x.db") as memory:
        before = memory.models()
        with pytest.raises(ModelTooShortError):
            memory.reindex(_Other(32, max_tokens=4, sha256="b" * 64))
        with pytest.raises(ModelExistsError):
            memory.reindex(_Other(32, name="fake"))
        assert memory.models() == before


def test_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the index needs is computed beforehand, and a disk without room is refused."""
    with filled(tmp_path / "x.db") as memory:
        monkeypatch.setattr("os.statvfs", lambda _path: SimpleNamespace(f_bavail=0, f_frsize=4096))
        with pytest.raises(StoreFullError, match="MiB"):
            memory.reindex("fake-32")
        assert [each.name for each in memory.models() if each.index != "none"] == ["fake"]


def test_a_file_is_opened_with_its_own_model(tmp_path: Path) -> None:
    """Without a model named, the file's active one is opened; one that is named must be that one."""
    with filled(tmp_path / "x.db") as memory:
        memory.reindex("fake-32")
    with Memory(tmp_path / "x.db", settings=Settings()) as memory:
        assert finds(memory, 9)
    for named in ("fake", "bge-small-en-v1.5"):
        with pytest.raises(ModelMismatchError, match="fake-32"):
            Memory(tmp_path / "x.db", model=named)


def test_a_model_that_another_process_does_not_have(tmp_path: Path) -> None:
    """Who cannot open the new model goes on with keywords, and embeddings say what to do."""
    with filled(tmp_path / "x.db") as memory, Memory(tmp_path / "x.db", model="fake") as other:
        memory.reindex(_Other(32, name="own", sha256="a" * 64))
        assert other.search("number5", k=1, mode="keyword").hits[0].document.key == "d5"
        with pytest.raises(ModelMissingError, match="vstash model add"):
            other.add("amber")
        assert other.health().status == "degraded"
        memory.use_model("fake")
        assert finds(other, 5)
        assert other.health().status == "ready"


def test_a_backup_with_another_active_model(tmp_path: Path) -> None:
    """A backup from before the switch brings its model back, and everybody follows."""
    with filled(tmp_path / "x.db") as memory, Memory(tmp_path / "x.db", model="fake") as other:
        backup = memory.backup().name
        memory.reindex("fake-32")
        memory.restore(backup, force=True)
        assert memory.stats().model.name == "fake"
        assert finds(other, 5)
        assert memory.check().ok


def test_forgotten_in_every_index(tmp_path: Path) -> None:
    """What is forgotten is in no model's index."""
    with filled(tmp_path / "x.db") as memory:
        memory.reindex("fake-32")
        memory.forget(key="d5")
        assert [state(memory, name).vectors for name in ("fake", "fake-32")] == [COUNT - 1] * 2
        assert memory.check().ok


def test_a_job_reindexes(tmp_path: Path) -> None:
    """In the background too, by the name of an installed model alone; jobs after it use the new model."""
    with filled(tmp_path / "x.db") as memory:
        for wrong in ("none", str(tmp_path), None):
            with pytest.raises((ModelNotFoundError, FieldError)):
                memory.start_upkeep("reindex", model=wrong)
        with pytest.raises(FieldError):
            memory.start_upkeep("check", model="fake-32")
        job = memory.start_upkeep("reindex", model="fake-32")
        while not memory.job(job.id).ended:
            time.sleep(0.02)
        outcome = memory.job(job.id).outcome
        assert outcome is not None
        assert (outcome["model"], outcome["embedded"]) == ("fake-32", COUNT)
        memory.add("amber number902 stone", key="d902", embed="later")
        memory.embed_in_background()
        while memory.stats().awaiting:
            time.sleep(0.02)
        assert finds(memory, 902)


def test_salvage_of_a_switched_file(tmp_path: Path) -> None:
    """What is saved keeps the vectors of the active model, unless another has the same dimension."""
    with filled(tmp_path / "x.db") as memory:
        memory.reindex("fake-32")
    report = salvage(tmp_path / "x.db", tmp_path / "saved.db", settings=Settings())
    assert (report.whole, report.vectors, report.awaiting) == (COUNT, COUNT, 0)
    with Memory(tmp_path / "saved.db", settings=Settings()) as memory:
        assert memory.stats().model.name == "fake-32"
        assert finds(memory, 7)
    own = _Other(32, name="own", sha256="a" * 64)
    with Memory(tmp_path / "x.db", settings=Settings()) as memory:
        memory.reindex(own)
    report = salvage(tmp_path / "x.db", tmp_path / "again.db", model=own)
    assert (report.whole, report.vectors, report.awaiting) == (COUNT, 0, COUNT)


def test_a_removal_that_was_cut_short(tmp_path: Path) -> None:
    """What is left of an index that was being removed is never gone on with: the next call removes it."""
    with filled(tmp_path / "x.db") as memory:
        memory.reindex("fake-32")
        with memory._engine.store.write() as writer:
            writer.indexes.drop_some(1, 30)
            writer.touch()
        assert memory.check().ok
        with pytest.raises(ModelIncompleteError):
            memory.use_model("fake")
        assert memory.reindex("fake").embedded == COUNT
        assert memory.check().ok
