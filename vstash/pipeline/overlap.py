"""Work done ahead in other threads, while what is ready is taken in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

__all__ = ["overlapped"]

Given = TypeVar("Given")
Made = TypeVar("Made")


def overlapped(
    items: Iterable[Given], work: Callable[[Given], Made], *, workers: int
) -> Iterator[Made]:
    """Do work on items in other threads and yield the results in the order of the items.

    At most one item more than there are workers is ahead of what was taken, so that memory stays
    bounded. An error of the work is raised in its place, and what is ahead of it is dropped. A deadline
    of the caller holds in those threads too. Where the system gives no thread, the caller's works.

    Args:
        items: Taken in the caller's thread, when there is room.
        work: Called with one item.
        workers: Threads, at least 1.

    Example:
        >>> list(overlapped([1, 2, 3], lambda number: number * 10, workers=2))
        [10, 20, 30]
    """
    ahead: deque[Future[Made]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="vstash-ahead")
    try:
        for item in items:
            ahead.append(_submitted(pool, partial(copy_context().run, work, item)))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submitted(pool: ThreadPoolExecutor, work: Callable[[], Made]) -> Future[Made]:
    try:
        return pool.submit(work)
    except RuntimeError:
        done: Future[Made] = Future()
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised in its place
            done.set_exception(error)
        return done
