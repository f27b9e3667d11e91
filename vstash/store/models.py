"""The models that vectors were made with, and the tables of each."""

from __future__ import annotations

import apsw

from vstash.errors import StoreCorruptError
from vstash.store.connection import fetch
from vstash.types import ModelInfo

__all__ = ["active_model", "create_signs", "create_tables", "register_model"]


def register_model(connection: apsw.Connection, info: ModelInfo) -> int:
    """Make a model the file's active one and create its tables.

    Args:
        connection: The write connection inside its transaction.
        info: The model; its dimension is fixed from now on.

    Returns:
        The model's number in the file.
    """
    connection.execute("UPDATE model SET active = 0 WHERE active = 1")
    connection.execute(
        "INSERT INTO model (name, dimension, sha256, max_tokens, pooling, query_prefix, "
        "passage_prefix, background_mean, background_deviation, active) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (
            info.name,
            info.dimension,
            info.sha256,
            info.max_tokens,
            info.pooling,
            info.query_prefix,
            info.passage_prefix,
            info.background_mean,
            info.background_deviation,
        ),
    )
    number = connection.last_insert_rowid()
    if fetch(connection, "SELECT 1 FROM sqlite_schema WHERE name = ?", (f"vector_{number}",)):
        raise StoreCorruptError(
            "The file has lost the row of the model that its vectors are of. Restore a backup, or save "
            "what it holds with `vstash salvage`."
        )
    create_tables(connection, number, info.dimension)
    return number


def create_tables(connection: apsw.Connection, number: int, dimension: int) -> None:
    """Make the tables of a model's vectors and of their signs."""
    connection.execute(
        f"CREATE TABLE vector_{number} (chunk INTEGER PRIMARY KEY REFERENCES chunk (id), "
        f"value BLOB NOT NULL CHECK (length(value) = {4 * dimension})) STRICT"
    )
    create_signs(connection, number, dimension)


def create_signs(connection: apsw.Connection, number: int, dimension: int) -> None:
    """Make the table of the signs of a model's vectors."""
    connection.execute(
        f"CREATE VIRTUAL TABLE coarse_{number} USING vec0 (code bit[{_code_bits(dimension)}])"
    )


def active_model(connection: apsw.Connection) -> tuple[int, ModelInfo] | None:
    """The model that the file's vectors were made with, None in a file without one.

    Exactly one is active; in a file that was changed by hand the newest counts.
    """
    row = connection.execute(
        "SELECT id, name, dimension, sha256, max_tokens, pooling, query_prefix, passage_prefix, "
        "background_mean, background_deviation FROM model ORDER BY active DESC, id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else (row[0], ModelInfo(*row[1:]))


def _code_bits(dimension: int) -> int:
    return -(-dimension // 8) * 8
