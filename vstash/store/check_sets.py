"""Integrity of sets: the chunks that there are, in every index that must know exactly those."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import numpy as np

from vstash.store import models
from vstash.store.check_fts import counted_rows, misconfigured
from vstash.store.connection import fetch
from vstash.store.found import Found, Rules, Tick
from vstash.store.lengths import all_lengths

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = ["set_findings"]


def set_findings(connection: apsw.Connection, _rules: Rules, _tick: Tick) -> Found:
    """Compare the chunks with those that words, lengths, vectors and signs are of.

    Args:
        connection: In a read transaction.
    """
    chunks = _ids(connection, "SELECT id FROM chunk ORDER BY id")
    yield from _words(connection, chunks)
    active = models.served(connection)
    awaiting = _ids(connection, "SELECT chunk FROM awaiting ORDER BY chunk")
    numbers = models.numbers(connection)
    if len(numbers) <= 1:
        # A chunk whose caller brought its vector for one model may await one of another.
        undigested = fetch(
            connection, "SELECT chunk FROM awaiting WHERE chunk NOT IN (SELECT chunk FROM passage)"
        )
        yield "passage_missing", [row[0] for row in undigested]
    for number in numbers:
        is_active = active is not None and number == active.number
        yield from _vectors(connection, number, chunks, awaiting if is_active else None)
    if active is not None:
        yield from _runs(connection)


def _vectors(
    connection: apsw.Connection, number: int, chunks: IdArray, awaiting: IdArray | None
) -> Found:
    """Compare one model's vectors and signs with the chunks; only the active one must have them all."""
    there = _ids(connection, f"SELECT chunk FROM vector_{number} ORDER BY chunk")
    signs = _ids(connection, f"SELECT rowid FROM coarse_{number}_rowids ORDER BY rowid")
    if awaiting is not None:
        lacking = np.setdiff1d(np.setdiff1d(chunks, there), awaiting)
        yield "vector_missing", lacking.tolist()
        yield "awaiting_differs", np.intersect1d(awaiting, there).tolist()
    yield "vector_orphaned", np.setdiff1d(there, chunks).tolist()
    yield "code_differs", np.setdiff1d(np.intersect1d(there, chunks), signs).tolist()
    yield "code_orphaned", np.setdiff1d(signs, there).tolist()


def _words(connection: apsw.Connection, chunks: IdArray) -> Found:
    if misconfigured(connection):
        yield "words_damaged", ["version"]
    indexed = _ids(connection, "SELECT id FROM keyword_docsize ORDER BY id")
    yield "words_missing", np.setdiff1d(chunks, indexed).tolist()
    yield "words_orphaned", np.setdiff1d(indexed, chunks).tolist()
    if counted_rows(connection) != len(chunks):
        yield "words_uncounted", ["all"]
    measured = np.flatnonzero(all_lengths(connection))
    yield "length_differs", np.setdiff1d(chunks, measured).tolist()
    yield "length_orphaned", np.setdiff1d(measured, chunks).tolist()
    rows = connection.execute("SELECT block FROM length_block WHERE changed < 0")
    yield "length_differs", (f"block {row[0]}" for row in rows)


def _runs(connection: apsw.Connection) -> Found:
    rows = connection.execute(
        "SELECT id FROM code_run WHERE level NOT BETWEEN 0 AND 3 OR late NOT IN (0, 1) "
        "OR model NOT IN (SELECT id FROM model) OR counter NOT BETWEEN 0 AND "
        "(SELECT value FROM meta WHERE name = 'change_counter')"
    )
    yield "code_run_differs", (row[0] for row in rows)


def _ids(connection: apsw.Connection, sql: str) -> IdArray:
    rows = fetch(connection, sql)
    return np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
