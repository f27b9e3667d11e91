"""What is forgotten is in no byte of the file, whenever it was cut short; compaction loses nothing."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.compact_loop import delete_half, fill
from tests.faults.forget_loop import figures_of, left_in, mark, needles, once, stored
from vstash import Memory
from vstash.errors import StoreFullError
from vstash.pipeline import purging
from vstash.replies import Reply, Request
from vstash.store import rewriting
from vstash.store.sqlite import SqliteStore
from vstash.wire import to_json

CHILD = Path(__file__).with_name("forget_child.py")


def test_no_byte_is_left() -> None:
    """Added, ingested, replaced, searched, judged, embedded later, forgotten in all four ways."""
    seen = figures_of(4, 5)
    assert (seen["words_left"], seen["vectors_left"]) == (0, 0), seen
    assert (seen["staying_lost"], seen["findings"]) == (0, [])


def test_a_deletion_leaves_words() -> None:
    """The controls: deleted only, words are left; without SQLite's erasing vectors are, too."""
    assert figures_of(4, 5, "delete")["words_left"] > 0  # type: ignore[operator]
    seen = figures_of(4, 5, "delete, insecure")
    assert seen["words_left"] > 0, seen  # type: ignore[operator]
    assert seen["vectors_left"] > 0, seen  # type: ignore[operator]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file of a test is."""
    return tmp_path / "forget.db"


def _one(path: Path) -> tuple[str, list[bytes]]:
    """A file with some documents; the key of one, and what must not be left of it."""
    rng, folder = random.Random(3), path.parent / "files"
    folder.mkdir()
    with Memory(path, model="fake") as memory:
        marked, *_ = [stored(memory, rng, folder, number) for number in (0, 1)]
    return marked.key, list(needles(marked))


@pytest.mark.parametrize(
    ("point", "times"),
    [
        *(("commit", 1), ("commit", 2), ("commit", 5), ("rewrite:end", 1)),
    ],
)
def test_cut_short_it_is_finished_later(path: Path, point: str, times: int) -> None:
    """Before its commit nothing has happened; after it the document is gone, and the rest follows."""
    key, sought = _one(path)
    run = [sys.executable, str(CHILD), str(path), key, point, str(times)]
    assert subprocess.run(run, check=False, timeout=60).returncode == 9
    with Memory(path, model="fake") as memory:
        there = any(each.key == key for each in memory.list(limit=100).items)
        assert there == (times == 1 and not point.startswith("rewrite"))
        reasons = [each.split(":")[0] for each in memory.health().reasons]
        assert ("forget_pending" in reasons) == (not there)
    assert left_in(path, sought), "it was not cut short"
    with Memory(path, model="fake") as memory:
        if there:
            memory.forget(key=key)
        memory.compact()
        assert memory.health().status == "ready"
        assert memory.check().ok
    assert left_in(path, sought) == []


def test_a_service_that_starts_finishes_it(path: Path) -> None:
    """Whoever works in the background goes on by itself."""
    key, sought = _one(path)
    run = [sys.executable, str(CHILD), str(path), key, "rewrite:begin", "1"]
    assert subprocess.run(run, check=False, timeout=60).returncode == 9
    with Memory(path, model="fake") as memory:
        memory.work_in_background()
        end = time.monotonic() + 20
        while memory.health().status != "ready" and time.monotonic() < end:
            time.sleep(0.02)
    assert left_in(path, sought) == []


