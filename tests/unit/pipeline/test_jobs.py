"""Ingests in the background: one after the other, stopped, cancelled, and lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from vstash import Memory
from vstash.errors import (
    FieldError,
    JobFinishedError,
    JobNotFoundError,
    OverloadError,
    PathNotFoundError,
    QueryError,
)
from vstash.jobs import Job
from vstash.testing import FakeEmbedder

if TYPE_CHECKING:
    from vstash.types import FloatArray

RUNNING = "UPDATE job SET state = 'running', runner = ?, seen = ?, started = created"


class Gate(FakeEmbedder):
    """An embedder that waits, once it has embedded so many texts, until it is let go on."""

    def __init__(self, free: int) -> None:
        super().__init__()
        self.free = free
        self.reached = threading.Event()
        self.opened = threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Embed, or wait first."""
        self.free -= len(texts)
        if self.free < 0:
            self.reached.set()
            assert self.opened.wait(30)
        return super().embed_passages(texts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of 400 notes: more than are ahead of what is stored."""
    made = tmp_path / "notes"
    made.mkdir()
    for number in range(400):
        (made / f"{number:03}.md").write_text(f"Note {number} says something.", encoding="utf-8")
    return made


def until(seen: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.005)


def ended(memory: Memory, job: Job) -> Job:
    """The job once it has ended."""
    until(lambda: memory.job(job.id).ended)
    return memory.job(job.id)


def execute(path: Path, sql: str, *binds: Any) -> None:
    """Change the file behind vstash's back."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.set_busy_timeout(5000)
        connection.execute(sql, binds)


def test_a_job_does_what_ingest_does(memory: Memory, folder: Path, tmp_path: Path) -> None:
    """Queued at once; then done, with every file and the reasons of those left out."""
    (folder / "empty.md").write_text(" ", encoding="utf-8")
    (folder / "skipped.log").write_text("x", encoding="utf-8")
    started = memory.start_ingest(folder, collection="files", tags=["b", "a"], ignore=["*.log"])
    assert (started.state, started.kind, started.ended) == ("queued", "ingest", False)
    assert started.request is not None
    assert started.request.paths == (str(folder.resolve()),)
    assert started.request.tags == ("a", "b")
    job = ended(memory, started)
    assert (job.state, job.error) == ("done", None)
    assert job.report is not None
    assert (job.report.added, job.report.skipped, job.report.more_problems) == (400, 1, 0)
    assert [each.reason.split(":")[0] for each in job.report.problems] == ["text_invalid"]
    assert (job.progress.files_found, job.progress.files_done) == (401, 401)
    assert (job.progress.added, job.progress.chunks) == (400, 400)
    assert job.started is not None
    assert job.finished is not None
    assert job.created <= job.started <= job.finished
    assert memory.stats().collections["files"] == 400
    again = ended(memory, memory.start_ingest([folder], collection="files"))
    assert again.progress.unchanged == 400
    (folder / "000.md").unlink()
    pruned = ended(memory, memory.start_ingest([folder], collection="files", prune=True))
    assert pruned.report is not None
    assert pruned.report.pruned == 1
    assert memory.check().ok


def test_a_report_has_bounds(memory: Memory, tmp_path: Path) -> None:
    """Of many problems the first hundred are told and the others counted."""
    for number in range(130):
        (tmp_path / f"{number}.md").write_text(" ", encoding="utf-8")
    report = ended(memory, memory.start_ingest(tmp_path, ignore=["x.db*"])).report
    assert report is not None
    assert (report.skipped, len(report.problems), report.more_problems) == (130, 100, 30)


def test_what_cannot_be_started_is_not_queued(memory: Memory, folder: Path) -> None:
    """Each with the error that `ingest` would raise, and no job is left."""
    with pytest.raises(PathNotFoundError):
        memory.start_ingest([folder, folder / "missing"])
    wrong: list[dict[str, Any]] = [
        {"paths": []},
        {"paths": [folder] * 1001},
        {"paths": [""]},
        {"paths": ["a\0b"]},
        {"paths": [5]},
        {"collection": "no such name"},
        {"tags": "x"},
        {"ignore": "x"},
        {"ignore": ["!"]},
        {"ignore": ["x" * 1001]},
        {"prune": 1},
        {"embed": "never"},
    ]
    for fields in wrong:
        with pytest.raises(FieldError):
            memory.start_ingest(**({"paths": [folder]} | fields))
    assert memory.jobs().items == ()


def test_jobs_are_listed(memory: Memory, folder: Path) -> None:
    """Newest first, in pages, of one collection, or in one state."""
    made = [memory.start_ingest(folder, collection=name) for name in ("a", "b", "a")]
    for job in made:
        ended(memory, job)
    ids = [job.id for job in reversed(made)]
    assert [job.id for job in memory.jobs().items] == ids
    first = memory.jobs(limit=2)
    assert [job.id for job in first.items] == ids[:2]
    assert first.next_cursor is not None
    rest = memory.jobs(cursor=first.next_cursor)
    assert ([job.id for job in rest.items], rest.next_cursor) == (ids[2:], None)
    assert [job.id for job in memory.jobs(collection="b").items] == [made[1].id]
    assert len(memory.jobs(state="done").items) == 3
    assert memory.jobs(state="failed").items == ()
    with pytest.raises(QueryError):
        memory.jobs(state="asleep")  # type: ignore[arg-type]  # on purpose
    with pytest.raises(JobNotFoundError):
        memory.job("no-such-job")


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[tuple[Memory, Gate]]:
    """A file whose model waits after 130 texts."""
    held = Gate(130)
    with Memory(tmp_path / "x.db", model=held) as memory:
        yield memory, held
        held.opened.set()


def test_cancelling_keeps_what_is_finished(gate: tuple[Memory, Gate], folder: Path) -> None:
    """One that waits ends at once; one under way ends after what it has in hand."""
    memory, held = gate
    job, waiting = memory.start_ingest(folder), memory.start_ingest(folder)
    assert held.reached.wait(30)
    assert memory.cancel_job(waiting.id).state == "cancelled"
    assert memory.cancel_job(job.id).state == "running"
    assert memory.cancel_job(job.id).state == "running", "it can be repeated"
    held.opened.set()
    job = ended(memory, job)
    stored = memory.stats().documents
    assert job.state == "cancelled"
    assert job.report is not None
    assert 0 < job.report.added == job.progress.added == stored < 400
    for each in (job, waiting):
        with pytest.raises(JobFinishedError):
            memory.cancel_job(each.id)
    assert memory.check().ok
    assert ended(memory, memory.start_ingest(folder)).progress.unchanged == stored


def test_a_cancel_reaches_another_process(gate: tuple[Memory, Gate], folder: Path) -> None:
    """Who asks need not be who works; the runner hears of it with its next sign of life."""
    memory, held = gate
    job = memory.start_ingest(folder)
    assert held.reached.wait(30)
    with Memory(memory.path, model=FakeEmbedder()) as other:
        assert other.cancel_job(job.id).state == "running"
    under_way = memory._engine.jobs.runner._under_way
    assert under_way is not None
    assert under_way.cancelled.wait(30)
    held.opened.set()
    assert ended(memory, job).state == "cancelled"


def test_closing_leaves_the_rest(tmp_path: Path, folder: Path) -> None:
    """The one under way is interrupted with its part stored; one that waits is done by who is next."""
    held = Gate(130)
    memory = Memory(tmp_path / "x.db", model=held)
    job, waiting = memory.start_ingest(folder), memory.start_ingest(folder, collection="other")
    assert held.reached.wait(30)
    closing_it = threading.Thread(target=memory.close)
    closing_it.start()
    until(memory._engine.jobs.runner._stopped.is_set)
    held.opened.set()
    closing_it.join()
    with Memory(tmp_path / "x.db", model=FakeEmbedder()) as after:
        cut = after.job(job.id)
        assert cut.state == "interrupted"
        assert cut.report is not None
        assert 0 < cut.report.added == after.stats().documents < 400
        assert after.job(waiting.id).state == "queued"
        after.work_in_background()
        assert ended(after, waiting).state == "done"
        assert after.check().ok


def test_progress_and_signs_of_life(gate: tuple[Memory, Gate], folder: Path) -> None:
    """While one batch takes long, its runner is seen to live and what is done is told."""
    memory, held = gate
    job = memory.start_ingest(folder)
    assert held.reached.wait(30)
    until(lambda: memory.job(job.id).progress.files_found == 400)
    shown = memory.job(job.id)
    assert shown.state == "running"
    assert 0 < shown.progress.added == memory.stats().documents
    first = memory._engine.store
    with first.read() as reader:
        (before,) = reader.jobs.running()

    def newer() -> bool:
        with first.read() as reader:
            return reader.jobs.running()[0].seen > before.seen

    until(newer)


def test_a_lost_runner(memory: Memory, folder: Path) -> None:
    """A sign of life too long ago means interrupted, whoever looks; a fresh one does not."""
    job = ended(memory, memory.start_ingest(folder))
    fresh = time.time_ns() // 1000
    for runner, seen, state in (
        ("elsewhere//1/ab", fresh, "running"),
        ("elsewhere//1/ab", fresh - 11_000_000, "interrupted"),
        ("elsewhere//1/ab", fresh + 3_600_000_000, "interrupted"),
        ("no runner at all", fresh, "running"),
    ):
        execute(memory.path, RUNNING, runner, seen)
        assert memory.job(job.id).state == state
        assert [each.id for each in memory.jobs(state=state).items] == [job.id]
    execute(memory.path, RUNNING, "elsewhere//1/ab", fresh - 11_000_000)
    with pytest.raises(JobFinishedError):
        memory.cancel_job(job.id)


def test_who_was_taken_for_dead_sets_it_right(gate: tuple[Memory, Gate], folder: Path) -> None:
    """After a machine slept, a runner goes on with the job that others called interrupted."""
    memory, held = gate
    job = memory.start_ingest(folder)
    assert held.reached.wait(30)
    execute(memory.path, "UPDATE job SET state = 'interrupted', finished = 1")
    until(lambda: memory.job(job.id).state == "running")
    assert memory.job(job.id).finished is None
    held.opened.set()
    assert ended(memory, job).state == "done"


def test_a_clock_that_jumps_takes_nobody_of_our_own_for_dead(
    gate: tuple[Memory, Gate], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job under way here is running, whatever time it is; another process sees so in a second."""
    memory, held = gate
    job = memory.start_ingest(folder)
    assert held.reached.wait(30)
    real = time.time_ns
    for hours in (24 * 365, -1, 24 * 365, 0):
        monkeypatch.setattr(time, "time_ns", lambda hours=hours: real() + hours * 3_600 * 10**9)
        assert memory.job(job.id).state == "running"
    with Memory(memory.path, model="fake") as other:
        until(lambda: other.job(job.id).state == "running")
        held.opened.set()
        assert ended(memory, job).state == "done"


class Broken(FakeEmbedder):
    """An embedder with a defect, which tells what it was given."""

    def embed_passages(self, texts: Sequence[str]) -> FloatArray:
        """Fail."""
        raise RuntimeError(texts[0])


def test_a_defect_ends_the_job_and_not_the_runner(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It failed, in words without stored text, and the next job is worked on."""
    with Memory(tmp_path / "x.db", model=Broken()) as memory:
        first, second = memory.start_ingest(folder), memory.start_ingest(folder, embed="later")
        failed = ended(memory, first)
        assert (failed.state, failed.report) == ("failed", None)
        assert failed.error is not None
        assert failed.error.code == "internal"
        assert ended(memory, second).state == "done"
    assert "says something" not in caplog.text + failed.error.detail


def test_how_many_are_kept(memory: Memory, folder: Path) -> None:
    """Of those that have ended the last thousand, beside those that wait; of these a thousand."""
    insert = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) INSERT INTO "
        "job (id, kind, collection, state, request, progress, runner, seen, created) SELECT "
        "? || i, 'ingest', 'default', ?, '{\"paths\": []}', '{}', '', 0, 0 FROM n"
    )
    execute(memory.path, insert, "ended", "done")
    ended(memory, memory.start_ingest(folder))
    kept = memory.jobs(limit=1000, state="done").items
    assert len(kept) == 1000
    assert kept[-1].id == "ended202"
    execute(memory.path, insert, "queued", "queued")
    with pytest.raises(OverloadError):
        memory.start_ingest(folder)
