"""Files that are not ours, not whole, or no longer open."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import apsw
import pytest

from vstash import Memory, VstashError
from vstash.errors import (
    ClosedError,
    PathNotFoundError,
    StoreCorruptError,
    StoreForeignError,
    StoreNewerError,
)
from vstash.replies import Reply, Request

TEXT = "The port of the staging server is 8090."


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    """An SQLite file that vstash did not write is refused, and not a byte of it changes."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmark (url TEXT)")
        other.commit()
    before = path.read_bytes()
    with pytest.raises(StoreForeignError) as caught:
        Memory(path, model="fake")
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["other.db"]
    assert str(path) not in caught.value.message
    assert str(path) in caught.value.local_detail


@pytest.mark.parametrize("size", [2, 100, 8192, 100_000])
def test_random_bytes_are_refused(tmp_path: Path, size: int) -> None:
    """A file that is no database is refused by name and left as it is."""
    path = tmp_path / "noise.db"
    noise = Random(size).randbytes(size)
    path.write_bytes(noise)
    with pytest.raises(StoreForeignError):
        Memory(path, model="fake")
    assert path.read_bytes() == noise


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """A folder where the file should be is named as the reason."""
    with pytest.raises(StoreForeignError, match="folder"):
        Memory(tmp_path, model="fake")


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    """A path through a file is named as the reason."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(StoreForeignError, match="folder"):
        Memory(tmp_path / "file" / "x.db", model="fake")


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    """A schema that this vstash does not know is refused by number, and stays."""
    path = tmp_path / "x.db"
    Memory(path, model="fake").close()
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("PRAGMA user_version = 9000")
    before = path.read_bytes()
    with pytest.raises(StoreNewerError, match="9000"):
        Memory(path, model="fake")
    assert path.read_bytes() == before


def test_an_empty_file_becomes_ours(tmp_path: Path) -> None:
    """A file of length zero, as mkstemp makes, is used."""
    path = tmp_path / "x.db"
    path.touch()
    with Memory(path, model="fake", create=False) as memory:
        memory.add(TEXT)
        assert memory.check().ok


def test_a_missing_file_is_made_only_when_asked(tmp_path: Path) -> None:
    """With create=False a missing file raises and nothing appears."""
    with pytest.raises(PathNotFoundError):
        Memory(tmp_path / "no" / "x.db", model="fake", create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_file_is_damaged(tmp_path: Path, share: float) -> None:
    """A file whose end is missing raises StoreCorruptError or is reported by the check."""
    path = tmp_path / "x.db"
    with Memory(path, model="fake") as memory:
        for number in range(20):
            memory.add(f"{number} cedar door " * 50, key=str(number))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    try:
        with Memory(path, model="fake") as memory:
            assert not memory.check().ok
    except StoreCorruptError:
        pass


def calls(memory: Memory, folder: Path, export: bytes) -> dict[str, Callable[[], object]]:
    """Every method that touches the file."""
    return {
        "add": lambda: memory.add("x"),
        "add_batch": lambda: memory.add_batch([]),
        "add_many": lambda: memory.add_many(["x"]),
        "ingest": lambda: memory.ingest(folder),
        "embed": memory.embed,
        "embed_in_background": memory.embed_in_background,
        "search": lambda: memory.search("x"),
        "why_not": lambda: memory.why_not("x", key="a"),
        "context": lambda: memory.context("port"),
        "get": lambda: memory.get(key="staging"),
        "get_chunk": lambda: memory.get_chunk(1),
        "list": memory.list,
        "update": lambda: memory.update(key="staging", title="x"),
        "replace": lambda: memory.replace("id", "x"),
        "delete": lambda: memory.delete(key="staging"),
        "stats": memory.stats,
        "check": memory.check,
        "repair": memory.repair,
        "disagreements": memory.disagreements,
        "disagreement_report": memory.disagreement_report,
        "redact_log": memory.redact_log,
        "flush_log": memory.flush_log,
        "feedback": lambda: memory.feedback("id", 1, "cited"),
        "feedback_batch": lambda: memory.feedback_batch([]),
        "judged_searches": memory.judged_searches,
        "calibrate": memory.calibrate,
        "reset_calibration": memory.reset_calibration,
        "mine": memory.mine,
        "label": lambda: memory.label({"q": "x"}, {}),
        "made_queries": memory.made_queries,
        "remove_made": memory.remove_made,
        "learn_report": memory.learn_report,
        **served_calls(memory, folder, export),
    }


def served_calls(memory: Memory, folder: Path, export: bytes) -> dict[str, Callable[[], object]]:
    """The same, of what services need most."""
    request = Request("", "key", b"\0" * 32)
    return {
        "chunks": lambda: memory.chunks(key="staging"),
        "around": lambda: memory.around(1),
        "collections": memory.collections,
        "collection": lambda: memory.collection("default"),
        "delete_many": lambda: memory.delete_many({"key": {"eq": "staging"}}),
        "delete_collection": lambda: memory.delete_collection("default"),
        "compact": memory.compact,
        "forget": lambda: memory.forget(key="staging"),
        "export": lambda: list(memory.export()),
        "import_documents": lambda: memory.import_documents([export]),
        "triples": lambda: list(memory.triples()),
        "create_key": lambda: memory.create_key("laptop"),
        "keys": memory.keys,
        "revoke_key": lambda: memory.revoke_key("0" * 16),
        "access": lambda: memory.access(f"vstash_{'0' * 16}_{'A' * 43}"),
        "has_living_key": memory.has_living_key,
        "start_ingest": lambda: memory.start_ingest(folder),
        "start_upkeep": lambda: memory.start_upkeep("check"),
        "job": lambda: memory.job("id"),
        "jobs": memory.jobs,
        "cancel_job": lambda: memory.cancel_job("id"),
        "work_in_background": memory.work_in_background,
        "once": lambda: memory.once(request, lambda: memory.add("x"), lambda _: Reply(200, {}, "")),
        "gauges": memory.gauges,
        "backup": memory.backup,
        "backups": memory.backups,
        "delete_backup": lambda: memory.delete_backup("x"),
        "back_up_when_due": lambda: memory.back_up_when_due(every_s=1, keep=1),
        "back_up_in_background": memory.back_up_in_background,
        "restore": lambda: memory.restore(folder / "x.db"),
        "models": memory.models,
        "reindex": lambda: memory.reindex("fake-32"),
        "use_model": lambda: memory.use_model("fake"),
        "remove_model": lambda: memory.remove_model("fake"),
        "learn": memory.learn,
        "learned": memory.learned,
        "promote": lambda: memory.promote("id"),
        "rollback": memory.rollback,
        "auto_learning": memory.auto_learning,
        "learn_in_background": memory.learn_in_background,
    }


def test_every_method_of_a_closed_memory_says_so(tmp_path: Path) -> None:
    """After close() each method raises ClosedError, and closing again does nothing."""
    memory = Memory(tmp_path / "x.db", model="fake")
    memory.add(TEXT, key="staging")
    memory.search("port")
    export = b"".join(memory.export())
    memory.close()
    memory.close()
    public = {name for name in dir(memory) if not name.startswith("_")}
    tried = calls(memory, tmp_path, export)
    assert public - set(tried) == {"close", "path", "settings", "health"}
    assert memory.health().status == "unavailable"
    for name, call in tried.items():
        if name == "add_batch":
            # Nothing to store touches no file.
            assert call() == ()
            continue
        with pytest.raises(ClosedError):
            call()


def test_eight_threads_share_a_memory(tmp_path: Path) -> None:
    """Eight threads that add, replace, delete and search at once lose nothing and see no error."""
    errors: list[BaseException] = []
    held: dict[str, str] = {}
    end = time.monotonic() + 2

    def work(name: int) -> None:
        step = 0
        try:
            while time.monotonic() < end:
                step += 1
                key = f"{name}-{step % 5}"
                if step % 7 == 0 and key in held:
                    memory.delete(key=key)
                    del held[key]
                else:
                    text = f"thread {name} step {step} port"
                    memory.add(text, key=key)
                    held[key] = text
                assert memory.search("port step", k=3).hits
        except (VstashError, AssertionError) as error:
            errors.append(error)

    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("the port", key="first")
        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        seen = {item.key: memory.get(item.id).text for item in memory.list(limit=1000).items}
        assert seen == {**held, "first": "the port"}
        assert memory.check().ok


def test_closing_waits_for_nobody_and_breaks_nobody(tmp_path: Path) -> None:
    """Threads that search and add while another closes get answers or ClosedError, nothing else."""
    memory = Memory(tmp_path / "x.db", model="fake")
    memory.add(TEXT, key="staging")
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            while True:
                memory.search("port")
                memory.add(f"{number} port", key=str(number))
        except ClosedError:
            pass
        except Exception as error:  # noqa: BLE001 - anything else is what the test looks for
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    memory.close()
    for thread in threads:
        thread.join(20)
    assert errors == []
    assert [thread for thread in threads if thread.is_alive()] == []
    with Memory(tmp_path / "x.db", model="fake") as reopened:
        assert reopened.check().ok
