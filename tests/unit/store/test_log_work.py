"""What the log costs as it grows, in steps of SQLite's machine, which are the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from vstash import Memory
from vstash.store.learned import LearnedReader
from vstash.store.log import trim

PLACES = (
    "INSERT INTO search (id, at, query, collection, mode, strategy, weights, k, disagreement, vector_leg, "
    "keyword_leg) VALUES (?1, ?2, ?1, ?3, 'hybrid', 'score', '[]', 10, 0, '[]', '[]')"
)


@pytest.fixture
def file(tmp_path: Path) -> apsw.Connection:
    """A file without a search."""
    with Memory(tmp_path / "x.db", model="fake") as memory:
        memory.add("tea", key="tea")
    return apsw.Connection(str(tmp_path / "x.db"))


def fill(connection: apsw.Connection, searches: int, collection: str) -> None:
    """Log some."""
    with connection:
        for number in range(searches):
            connection.execute(PLACES, (f"{collection} {number}", number + 1, collection))


def steps(connection: apsw.Connection, work: Callable[[], object]) -> int:
    """How many steps something takes."""
    count = 0

    def step() -> bool:
        nonlocal count
        count += 1
        return False

    connection.set_progress_handler(step, 1)
    work()
    connection.set_progress_handler(None)
    return count


def test_a_long_log_is_not_read_to_be_kept_short(file: apsw.Connection) -> None:
    """Each write of the log asks whether it is too long; only one that is gets counted."""
    taken = []
    for searches in (10, 1_000):
        fill(file, searches, f"of {searches}")
        taken.append(steps(file, lambda: trim(file, rows=5_000, oldest=0, oldest_alias=0)))
    assert taken[0] == taken[1]
    assert steps(file, lambda: trim(file, rows=500, oldest=0, oldest_alias=0)) > taken[1] + 500


def test_the_log_is_gone_through_once_for_all_collections(file: apsw.Connection) -> None:
    """To see what there is to learn, however many collections nobody searches."""
    with file:
        for number in range(200):
            file.execute("INSERT INTO collection (name) VALUES (?)", (f"c{number}",))
    fill(file, 500, "c7")
    fill(file, 3, "default")
    found: list[tuple[str, int | None, int]] = []
    taken = steps(file, lambda: found.extend(LearnedReader(file).traffic(1, 100)))
    assert {name: searches for name, _, searches in found if searches} == {"c7": 100, "default": 3}
    assert len(found) == 201
    assert taken < 50 * (200 + 503)
