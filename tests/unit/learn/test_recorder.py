"""The log is written behind the reply, and what was not written is counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from vstash.learn.recorder import Recorder


def test_rows_are_stored_in_order_behind_the_caller() -> None:
    """What is recorded is written by another thread, in order, by the time flush returns."""
    seen: list[tuple[int, str]] = []

    def write(rows: Sequence[int]) -> int:
        seen.extend((row, threading.current_thread().name) for row in rows)
        return len(rows)

    recorder = Recorder(write)
    for row in range(100):
        recorder.record(row)
    recorder.flush()
    assert [row for row, _ in seen] == list(range(100))
    assert {name for _, name in seen} == {"vstash-log"}
    assert recorder.dropped == 0
    recorder.close()


def test_rows_that_come_together_are_stored_together() -> None:
    """A write waits a moment for others, so that many searches cost one; asking for it ends the wait."""
    writes: list[int] = []

    def write(rows: Sequence[int]) -> int:
        writes.append(len(rows))
        return len(rows)

    recorder = Recorder(write)
    for row in range(20):
        recorder.record(row)
    recorder.flush()
    assert writes == [20]
    recorder.record(20)
    recorder.close()
    assert writes == [20, 1]


def test_rows_that_were_not_stored_are_counted() -> None:
    """A writer that says no makes the count grow, and later rows go on."""
    recorder: Recorder[int] = Recorder(lambda rows: sum(row % 3 == 0 for row in rows))
    for row in range(9):
        recorder.record(row)
    recorder.flush()
    assert recorder.dropped == 6
    recorder.close()


def test_a_full_queue_drops_and_never_waits() -> None:
    """While the writer hangs, recording returns at once and counts what found no room."""
    go_on = threading.Event()
    recorder: Recorder[int] = Recorder(lambda rows: len(rows) if go_on.wait(20) else 0)
    begin = time.monotonic()
    for row in range(1500):
        recorder.record(row)
    assert time.monotonic() - begin < 10
    # Up to a hundred rows are in the writer's hands, a thousand in the queue.
    assert 400 <= recorder.dropped <= 500
    dropped = recorder.dropped
    go_on.set()
    recorder.flush()
    assert recorder.dropped == dropped
    recorder.close()


def test_closing_stores_what_is_queued() -> None:
    """close() leaves nothing behind, ends the thread, and may be called again."""
    seen: list[int] = []

    def write(rows: Sequence[int]) -> int:
        time.sleep(0.002)
        seen.extend(rows)
        return len(rows)

    before = set(threading.enumerate())
    recorder = Recorder(write)
    for row in range(50):
        recorder.record(row)
    recorder.close()
    recorder.close()
    assert seen == list(range(50))
    assert set(threading.enumerate()) <= before


def test_closing_does_not_wait_for_ever() -> None:
    """A writer that hangs holds close() for about two seconds, no longer."""
    go_on = threading.Event()
    recorder: Recorder[int] = Recorder(lambda rows: len(rows) if go_on.wait(20) else 0)
    recorder.record(1)
    begin = time.monotonic()
    recorder.close()
    assert time.monotonic() - begin < 6
    go_on.set()


def test_an_idle_recorder_has_no_thread() -> None:
    """Before the first row nothing is started, and flush and close return at once."""
    before = threading.active_count()
    recorder: Recorder[int] = Recorder(len)
    recorder.flush()
    recorder.close()
    assert threading.active_count() == before


def test_a_flush_that_comes_while_it_is_closed() -> None:
    """Whoever waits for the log while another closes it does not wait for ever."""
    writing, go_on = threading.Event(), threading.Event()

    def write(rows: Sequence[int]) -> int:
        writing.set()
        go_on.wait(10)
        return len(rows)

    recorder = Recorder(write)
    recorder.record(1)
    assert writing.wait(10)
    closing = threading.Thread(target=recorder.close)
    closing.start()
    while not recorder._queue.qsize():
        time.sleep(0.001)
    flushing = threading.Thread(target=recorder.flush, daemon=True)
    flushing.start()
    while recorder._queue.qsize() < 2:
        time.sleep(0.001)
    go_on.set()
    flushing.join(10)
    assert not flushing.is_alive()
    closing.join()
