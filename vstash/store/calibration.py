"""What was learnt of the file: how relevance follows from evidence, by model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import apsw

from vstash.store.connection import fetch
from vstash.store.faults import UNREADABLE
from vstash.store.found import Found, Rules, Tick

__all__ = ["calibration", "calibration_findings", "clear_calibration", "set_calibration"]

_NUMBERS: Final = 6
"""A weight for each of five features, and the intercept."""
# A model's description is held to the same.
_MOST: Final = 1000.0


def calibration(connection: apsw.Connection, model: int) -> tuple[float, ...] | None:
    """What was learnt for a model, None for nothing and for what is damaged.

    Args:
        connection: In a transaction.
        model: The model's number in the file.
    """
    try:
        rows = fetch(connection, "SELECT weights FROM calibration WHERE model = ?", (model,))
    except (apsw.CorruptError, apsw.SQLError, *UNREADABLE):
        return None
    return _numbers(rows[0][0]) if rows else None


def _numbers(stored: object) -> tuple[float, ...] | None:
    """The weights with the intercept last, None where they are not what vstash writes."""
    try:
        values = json.loads(str(stored))
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != _NUMBERS:
        return None
    sound = all(type(value) in {int, float} and abs(value) < _MOST for value in values)
    return tuple(map(float, values)) if sound else None


def set_calibration(
    connection: apsw.Connection, model: int, weights: Sequence[float], *, queries: int, now: int
) -> None:
    """Store what was learnt in place of what was before.

    Args:
        connection: The write connection inside its transaction.
        model: The model's number in the file.
        weights: The intercept last.
        queries: How many probes it was learnt from.
        now: Microseconds since the epoch.
    """
    connection.execute(
        "INSERT OR REPLACE INTO calibration (model, weights, queries, fitted_at) "
        "VALUES (?, ?, ?, ?)",
        (model, json.dumps([*weights]), queries, now),
    )


def clear_calibration(connection: apsw.Connection, model: int) -> bool:
    """Forget what was learnt for a model; returns whether there was anything."""
    connection.execute("DELETE FROM calibration WHERE model = ?", (model,))
    return connection.changes() > 0


def calibration_findings(connection: apsw.Connection, _rules: Rules, _tick: Tick) -> Found:
    """What is stored and cannot be used."""
    rows = connection.execute(
        "SELECT model, CAST(weights AS BLOB), queries > 0 AND fitted_at > 0 FROM calibration"
    )
    yield (
        "calibration_damaged",
        [
            f"model {model}"
            for model, stored, sound in rows
            if not sound or _numbers(bytes(stored).decode("utf-8", "replace")) is None
        ],
    )
