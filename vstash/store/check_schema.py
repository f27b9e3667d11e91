"""Integrity of the schema, of the record of migrations, and of the ids that are given next."""

from __future__ import annotations

from typing import Final

import apsw

from vstash.store.connection import fetch
from vstash.store.found import Found, Rules, Tick
from vstash.store.migrate import known_migrations
from vstash.store.schema import actual, expected, is_derived

__all__ = ["HIGHEST", "schema_findings"]

# The highest id of each kind that anything in the file knows of.
HIGHEST: Final = {
    "chunk": "max((SELECT coalesce(max(id), 0) FROM chunk), "
    "(SELECT coalesce(max(last), 0) FROM segment))",
    "document": "(SELECT coalesce(max(number), 0) FROM document)",
    "search": "(SELECT coalesce(max(number), 0) FROM search)",
    "job": "(SELECT coalesce(max(number), 0) FROM job)",
    "made_query": "(SELECT coalesce(max(number), 0) FROM made_query)",
}


def schema_findings(connection: apsw.Connection, _rules: Rules, _tick: Tick) -> Found:
    """Compare the schema with what the migrations make.

    Args:
        connection: In a read transaction.
    """
    there, wanted = actual(connection), expected(connection)
    for name, thing in wanted.items():
        known = there.get(name)
        if known is None or not known.like(thing):
            lost = thing.kind == "table" and (known is not None or not is_derived(name))
            yield ("table_missing" if lost else "schema_differs"), [name]
    for name, thing in there.items():
        if name not in wanted:
            kept = thing.kind == "table" and not is_derived(name)
            yield ("table_unknown" if kept else "schema_differs"), [f"{thing.kind} {name}"]
    yield from _migrations(connection)
    yield from _models(connection)
    for table, highest in HIGHEST.items():
        low = fetch(
            connection,
            "SELECT coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = ?), 0) "
            f"< {highest}",
            (table,),
        )
        if low[0][0]:
            yield "sequence_low", [table]


def _migrations(connection: apsw.Connection) -> Found:
    rows = fetch(connection, "SELECT version, name, sha256 FROM migration")
    recorded = {(int(version), str(name), str(digest)) for version, name, digest in rows}
    known = {(step.version, step.name, step.sha256) for step in known_migrations()}
    yield "migration_differs", sorted({version for version, *_ in recorded ^ known})
    untimed = fetch(connection, "SELECT version FROM migration WHERE applied_at <= 0")
    yield "migration_differs", [row[0] for row in untimed]


def _models(connection: apsw.Connection) -> Found:
    rows = fetch(
        connection,
        "SELECT id, active, length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*' AND name <> '' "
        "AND max_tokens > 0 AND dimension > 0 AND background_deviation > 0 FROM model ORDER BY id",
    )
    if rows and sum(row[1] for row in rows) != 1:
        yield "model_differs", [f"model {row[0]}" for row in rows]
    yield "model_differs", [f"model {row[0]}" for row in rows if not row[2]]
