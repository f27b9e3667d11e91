"""Whatever is changed by hand is found by a check and set right by a repair."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from tests.faults.drifts import DRIFTS, base_in, flaws, measure, planted, tried
from vstash import Memory
from vstash.errors import StoreCorruptError, StoreReadOnlyError
from vstash.findings import KINDS
from vstash.pipeline.engine import open_engine
from vstash.store.connection import fetch

# Those that a table as a whole hangs on, and one of each kind of repair.
CHOSEN = (
    "a text changed",
    "a document's row removed",
    "a span moved",
    "a segment's last chunk too low",
    "a segment cut from FTS5's structure",
    "a vector of another chunk",
    "normaliser removed",
    "an index that lacks rows",
)


def test_drifts_are_found_and_repaired(tmp_path: Path) -> None:
    """Every chosen drift is named, gone after a repair, and no text, title or tag is another."""
    base = base_in(tmp_path)
    chosen = [drift for drift in DRIFTS if drift.name in CHOSEN]
    assert len(chosen) == len(CHOSEN)
    found = {
        drift.name: flaws(drift, tried(base, drift, tmp_path / f"{number}.db"))
        for number, drift in enumerate(chosen)
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_the_measurement_and_its_controls() -> None:
    """Drifts by chance: none wrong; an untouched file has no finding, and an unrepaired one keeps its own."""
    figures = measure(6, 7)
    assert figures["wrong"] == {}
    assert figures["control_untouched"] == []
    assert figures["control_unrepaired"] == figures["control_unrepaired_of"]
    assert figures["control_unrepaired"]


def test_there_are_drifts_of_every_kind() -> None:
    """Each finding that is not about damaged pages or values has a drift; names are distinct."""
    named = {drift.code for drift in DRIFTS if drift.found}
    others = {"file_damaged", "table_damaged", "value_damaged", "table_missing", "row_invalid"}
    others |= {"table_unknown", "document_invalid", "length_orphaned"}
    assert set(KINDS) - named == others
    assert len({drift.name for drift in DRIFTS}) == len(DRIFTS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed file with one document."""
    target = tmp_path / "x.db"
    with Memory(target, model="fake") as memory:
        memory.add("The amber lamp is lit.", key="lamp")
    return target


def test_damaged_pages_are_not_repaired(path: Path) -> None:
    """Where nothing can be trusted a repair refuses, names what to do, and changes nothing."""
    with planted(path) as connection:
        pages = int(str(connection.pragma("page_count")))
        root = fetch(connection, "SELECT rootpage FROM sqlite_schema WHERE name = 'text_part'")[0][
            0
        ]
    whole = bytearray(path.read_bytes())
    size = len(whole) // pages
    whole[(root - 1) * size : (root - 1) * size + 40] = b"\xff" * 40
    path.write_bytes(bytes(whole))
    with (
        Memory(path, model="fake") as memory,
        pytest.raises(StoreCorruptError, match=r"(?s)restore.*salvage"),
    ):
        memory.repair()
    assert not (path.parent / "backups").exists()


def test_a_repair_that_fails_changes_nothing(path: Path) -> None:
    """At each of its steps: the file is what it was, with what was found."""
    with planted(path) as connection:
        connection.execute("DELETE FROM posting; DELETE FROM vector_1")
    steps: list[str] = []

    class _StopError(Exception):
        pass

    last = 0

    def stop(name: str) -> None:
        steps.append(name)
        if len(steps) == last:
            raise _StopError

    while "commit" not in steps:
        steps.clear()
        last += 1
        engine = open_engine(path, model="fake", crash_point=stop)
        try:
            with pytest.raises(_StopError):
                engine.upkeep.repairing.repair()
        finally:
            engine.close()
        found = _codes(path)
        assert {"postings_differ", "vector_missing"} <= found, steps
    assert last > 6
    with Memory(path, model="fake") as memory:
        assert memory.repair().ok
    assert _codes(path) == set()


def _codes(path: Path) -> set[str]:
    with Memory(path, model="fake") as memory:
        return {finding.code for finding in memory.check().findings}


def test_others_see_a_repair(path: Path) -> None:
    """A process that has the file open searches with what the repair made, not with what it kept."""
    with Memory(path, model="fake") as other, Memory(path, model="fake") as memory:
        with planted(path) as connection:
            connection.execute("DELETE FROM posting")
            connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'change_counter'")
        assert other.search("amber", mode="keyword").hits == ()
        assert memory.repair().ok
        assert [hit.document.key for hit in other.search("amber", mode="keyword").hits] == ["lamp"]


def test_a_repair_needs_a_writable_file(path: Path) -> None:
    """Checked it can be, in a folder that cannot be written; repaired it cannot."""
    with planted(path) as connection:
        connection.execute("DELETE FROM posting")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    engine = open_engine(path, model="fake")
    engine.store.immutable = True
    try:
        assert not engine.upkeep.checking.check().ok
        with pytest.raises(StoreReadOnlyError):
            engine.upkeep.repairing.repair()
    finally:
        engine.close()


def test_fts5_is_checked_without_a_write(path: Path) -> None:
    """SQLite's integrity check asks FTS5, which 'integrity-check' would do by an INSERT."""
    with planted(path) as connection:
        connection.execute("UPDATE keyword_data SET block = zeroblob(40) WHERE id > 10")
        connection.execute("PRAGMA query_only = ON")
        with pytest.raises(apsw.ReadOnlyError):
            connection.execute("INSERT INTO keyword (keyword) VALUES ('integrity-check')")
        told = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    assert told != ["ok"]
    assert "words_damaged" in _codes(path) | {"words_damaged" if "FTS5" in told[0] else ""}
