"""The schema as the migrations make it, to compare a file's with."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import apsw

from vstash.store.connection import fetch, open_scratch
from vstash.store.migrate import known_migrations, migrate
from vstash.store.models import create_tables

__all__ = ["DERIVED", "SchemaObject", "actual", "expected", "is_derived"]

# Tables that can be made again from others; those of FTS5 and of vectors go by their prefix.
DERIVED: Final = frozenset(
    {
        *("meta", "migration", "posting", "segment", "length_block", "code_run", "awaiting"),
        *("passage", "reply_document", "calibration", "chunk"),
        *("learned", "learned_switch"),
    }
)
_PREFIXES: Final = ("keyword", "vector_", "coarse_")
# Tables of extensions: their SQL is theirs, and may differ by version.
_SHADOW: Final = ("keyword_data", "keyword_idx", "keyword_docsize", "keyword_config", "coarse_")


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """A table, index, trigger or view."""

    kind: str
    name: str
    table: str
    sql: str

    @property
    def virtual(self) -> bool:
        """Whether it is a virtual table."""
        return self.sql.upper().startswith("CREATE VIRTUAL")

    def like(self, other: SchemaObject) -> bool:
        """Whether both were made by the same statement, as far as vstash wrote it."""
        if self.name.startswith(_SHADOW) and not self.virtual:
            return (self.kind, self.table) == (other.kind, other.table)
        ours, theirs = (" ".join(each.sql.split()) for each in (self, other))
        return (self.kind, self.table, ours) == (other.kind, other.table, theirs)


def is_derived(name: str) -> bool:
    """Whether a table holds only what can be made again."""
    return name in DERIVED or name.startswith(_PREFIXES)


def actual(connection: apsw.Connection) -> dict[str, SchemaObject]:
    """What a file has, by name; SQLite's own objects left out."""
    rows = fetch(
        connection,
        "SELECT type, name, tbl_name, sql FROM sqlite_schema "
        "WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )
    return {str(row[1]): SchemaObject(*(str(value or "") for value in row)) for row in rows}


def expected(connection: apsw.Connection) -> dict[str, SchemaObject]:
    """What a file with its models should have, by name, tables first.

    Args:
        connection: To the file, in a transaction.
    """
    with closing(open_scratch()) as scratch:
        migrate(scratch, known_migrations())
        try:
            models = fetch(connection, "SELECT id, dimension FROM model ORDER BY id")
        except apsw.SQLError:
            models = []
        for number, dimension in models:
            create_tables(scratch, int(number), int(dimension))
        made = actual(scratch)
    return dict(sorted(made.items(), key=lambda item: (item[1].kind != "table", item[1].virtual)))
