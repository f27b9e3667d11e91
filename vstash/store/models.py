"""The models that vectors were made with, and the tables of each."""

from __future__ import annotations

from typing import NamedTuple

import apsw

from vstash.errors import StoreCorruptError
from vstash.store.connection import fetch
from vstash.types import ModelInfo

__all__ = [
    "Served",
    "activate",
    "active_model",
    "create_signs",
    "create_tables",
    "every_model",
    "knows",
    "numbers",
    "register_model",
    "retire_number",
    "served",
]

_COLUMNS = (
    "id, name, dimension, sha256, max_tokens, pooling, query_prefix, passage_prefix, "
    "background_mean, background_deviation"
)


class Served(NamedTuple):
    """A model in a file: its number, and the digest that says which one it is."""

    number: int
    sha256: str


def register_model(connection: apsw.Connection, info: ModelInfo) -> int:
    """Create the tables of a model that the file does not know, and leave the active one as it is.

    Args:
        connection: The write connection inside its transaction.
        info: The model; its dimension is fixed from now on.

    Returns:
        The model's number in the file, which no other model had before.
    """
    ((number,),) = fetch(
        connection,
        "SELECT 1 + max((SELECT coalesce(max(id), 0) FROM model), "
        "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'model'))",
    )
    connection.execute(
        f"INSERT INTO model ({_COLUMNS}, active) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (
            number,
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
    if fetch(connection, "SELECT 1 FROM sqlite_schema WHERE name = ?", (f"vector_{number}",)):
        raise StoreCorruptError(
            "The file has lost the row of the model that its vectors are of. Restore a backup, or save "
            "what it holds with `vstash salvage`."
        )
    create_tables(connection, number, info.dimension)
    return int(number)


def retire_number(connection: apsw.Connection, number: int) -> None:
    """See to it that a number never comes to stand for another model.

    Args:
        connection: The write connection inside its transaction.
        number: Of a model that is about to go.
    """
    connection.execute(
        "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'model'", (number,)
    )
    if not connection.changes():
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('model', ?)", (number,))


def activate(connection: apsw.Connection, number: int) -> None:
    """Make a model that the file knows its active one."""
    connection.execute("UPDATE model SET active = 0 WHERE active = 1")
    connection.execute("UPDATE model SET active = 1 WHERE id = ?", (number,))


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
        f"SELECT {_COLUMNS} FROM model ORDER BY active DESC, id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else (row[0], ModelInfo(*row[1:]))


def served(connection: apsw.Connection) -> Served | None:
    """The active model as it is told from others, None in a file without one."""
    row = connection.execute(
        "SELECT id, sha256 FROM model ORDER BY active DESC, id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else Served(*row)


def knows(connection: apsw.Connection, model: Served) -> bool:
    """Whether the file has an index of this very model under its number."""
    rows = fetch(connection, "SELECT 1 FROM model WHERE id = ? AND sha256 = ?", model)
    return bool(rows)


def numbers(connection: apsw.Connection) -> list[int]:
    """The numbers of all models that have an index in the file, the oldest first."""
    return [int(row[0]) for row in fetch(connection, "SELECT id FROM model ORDER BY id")]


def every_model(connection: apsw.Connection) -> list[tuple[int, ModelInfo]]:
    """The models that have an index in the file, with their numbers, the oldest first."""
    rows = fetch(connection, f"SELECT {_COLUMNS} FROM model ORDER BY id")
    return [(int(row[0]), ModelInfo(*row[1:])) for row in rows]


def _code_bits(dimension: int) -> int:
    return -(-dimension // 8) * 8
