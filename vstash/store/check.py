"""Integrity: everything that is derived, compared with what it was derived from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import apsw

from vstash.errors import StoreCorruptError
from vstash.findings import KINDS
from vstash.reports import Finding
from vstash.store.calibration import calibration_findings
from vstash.store.check_chunks import chunk_findings
from vstash.store.check_counters import counter_findings
from vstash.store.check_documents import document_findings, text_findings
from vstash.store.check_fts import unsearchable
from vstash.store.check_log import log_findings
from vstash.store.check_pages import page_findings
from vstash.store.check_references import reference_findings
from vstash.store.check_schema import schema_findings
from vstash.store.check_service import service_findings
from vstash.store.check_sets import set_findings
from vstash.store.check_vectors import vector_findings
from vstash.store.check_words import words
from vstash.store.connection import fetch
from vstash.store.faults import OF_DAMAGE, is_malformed
from vstash.store.found import Found, Rules, Tick, told
from vstash.store.learned import learned_findings
from vstash.upkeep import CheckLevel

__all__ = ["CheckResult", "run"]

Part = Callable[[apsw.Connection, Rules, Tick], Found]

_BOTH: Final[tuple[tuple[str, Part], ...]] = (
    ("schema", schema_findings),
    ("counters", counter_findings),
    ("references", reference_findings),
    ("documents", document_findings),
    ("chunks", chunk_findings),
    ("sets", set_findings),
    ("log", log_findings),
    ("service", service_findings),
    ("calibration", calibration_findings),
    ("learned", learned_findings),
)
_QUICK: Final[tuple[tuple[str, Part], ...]] = (*_BOTH, ("some words", unsearchable))
_FULL: Final[tuple[tuple[str, Part], ...]] = (
    *_BOTH,
    ("texts", text_findings),
    ("words", words),
    ("vectors", vector_findings),
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was found, and how much was looked at.

    Attributes:
        rows: By code, in the order of `KINDS`, every row that is touched.
    """

    rows: dict[str, list[object]]
    documents: int
    chunks: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, as it is told."""
        return tuple(told(code, rows) for code, rows in self.rows.items())


def run(
    connection: apsw.Connection,
    rules: Rules,
    *,
    level: CheckLevel = "full",
    progress: Callable[[str, int, int], None] = lambda _part, _done, _total: None,
) -> CheckResult:
    """Compare the whole file with itself.

    Args:
        connection: In a transaction, so that writers do not disturb the comparison, and one that
            read nothing of FTS5 before: SQLite's integrity check reads FTS5 through what the
            connection cached of it, and calls a newer state damaged.
        rules: How what is derived follows from text.
        level: ``quick`` compares sets, counters and references; ``full`` texts, words and vectors too.
        progress: Called with a part's name, and how much of it is done, of how much.

    Returns:
        Nothing found when schema, text, words, vectors, codes, counters and log agree.
    """
    found: dict[str, dict[object, None]] = {}
    progress("pages", 0, 0)
    _gather(found, page_findings(connection, level))
    if "file_damaged" in found:
        # Rows of damaged pages cannot be trusted to be compared.
        return CheckResult({"file_damaged": list(found["file_damaged"])}, 0, 0)
    for name, part in _QUICK if level == "quick" else _FULL:
        progress(name, 0, 0)

        def tick(done: int, total: int, name: str = name) -> None:
            progress(name, done, total)

        try:
            _gather(found, part(connection, rules, tick))
        except (apsw.SQLError, apsw.CorruptError, StoreCorruptError, *OF_DAMAGE) as error:
            damaged = isinstance(error, apsw.SQLError) and not is_malformed(error)
            code = "table_damaged" if damaged else "value_damaged"
            _gather(found, [(code, [f"{name}: {type(error).__name__}"])])
    counts = _counts(connection)
    return CheckResult({code: list(found[code]) for code in KINDS if code in found}, *counts)


def _gather(
    found: dict[str, dict[object, None]], part: Iterable[tuple[str, Iterable[object]]]
) -> None:
    for code, rows in part:
        kept = dict.fromkeys(rows)
        if kept:
            found.setdefault(code, {}).update(kept)


def _counts(connection: apsw.Connection) -> tuple[int, int]:
    try:
        rows = fetch(
            connection, "SELECT (SELECT count(*) FROM document), (SELECT count(*) FROM chunk)"
        )
    except apsw.SQLError:
        return 0, 0
    return int(rows[0][0]), int(rows[0][1])
