"""Integrity: everything that is derived, compared with the text that it was derived from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import apsw

from vstash.errors import StoreCorruptError
from vstash.reports import Finding
from vstash.store import documents
from vstash.store.calibration import calibration_findings
from vstash.store.check_vectors import vector_findings
from vstash.store.check_words import finding, words
from vstash.store.connection import fetch
from vstash.store.faults import UNREADABLE, is_malformed
from vstash.store.rows import content_hash

__all__ = ["CheckResult", "run"]


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
        vector_findings(connection),
        _counters(connection),
        _references(connection),
        calibration_findings(connection),
    ):
        try:
            findings.extend(part)
        except (apsw.SQLError, apsw.CorruptError, StoreCorruptError, *UNREADABLE) as error:  # noqa: PERF203 - six parts, not a hot loop
            code, message = "value_damaged", "A stored value cannot be read: restore a backup."
            if isinstance(error, apsw.SQLError) and not is_malformed(error):
                code = "table_damaged"
                message = "A table that vstash made is missing or changed: restore a backup."
            findings.extend(finding(code, message, [type(error).__name__]))
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
        "SELECT number, id, title, json(metadata), digest, char_count FROM document"
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
        if content_hash(text, title, tags, metadata) != digest.hex():
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


def _counters(connection: apsw.Connection) -> Iterator[Finding]:
    for name, table in (("chunk_count", "chunk"), ("awaiting_count", "awaiting")):
        row = connection.execute(
            f"SELECT value, (SELECT count(*) FROM {table}) FROM meta WHERE name = ?", (name,)
        ).fetchone()
        if row is None or row[0] != row[1]:
            message = "A count that the file keeps is wrong."
            yield Finding("counter_differs", message, 1, (name,))


def _references(connection: apsw.Connection) -> Iterator[Finding]:
    rows = connection.execute("PRAGMA foreign_key_check")
    yield from finding(
        "reference_broken",
        "Rows refer to others that do not exist.",
        (f"{a}:{b}" for a, b, *_ in rows),
    )
    astray = connection.execute(
        "SELECT f.id FROM feedback f JOIN chunk c ON c.id = f.chunk WHERE c.document <> f.document"
    )
    yield from finding(
        "feedback_differs",
        "Feedback names a chunk of another document.",
        (row[0] for row in astray),
    )
