"""Removing rows that refer to nothing or that nobody can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import apsw

from vstash.store.check_service import readable_job, unlinked
from vstash.store.connection import fetch
from vstash.store.jobs import JobReader

__all__ = ["clean_rows", "remove_orphans"]


def _gone(table: str) -> str:
    """Removes what was of a collection or a model that is not there."""
    return (
        f"DELETE FROM {table} WHERE collection NOT IN (SELECT id FROM collection) "
        "OR model NOT IN (SELECT id FROM model)"
    )


# What refers to something that is not there is of no use; texts, tags and chunks are looked after
# with their documents.
_ORPHANS: Final = (
    "DELETE FROM search WHERE collection NOT IN (SELECT name FROM collection)",
    (
        "DELETE FROM triple WHERE search NOT IN (SELECT number FROM search) "
        "OR positive NOT IN (SELECT id FROM chunk) OR negative NOT IN (SELECT id FROM chunk)"
    ),
    (
        "DELETE FROM feedback WHERE search NOT IN (SELECT number FROM search) "
        "OR document NOT IN (SELECT number FROM document)"
    ),
    (
        "DELETE FROM made_query WHERE document NOT IN (SELECT number FROM document) "
        "OR positive NOT IN (SELECT id FROM chunk)"
    ),
    (
        "DELETE FROM made_triple WHERE made NOT IN (SELECT number FROM made_query) "
        "OR negative NOT IN (SELECT id FROM chunk)"
    ),
    "DELETE FROM mining WHERE collection NOT IN (SELECT id FROM collection)",
    "DELETE FROM search_alias WHERE search NOT IN (SELECT number FROM search)",
    "UPDATE search SET reformulates = NULL WHERE reformulates NOT IN (SELECT number FROM search)",
    "UPDATE feedback SET chunk = NULL WHERE chunk NOT IN (SELECT id FROM chunk)",
    "DELETE FROM posting WHERE segment NOT IN (SELECT id FROM segment)",
    "DELETE FROM awaiting WHERE chunk NOT IN (SELECT id FROM chunk)",
    "DELETE FROM passage WHERE chunk NOT IN (SELECT id FROM chunk)",
    "DELETE FROM code_run WHERE model NOT IN (SELECT id FROM model)",
    "DELETE FROM calibration WHERE model NOT IN (SELECT id FROM model)",
    "DELETE FROM reply_document WHERE reply NOT IN (SELECT id FROM reply)",
    _gone("learned"),
    _gone("learned_switch"),
    *(
        f'UPDATE learned_switch SET "{side}" = NULL WHERE "{side}" NOT IN (SELECT number FROM learned)'
        for side in ("before", "after")
    ),
)
_REMOVED: Final = {
    "log_damaged": "DELETE FROM search WHERE number = ?",
    "triple_damaged": "DELETE FROM triple WHERE id = ?",
    "made_damaged": "DELETE FROM made_query WHERE number = ?",
    "feedback_differs": "DELETE FROM feedback WHERE id = ?",
    "reply_damaged": "DELETE FROM reply WHERE id = ? AND (status NOT BETWEEN 100 AND 599 OR at < 0)",
    "key_damaged": "DELETE FROM access_key WHERE id = ?",
    "learned_damaged": "DELETE FROM learned WHERE number = ?",
}


def clean_rows(connection: apsw.Connection, found: Mapping[str, Sequence[object]]) -> None:
    """Remove what a check found that nobody can read, and make what documents need.

    Args:
        connection: A write connection in a transaction.
        found: By code, the rows.
    """
    for (collection,) in fetch(
        connection,
        "SELECT DISTINCT collection FROM document WHERE collection NOT IN (SELECT id FROM collection)",
    ):
        name = "default" if collection == 1 else f"recovered-{collection}"
        connection.execute("INSERT INTO collection (id, name) VALUES (?, ?)", (collection, name))
    for code, statement in _REMOVED.items():
        connection.executemany(statement, ((row,) for row in found.get(code, ())))
    connection.executemany(
        "UPDATE reply SET headers = '{}', body = NULL WHERE id = ?",
        ((row,) for row in found.get("reply_damaged", ())),
    )
    for model in found.get("calibration_damaged", ()):
        connection.execute(
            "DELETE FROM calibration WHERE model = ?", (int(str(model).removeprefix("model ")),)
        )
    for job in found.get("job_damaged", ()):
        _end_job(connection, str(job))


def _end_job(connection: apsw.Connection, job: str) -> None:
    connection.execute(
        "UPDATE job SET state = 'interrupted', error = NULL, started = coalesce(started, created), "
        "finished = coalesce(finished, seen) WHERE id = ?",
        (job,),
    )
    if not readable_job(JobReader(connection), job):
        connection.execute("DELETE FROM job WHERE id = ?", (job,))


def remove_orphans(connection: apsw.Connection) -> None:
    """Remove rows that refer to nothing, and link replies with the documents that they tell of.

    Args:
        connection: A write connection in a transaction, once chunks are as they should be.
    """
    for statement in _ORPHANS:
        connection.execute(statement)
    connection.executemany(
        "INSERT OR IGNORE INTO reply_document (reply, document) VALUES (?, ?)",
        list(unlinked(connection)),
    )
