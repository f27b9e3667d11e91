"""Models of a file, and the tables of their vectors."""

from __future__ import annotations

import apsw

from vstash.types import ModelInfo

__all__ = ["create_signs", "create_tables", "register_model"]


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


def _code_bits(dimension: int) -> int:
    return -(-dimension // 8) * 8
