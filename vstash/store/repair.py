"""Making right what a check found: everything that is derived, from what it is derived from."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import apsw

from vstash.findings import KINDS
from vstash.store import keyword
from vstash.store.check import CheckResult
from vstash.store.codes import CODER_VERSION
from vstash.store.found import Rules
from vstash.store.repair_chunks import restore_chunks, restore_digests
from vstash.store.repair_counters import count_anew, restore_meta, restore_record, restore_sequences
from vstash.store.repair_documents import accept_content, recover_documents, restore_texts
from vstash.store.repair_rows import clean_rows, remove_orphans
from vstash.store.repair_schema import restore_schema
from vstash.store.repair_vectors import restore_signs, restore_vectors
from vstash.store.writer import Writer

__all__ = ["Repaired", "apply", "repairable"]

_WORDS: Final = ("words_", "postings_", "segment_", "length_")
_CODES: Final = ("vector_", "awaiting_", "code_", "codes_")
_CHUNKS: Final = frozenset(
    {"chunk_missing", "chunk_span", "chunk_differs", "document_chunks", "document_missing"}
)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found before, and whose content was accepted as it is: document ids."""

    before: CheckResult
    accepted: tuple[str, ...]


def repairable(codes: Collection[str], *, accept: bool) -> bool:
    """Whether a repair would do anything about some findings."""
    return any(not KINDS[code].by_hand or (accept and code == "text_hash") for code in codes)


def apply(
    connection: apsw.Connection,
    before: CheckResult,
    rules: Rules,
    *,
    accept: bool,
    now: int,
    crash_point: Callable[[str], None],
    progress: Callable[[str, int, int], None],
) -> tuple[str, ...]:
    """Set right what was found, all in the transaction that is open.

    Text is never changed or removed. What is derived is made anew where any of its kind was found
    wrong; rows that refer to nothing or cannot be read are removed.

    Args:
        connection: A write connection in a transaction, the one of the check.
        before: What the check found in it.
        rules: How what is derived follows from text.
        accept: Make the hash anew of documents that do not match theirs.
        now: Microseconds since the epoch.
        crash_point: Called by name between the steps.
        progress: Called with the name of each step.

    Returns:
        Ids of the documents whose content was accepted.
    """
    codes = set(before.rows)
    progress("schema", 0, 0)
    made = _restore_tables(connection, codes)
    progress("rows", 0, 0)
    clean_rows(connection, before.rows)
    crash_point("repair:rows")
    recovered = recover_documents(connection, rules, now=now)
    restore_texts(connection)
    accepted = accept_content(connection) if accept else ()
    crash_point("repair:documents")
    progress("chunks", 0, 0)
    restored = bool(recovered) or bool(codes & _CHUNKS)
    if restored:
        restore_chunks(connection, rules, before.rows, recovered)
    if restored or codes & {"passage_differs", "passage_missing"}:
        restore_digests(connection, rules)
    remove_orphans(connection)
    restore_sequences(connection)
    crash_point("repair:chunks")
    progress("vectors", 0, 0)
    lost = before.rows.get("vector_differs", [])
    changed = restore_vectors(connection, [int(str(chunk)) for chunk in lost])
    count_anew(connection)
    writer = Writer(connection, crash_point)
    anew = made or restored
    if changed or anew or writer.coder != CODER_VERSION or _any(codes, _CODES):
        restore_signs(connection)
        writer.derive_codes()
    crash_point("repair:vectors")
    if anew or writer.normaliser != rules.version or _any(codes, _WORDS):
        progress("words", 0, 0)
        writer.derive_words(rules.words, rules.version)
    crash_point("repair:words")
    writer.touch()
    writer.finish()
    return accepted


def _any(codes: Collection[str], starts: tuple[str, ...]) -> bool:
    return any(code.startswith(starts) for code in codes)


def _restore_tables(connection: apsw.Connection, codes: Collection[str]) -> bool:
    """See that tables and what they say of themselves are there; returns whether any was made."""
    made = "schema_differs" in codes and restore_schema(connection)
    if "index_differs" in codes:
        connection.execute("REINDEX")
    if "words_damaged" in codes:
        keyword.restore_format(connection)
    restore_meta(connection)
    restore_record(connection)
    return made
