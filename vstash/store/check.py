"""Integrity: everything that is derived, compared with the text that it was derived from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import apsw
import numpy as np

from vstash.errors import StoreCorruptError
from vstash.reports import Finding
from vstash.store import documents, vectors
from vstash.store.check_words import finding, words
from vstash.store.connection import fetch
from vstash.store.faults import UNREADABLE
from vstash.store.rows import content_hash

__all__ = ["CheckResult", "run"]

_NORM_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Findings, and how much was looked at."""

    findings: tuple[Finding, ...]
    documents: int
    chunks: int


def run(connection: apsw.Connection, normalise: Callable[[str], str]) -> CheckResult:
    """Compare the whole file with itself.

    Args:
        connection: In a read transaction, so that writers do not disturb the comparison.
        normalise: Derives the words of a text.

    Returns:
        No findings when SQLite, text, words, vectors, codes, counters and log agree.
    """
    pages = _pages(connection)
    if pages:
        # Rows of damaged pages cannot be trusted to be compared.
        return CheckResult(tuple(pages), 0, 0)
    findings: list[Finding] = []
    for part in (
        _text(connection),
        words(connection, normalise),
        _vectors(connection),
        _counters(connection),
        _references(connection),
    ):
        try:
            findings.extend(part)
        except (apsw.CorruptError, StoreCorruptError, *UNREADABLE) as error:  # noqa: PERF203 - five parts, not a hot loop
            message = "A stored value cannot be read: restore a backup."
            findings.extend(finding("value_damaged", message, [type(error).__name__]))
    counts = fetch(
        connection, "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM chunk)"
    )[0]
    return CheckResult(tuple(findings), int(counts[0]), int(counts[1]))


def _pages(connection: apsw.Connection) -> list[Finding]:
    try:
        rows = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(100)")]
    except apsw.CorruptError as error:
        rows = [str(error)]
    message = "SQLite finds the file damaged: restore a backup."
    return [] if rows == ["ok"] else list(finding("file_damaged", message, rows))


def _text(connection: apsw.Connection) -> Iterator[Finding]:
    wrong_hash, wrong_length, bad_span, no_chunk = [], [], [], []
    rows = connection.execute(
        "SELECT number, id, title, metadata, content_hash, char_count FROM document"
    )
    for number, document_id, title, metadata, digest, length in rows:
        text = documents.read_text(connection, number)
        if len(text) != length:
            wrong_length.append(document_id)
        tags = [
            row[0]
            for row in connection.execute(
                "SELECT tag FROM tag WHERE document = ? ORDER BY tag", (number,)
            )
        ]
        if content_hash(text, title, tags, metadata) != digest:
            wrong_hash.append(document_id)
        bounds = fetch(
            connection,
            'SELECT count(*), coalesce(max("end"), 0), coalesce(max(seq), -1) + 1 FROM chunk '
            "WHERE document = ?",
            (number,),
        )[0]
        if bounds[0] == 0:
            no_chunk.append(document_id)
        elif bounds[1] > length or bounds[2] != bounds[0]:
            bad_span.append(document_id)
    yield from finding(
        "text_length", "A document's text is longer or shorter than recorded.", wrong_length
    )
    yield from finding("text_hash", "A document's content does not match its hash.", wrong_hash)
    yield from finding("chunk_missing", "A document has no chunks: store it again.", no_chunk)
    yield from finding("chunk_span", "Chunks lie outside their document or are missing.", bad_span)


def _vectors(connection: apsw.Connection) -> Iterator[Finding]:
    model = vectors.active_model(connection)
    if model is None:
        return
    number, info = model
    absent = connection.execute(
        f"SELECT id FROM chunk WHERE id NOT IN (SELECT chunk FROM vector_{number})"
    )
    yield from finding("vector_missing", "Chunks have no vector.", (row[0] for row in absent))
    orphans = connection.execute(
        f"SELECT chunk FROM vector_{number} WHERE chunk NOT IN (SELECT id FROM chunk)"
    )
    yield from finding(
        "vector_orphaned", "Vectors of chunks that do not exist.", (row[0] for row in orphans)
    )
    invalid, stale = [], []
    coded: dict[int, bytes] = dict(connection.execute(f"SELECT rowid, code FROM coarse_{number}"))
    for chunk, value in connection.execute(f"SELECT chunk, value FROM vector_{number}"):
        vector = np.frombuffer(value, dtype="<f4")
        norm = float(np.linalg.norm(vector))
        if len(vector) != info.dimension or not abs(norm - 1) <= _NORM_TOLERANCE:
            invalid.append(chunk)
        if coded.pop(chunk, None) != bytes(vectors.sign_codes(vector[np.newaxis, :])[0]):
            stale.append(chunk)
    yield from finding("vector_invalid", "Vectors are not of length 1.", invalid)
    yield from finding("code_differs", "Codes are missing or do not match their vectors.", stale)
    yield from finding("code_orphaned", "Codes of chunks that have no vector.", coded)


def _counters(connection: apsw.Connection) -> Iterator[Finding]:
    row = connection.execute(
        "SELECT value, (SELECT count(*) FROM chunk) FROM meta WHERE name = 'chunk_count'"
    ).fetchone()
    if row is None or row[0] != row[1]:
        yield Finding("counter_differs", "The count of chunks is wrong.", 1, ("chunk_count",))


def _references(connection: apsw.Connection) -> Iterator[Finding]:
    rows = connection.execute("PRAGMA foreign_key_check")
    yield from finding(
        "reference_broken",
        "Rows refer to others that do not exist.",
        (f"{a}:{b}" for a, b, *_ in rows),
    )
