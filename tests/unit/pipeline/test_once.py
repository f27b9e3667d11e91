"""Requests applied at most once, below HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from vstash.pipeline.engine import Engine, open_engine
from vstash.replies import Reply, Request
from vstash.types import Document, NewDocument

REQUEST = Request("", "key", b"\0" * 32)
DAY_US = 24 * 60 * 60 * 1_000_000


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000_000_000_000

    def __call__(self) -> int:
        """Microseconds."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that the test moves."""
    return Clock()


@pytest.fixture
def engine(tmp_path: Path, clock: Clock) -> Iterator[Engine]:
    """An empty file."""
    opened = open_engine(tmp_path / "once.db", model="fake", clock=clock)
    yield opened
    opened.close()


def applied(engine: Engine, request: Request = REQUEST, text: str = "Text.") -> Reply:
    """Store a document under a request's key."""
    return engine.once.apply(
        request,
        lambda: engine.writing.add(NewDocument(text)),
        lambda document: Reply(201, {}, document.id),
    )


def documents(engine: Engine) -> int:
    """How many there are."""
    return engine.reporting.stats().documents


def test_a_reply_is_kept_for_a_day(engine: Engine, clock: Clock) -> None:
    """Within it the request is known; after it, it is a new one."""
    first = applied(engine)
    clock.now += DAY_US - 1
    assert applied(engine) == Reply(201, {}, first.body, repeated=True)
    clock.now += 1
    assert applied(engine).body != first.body
    assert documents(engine) == 2


def test_old_replies_go(engine: Engine, clock: Clock) -> None:
    """What is too old to be repeated is removed when others come."""
    for number in range(5):
        applied(engine, Request("", f"old-{number}", b"\0" * 32))
    clock.now += DAY_US
    applied(engine)
    with engine.store.read() as reader:
        kept = [reader.reply(Request("", f"old-{n}", b""), now=0) for n in range(5)]
    assert kept == [None] * 5


def test_owners_do_not_meet(engine: Engine) -> None:
    """The same key of two owners means two requests."""
    first, second = applied(engine), applied(engine, Request("other", "key", b"\0" * 32))
    assert first.body != second.body
    assert not second.repeated


def test_what_fails_is_not_kept(engine: Engine) -> None:
    """A reply that cannot be made takes the write with it, and the request may come again."""

    def fail(_document: Document) -> Reply:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        engine.once.apply(REQUEST, lambda: engine.writing.add(NewDocument("Text.")), fail)
    assert documents(engine) == 0
    assert not applied(engine).repeated


def test_two_processes_at_once(tmp_path: Path) -> None:
    """Two services on one file get the same request at the same moment: one applies it."""
    with ThreadPoolExecutor(2) as pool:
        engines = [open_engine(tmp_path / "both.db", model="fake") for _ in range(2)]
        try:
            for number in range(20):
                request = Request("", f"key-{number}", b"\0" * 32)
                barrier = Barrier(2)

                def race(
                    engine: Engine, request: Request = request, wait: Barrier = barrier
                ) -> Reply:
                    wait.wait()
                    return applied(engine, request)

                one, other = pool.map(race, engines)
                assert one.body == other.body
                assert one.repeated != other.repeated
            assert documents(engines[0]) == 20
        finally:
            for engine in engines:
                engine.close()
