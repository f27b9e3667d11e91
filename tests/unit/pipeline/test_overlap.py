"""Work done ahead comes back in order, bounded, and with its errors in place."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from vstash.pipeline.overlap import overlapped


def test_results_come_in_the_order_of_the_items() -> None:
    """However long each takes."""

    def work(number: int) -> int:
        time.sleep(0.002 * (5 - number % 5))
        return number * 10

    assert list(overlapped(range(20), work, workers=3)) == [number * 10 for number in range(20)]


def test_nothing_gives_nothing() -> None:
    """No items, no results."""
    assert list(overlapped([], str, workers=1)) == []


def test_little_is_taken_ahead() -> None:
    """Of an endless source only one item more than there are workers is taken before it is asked."""
    taken = 0

    def source() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = overlapped(source(), str, workers=2)
    assert next(results) == "1"
    assert taken == 3
    assert next(results) == "2"
    assert taken == 4
    results.close()  # type: ignore[attr-defined] # a generator behind the Iterator


def test_an_error_comes_in_its_place() -> None:
    """What came before it is handed on; the source is not read further."""

    def work(number: int) -> int:
        if number == 3:
            raise ValueError(number)
        return number

    results = overlapped(range(100), work, workers=1)
    assert [next(results), next(results), next(results)] == [0, 1, 2]
    with pytest.raises(ValueError, match="3"):
        next(results)


def test_the_work_is_done_beside_the_caller() -> None:
    """While the caller works on one result, the next is being made: both wait for each other."""
    made, taken = threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number == 1:
            made.set()
            assert taken.wait(10)
        return number

    results = overlapped(range(2), work, workers=1)
    assert next(results) == 0
    assert made.wait(10)
    taken.set()
    assert next(results) == 1


def test_no_thread_is_left(request: pytest.FixtureRequest) -> None:
    """Also where the results are not taken to the end."""
    results = overlapped(range(100), str, workers=2)
    next(results)
    results.close()  # type: ignore[attr-defined] # a generator behind the Iterator
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith("vstash-ahead")]