def test_another_forgetting_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finishes one does not take off the mark of another, which came when the indexes were done."""
    key, _ = _one(path)
    with Memory(path, model="fake") as memory:
        memory.add("The other one is zyzzyva.", key="other")

    def forgets(point: str) -> None:
        if point == "rewrite:begin" and not forgotten:
            forgotten.append(point)
            with Memory(path, model="fake") as other, monkeypatch.context() as patched:
                # As if it was killed after its transaction.
                patched.setattr(purging.Purging, "finish", lambda *_: (False, False, ""))
                assert other.forget(key="other").documents == 1

    forgotten: list[str] = []
    with Memory(path, model="fake") as memory:
        monkeypatch.setattr(memory._engine.store, "_crash_point", forgets)
        assert memory.forget(key=key).purged
        assert forgotten
        assert [each.split(":")[0] for each in memory.health().reasons] == ["forget_pending"]
        memory.compact()
        assert memory.health().status == "ready"
    assert left_in(path, [b"zyzzyva"]) == []


def test_a_restore_meanwhile(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is still to be done is not forgotten with the file that asked for it."""
    key, sought = _one(path)
    with Memory(path, model="fake") as memory:
        memory.forget(key=key)
        empty = memory.backup()
        memory.add("The other one is zyzzyva.", key="other")
        with monkeypatch.context() as patched:
            patched.setattr(purging.Purging, "finish", lambda *_: (False, False, ""))
            memory.forget(key="other")
        memory.restore(empty.name, force=True)
        assert [each.split(":")[0] for each in memory.health().reasons] == ["forget_pending"]
        memory.compact()
        assert memory.health().status == "ready"
        assert memory.check().ok
    assert left_in(path, [*sought, b"zyzzyva"]) == []


def test_a_search_that_is_logged_late(path: Path) -> None:
    """Another process held it back when its document was forgotten: it does not come into the log."""
    with Memory(path, model="fake") as memory, Memory(path, model="fake") as other:
        memory.add("The other one is zyzzyva.", key="other")
        memory.add("The lamp.", key="lamp")
        other.search("zyzzyva")
        assert memory.forget(key="other").purged
        other.search("lamp")
        other._engine.recorder.flush()
        assert [each.query for each in memory.disagreements().items] == ["lamp"]
    assert left_in(path, [b"zyzzyva"]) == []


def test_a_reader_keeps_the_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, with what to do; once the reader has ended, compaction finishes it."""
    monkeypatch.setattr(purging, "_PATIENCE_S", 0.1)
    key, sought = _one(path)
    other = SqliteStore(path)
    with Memory(path, model="fake") as memory:
        with other.read() as reader:
            reader.counts()
            report = memory.forget(key=key)
            assert (report.documents, report.purged, report.log_emptied) == (1, True, False)
            assert "vstash compact" in report.remedy
            assert memory.health().status == "degraded"
        other.close()
        memory.compact()
        assert memory.health().status == "ready"
    assert left_in(path, sought) == []


def test_a_full_disk_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document is gone for everybody; what is left to do is said and done later."""
    key, sought = _one(path)

    def no_room(*_: object) -> None:
        raise StoreFullError("Too little room.")

    with Memory(path, model="fake") as memory:
        monkeypatch.setattr(rewriting, "_require_room", no_room)
        report = memory.forget(key=key)
        assert (report.documents, report.purged) == (1, False)
        assert "Too little room." in report.remedy
        with pytest.raises(StoreFullError):
            memory.compact(full=True)
        monkeypatch.undo()
        memory.compact()
    assert left_in(path, sought) == []


def test_replies_and_jobs_go(path: Path) -> None:
    """A reply that told of a removal, a job that read the file; what tells of others stays."""
    rng = random.Random(8)
    word, other = mark(rng), mark(rng)
    files = [path.parent / f"{each}.txt" for each in (word, other)]
    with Memory(path, model="fake") as memory:
        for file in files:
            file.write_text(f"{file.stem} is here.", encoding="utf-8")
            job = memory.start_ingest([file], ignore=[f"{file.stem}*.bak"])
            while not (job := memory.job(job.id)).ended:
                time.sleep(0.01)
        key = files[0].as_posix()
        memory.once(
            Request("", "deletion", bytes(32)),
            lambda: memory.delete_many({"key": {"eq": key}}),
            lambda report: Reply(200, {}, json.dumps(to_json(report))),
        )
        memory.ingest([files[0]])
        once(memory, "Stays.", {"key": f"{path.parent.as_posix()}/stays.txt"})
        assert (dry := memory.forget(source=key, dry_run=True)).sample[0].key == key
        report = memory.forget(source=key)
        assert (dry.replies, dry.jobs) == (report.replies, report.jobs) == (1, 1)
        assert len(memory.jobs().items) == 1
    assert left_in(path, [word.encode()]) == []
    assert left_in(path, [other.encode()]) == [other]


