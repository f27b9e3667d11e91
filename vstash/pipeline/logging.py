"""Writing searches to the log, behind the reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.errors import MisuseError, StoreError
from vstash.learn.privacy import keyed_hash, new_key
from vstash.learn.reformulation import WITHIN_US, reformulates
from vstash.pipeline.record import Compared, Logged, search_row
from vstash.text.normalise import tokens
from vstash.text.query_terms import query_terms

if TYPE_CHECKING:
    from vstash.settings import Settings
    from vstash.store.protocol import Store
    from vstash.store.rows import EarlierSearch, SearchRow
    from vstash.store.session import Reader
    from vstash.store.writer import Writer

__all__ = ["LogWriter", "fingerprint", "session_hash"]

# A search must never wait for its own log.
_PATIENCE_S: Final = 0.05
_DAY_US: Final = 86_400_000_000
# How long the id of a search takes feedback once another took its place.
_ALIAS_US: Final = 2 * _DAY_US
_EVERYTHING: Final = repr(None)


def fingerprint(key: bytes, query: str, collection: str, where: str = _EVERYTHING) -> str:
    """What is equal for questions that are the same but for spelling, order kept.

    Args:
        key: Of the file.
        query: As it was looked up.
        collection: That was searched.
        where: The filter as text.
    """
    return keyed_hash(key, "query", tokens(query) or query, collection, where)


def session_hash(key: bytes, session: str | None) -> str | None:
    """What stands for a session whose name is not kept."""
    return None if session is None else keyed_hash(key, "session", session)


def _informative(query: str) -> frozenset[str]:
    terms = query_terms(query)
    return frozenset(terms.tokens) - frozenset(terms.function_words)


class LogWriter:
    """Stores searches as the settings say.

    Args:
        store: The file.
        settings: What is kept, and for how long.
        aging: Microseconds since the epoch; does not jump forward.
    """

    def __init__(self, store: Store, settings: Settings, aging: Callable[[], int]) -> None:
        self._store = store
        self._settings = settings
        self._aging = aging

    def write(self, several: Sequence[Logged]) -> int:
        """Store searches in one transaction; returns how many were."""
        now = self._aging()
        try:
            with self._store.read() as reader:
                known = self._compared(reader, several)
            rows = [(logged, search_row(logged, known)) for logged in several]
            with self._store.write(timeout_s=_PATIENCE_S) as writer:
                key = writer.log_key(new=new_key, now=now)
                for logged, row in rows:
                    writer.log(self._kept(writer, key, logged, row))
                writer.trim_log(
                    keep_rows=self._settings.log_max_rows,
                    oldest=now - self._settings.log_max_days * _DAY_US,
                    oldest_alias=now - _ALIAS_US,
                )
        except (StoreError, MisuseError):
            # A log that cannot be written must not disturb a search: it is counted instead.
            return 0
        return len(rows)

    def _compared(self, reader: Reader, several: Sequence[Logged]) -> Compared:
        ids = np.unique(
            np.concatenate([logged.candidates.ids[logged.compared()] for logged in several])
        )
        return Compared.read(reader, ids)

    def _kept(self, writer: Writer, key: bytes, logged: Logged, row: SearchRow) -> SearchRow:
        """A row with what is kept of the query, and with what came before it in its session."""
        asked = fingerprint(key, logged.query, logged.collection, logged.where)
        session = logged.session
        if self._settings.log_searches == "ids-only":
            session = session_hash(key, session)
            # Without its query a triple teaches nothing.
            row = replace(row, query=asked, hashed=True, triples=(), masked={})
        earlier = None
        if session is not None:
            since = logged.at - WITHIN_US
            earlier = writer.earlier_search(session, logged.collection, since=since)
        again = earlier is not None and _again(earlier, asked, logged, row)
        return replace(
            row,
            fingerprint=asked,
            session=session,
            reformulates=earlier.number if earlier is not None and again else None,
        )


def _again(earlier: EarlierSearch, asked: str, logged: Logged, row: SearchRow) -> bool:
    words = None if row.hashed or earlier.query is None else _informative(earlier.query)
    return earlier.fingerprint != asked and reformulates(
        _informative(logged.query),
        [entry.chunk_id for entry in row.vector_leg],
        words,
        earlier.vector_leg,
    )
