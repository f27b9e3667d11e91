"""Making tables and indexes that are missing and derived, and removing what vstash did not make."""

from __future__ import annotations

import apsw

from vstash.store.keyword import restore_format
from vstash.store.schema import SchemaObject, actual, expected, is_derived

__all__ = ["restore_schema"]


def restore_schema(connection: apsw.Connection) -> bool:
    """Bring the schema to what the migrations make, as far as no content is lost.

    Args:
        connection: A write connection in a transaction.

    Returns:
        Whether a table was made, so that what is in it must be derived.
    """
    wanted = expected(connection)
    for name, thing in actual(connection).items():
        own = wanted.get(name)
        planted = own is None and (thing.kind != "table" or is_derived(name))
        changed = own is not None and thing.kind != "table" and not thing.like(own)
        if planted or changed:
            _drop(connection, thing)
    made = False
    for name, thing in wanted.items():
        # A virtual table makes others.
        if name not in actual(connection) and (thing.kind != "table" or is_derived(name)):
            made = _make(connection, thing, wanted) or made
    return made


def _drop(connection: apsw.Connection, thing: SchemaObject) -> None:
    # Dropping a virtual table or a table drops others that are still to come.
    if thing.name in actual(connection):
        connection.execute(f"DROP {thing.kind} {_quoted(thing.name)}")


def _make(
    connection: apsw.Connection, thing: SchemaObject, wanted: dict[str, SchemaObject]
) -> bool:
    if thing.virtual:
        # What is left of its own tables is in the way of making it.
        for name in actual(connection):
            if name.startswith(f"{thing.name}_") and not wanted[name].virtual:
                connection.execute(f"DROP TABLE {_quoted(name)}")
    connection.execute(thing.sql)
    if thing.name == "keyword_config":
        restore_format(connection)
    return thing.kind == "table"


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