def test_an_export_that_comes_back_is_forgotten_too(path: Path) -> None:
    """What an import brought with its old times and vectors leaves nothing either."""
    key, sought = _one(path)
    with Memory(path, model="fake") as memory:
        lines = b"".join(memory.export(include_vectors=True))
    copy = path.with_name("copy.db")
    with Memory(copy, model="fake") as memory:
        memory.import_documents([lines])
        memory.search(sought[2].decode())
    assert left_in(copy, sought)
    with Memory(copy, model="fake") as memory:
        memory.forget(key=key)
    assert left_in(copy, sought) == []


def test_stopped_compaction_loses_nothing(path: Path) -> None:
    """At any step; what was begun is gone on with, and nothing of the deleted half is found."""
    ids = fill(path, 200, 4)
    delete_half(path, ids)
    for stop in (1, 3, 6, 10):
        steps = iter(range(stop))
        with Memory(path, model="fake") as memory, pytest.raises(KeyboardInterrupt):
            memory.compact(progress=lambda _, steps=steps: _stopped(steps))  # type: ignore[misc]
    with Memory(path, model="fake") as memory:
        assert memory.check().ok
        report = memory.compact(full=True)
        assert report.bytes_after < report.bytes_before
        assert report.reclaimable == 0
        assert memory.check().ok
        assert memory.stats().chunks == 100
    assert left_in(path, [b"only100"]) == []
    assert left_in(path, [b"only101"]) == ["only101"]
    with Memory(path, model="fake") as memory:
        assert memory.search("only101").hits[0].document.id == ids[101]
        assert all(hit.document.id != ids[100] for hit in memory.search("only100").hits)


def _stopped(steps: Iterator[int]) -> None:
    if next(steps, None) is None:
        raise KeyboardInterrupt


TRACED = """
import sys
sys.path.insert(0, {root!r})
from vstash import Memory, NewDocument
with Memory({path!r}, model="fake") as memory:
    memory.add_batch([NewDocument("word " * 1000 + str(n), key=str(n)) for n in range(20)])
    dimension = memory.stats().model.dimension
    memory.add_many(["x" * 200_000] * 30, vectors=[[1.0] * dimension] * 30)
    # What is small would stay in memory in any case.
    memory._engine.store._write_connection().execute("PRAGMA cache_size = -500")
    memory.search("word 7")
    memory.list(limit=50)
    memory.forget(key="7")
    memory.compact(full=True)
    memory.check()
"""


def test_no_file_is_made_outside_the_folder(path: Path) -> None:
    """Sorts, large transactions, forgetting and full compaction write beside the file alone."""
    if shutil.which("strace") is None:
        pytest.skip("strace is missing")
    if subprocess.run(["strace", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not trace")
    log = path.with_name("calls")
    run = ["strace", "-f", "-e", "trace=openat,open,creat,mkdir,mkdirat", "-o", str(log)]
    script = TRACED.format(path=str(path), root=str(CHILD.parents[2]))
    subprocess.run([*run, sys.executable, "-B", "-c", script], check=True, timeout=60)
    lines = log.read_text(encoding="utf-8").splitlines()
    made = [line for line in lines if ("O_CREAT" in line or "O_TMPFILE" in line)]
    elsewhere = [line for line in made if str(path.parent) not in line and '"/dev/' not in line]
    assert elsewhere == []
    assert any("O_TMPFILE" in line or "etilqs" in line for line in made), "no copy was traced"
