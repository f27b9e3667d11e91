"""Integrity of the numbers that a file keeps of itself."""

from __future__ import annotations

from typing import Final

import apsw

from vstash.store.codes import CODER_VERSION
from vstash.store.connection import fetch
from vstash.store.found import Found, Rules, Tick
from vstash.store.leftovers import PURGE_MARK

__all__ = ["COUNTED", "MARKS", "META", "NEWEST_CHANGE", "counter_findings"]

META: Final = frozenset(
    {
        *("chunk_count", "awaiting_count", "change_counter", "normaliser", "coder"),
        *("code_cursor", "derived_anew"),
    }
)
# There while something that was asked for is not finished, and once a model was switched.
MARKS: Final = frozenset({PURGE_MARK, "model_building", "model_removing", "evidence_after"})
COUNTED: Final = {"chunk_count": "chunk", "awaiting_count": "awaiting"}
NEWEST_CHANGE: Final = (
    "max((SELECT coalesce(max(changed), 0) FROM length_block), "
    "(SELECT coalesce(max(counter), 0) FROM code_run))"
)


def counter_findings(connection: apsw.Connection, rules: Rules, _tick: Tick) -> Found:
    """Compare the counters with what they count.

    Args:
        connection: In a read transaction.
        rules: Name the version that words must be of.
    """
    held = dict(fetch(connection, "SELECT name, value FROM meta"))
    yield "counter_differs", sorted(map(str, (set(held) - MARKS) ^ META))
    sound = {
        name: value
        for name, value in held.items()
        if name in META | MARKS and type(value) is int and value >= 0
    }
    yield (
        "counter_differs",
        sorted(name for name in META | MARKS if name in held and name not in sound),
    )
    for name, table in COUNTED.items():
        count = fetch(connection, f"SELECT count(*) FROM {table}")[0][0]
        if sound.get(name, count) != count:
            yield "counter_differs", [name]
    if sound.get("normaliser", rules.version) != rules.version:
        yield "counter_differs", ["normaliser"]
    # A file that cannot be written may be of older rules: it is searched without its codes.
    if sound.get("coder", 0) > CODER_VERSION:
        yield "counter_differs", ["coder"]
    newest = fetch(connection, f"SELECT {NEWEST_CHANGE}")[0][0]
    if sound.get("change_counter", newest) < newest:
        yield "counter_differs", ["change_counter"]
