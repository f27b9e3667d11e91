"""Integrity of pages, indexes and rows, as SQLite and FTS5 themselves see it."""

from __future__ import annotations

import re
from typing import Final

import apsw

from vstash.store.connection import fetch
from vstash.store.found import Found
from vstash.upkeep import CheckLevel

__all__ = ["page_findings"]

_MOST: Final = 100
# What PRAGMA integrity_check says of a page tree that is whole.
_TOLD: Final = (
    ("index_differs", re.compile(r"row \S+ missing from index|wrong # of entries in index|"
                                 r"non-unique entry in index|row \S+ values differ from index|"
                                 r"rowid not at end-of-record")),
    ("words_damaged", re.compile(r"inverted index for FTS5 table|fts5")),
    ("row_invalid", re.compile(r"CHECK constraint failed in|NULL value in|non-\w+ value in|"
                               r"(NUMERIC|TEXT) value in")),
)  # fmt: skip


def page_findings(connection: apsw.Connection, level: CheckLevel) -> Found:
    """Ask SQLite; FTS5 checks its own index in the same pragma, which needs no write.

    Args:
        connection: In a read transaction, without anything of FTS5 cached.
        level: ``quick`` leaves out indexes and FTS5's own check.

    Yields:
        ``file_damaged`` where nothing else can be trusted; other codes for what stands in sound pages.
    """
    try:
        lines = _quick(connection) if level == "quick" else _told(connection, "integrity_check")
    except (apsw.CorruptError, apsw.SQLError) as error:
        lines = [str(error)]
    for line in lines:
        yield next((code for code, known in _TOLD if known.search(line)), "file_damaged"), [line]


def _quick(connection: apsw.Connection) -> list[str]:
    """Each table alone: FTS5 has no quick check of its own, and reads all of its index."""
    names = fetch(
        connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name",
    )
    quoted = (str(name).replace('"', '""') for (name,) in names)
    return [line for name in quoted for line in _told(connection, f'quick_check("{name}")')]


def _told(connection: apsw.Connection, pragma: str) -> list[str]:
    limit = pragma if "(" in pragma else f"{pragma}({_MOST})"
    rows = [str(row[0]) for row in connection.execute(f"PRAGMA {limit}")]
    return [] if rows == ["ok"] else rows
