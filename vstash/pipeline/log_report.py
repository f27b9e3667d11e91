"""What the log tells as a whole, and what is taken out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vstash.learn.log_report import LoggedSearch, Tally, legs_judged
from vstash.learn.privacy import new_key
from vstash.learn.triples import DISAGREEMENT_K
from vstash.log_reports import DisagreementReport, RedactReport
from vstash.pipeline.logging import fingerprint, session_hash
from vstash.pipeline.prepare import checked_collection
from vstash.pipeline.purging import Purging, Steps
from vstash.text.normalise import tokens, words
from vstash.text.query_terms import query_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vstash.learn.recorder import Recorder
    from vstash.pipeline.record import Logged
    from vstash.store.protocol import Store
    from vstash.store.writer import Writer

__all__ = ["LogReporting"]

# Searches whose words are looked at: deriving those of more would take seconds.
_MOST_READ: Final = 10_000
# What one transaction of a redaction changes, so that others can write in between.
_ROWS: Final = 500


class LogReporting:
    """Sums up the log, and removes what people asked from it.

    Args:
        store: The file.
        recorder: Of the log, which holds searches back for a moment.
        clock: Microseconds since the epoch.
    """

    def __init__(self, store: Store, recorder: Recorder[Logged], clock: Callable[[], int]) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._purging = Purging(store)

    def flush(self) -> int:
        """Wait for the log; see `Memory.flush_log`."""
        self._recorder.flush()
        with self._store.read():
            return self._recorder.dropped

    def report(self, *, collection: str | None) -> DisagreementReport:
        """Sum up; see `Memory.disagreement_report`."""
        name = None if collection is None else checked_collection(collection)
        self._recorder.flush()
        tally = Tally()
        with self._store.read() as reader:
            log = reader.whole_log(name)
            for number, row in enumerate(log.searches()):
                tally.add(_search(row, read=number < _MOST_READ))
            triples, legs = log.triples(), legs_judged(log.helpful())
        period, over_time = tally.over_time()
        searches, asked = tally.whole.searches, tally.whole.asked
        mean, texts = tally.disagreement, searches - tally.hashed
        return DisagreementReport(
            collection=name,
            k=DISAGREEMENT_K,
            searches=searches,
            asked=asked,
            folded=round(1 - searches / asked, 6) if asked else 0.0,
            hashed=tally.hashed,
            disagreement=None if mean is None else round(mean, 6),
            with_triples=round(tally.with_triples / texts, 6) if texts else None,
            period=period,
            over_time=over_time,
            by_collection=tally.by_collection(),
            terms=tally.terms(),
            triples=triples,
            masked=dict(tally.masked),
            legs=legs,
            in_sessions=tally.in_sessions,
            reformulated=round(tally.whole.reformulated / tally.in_sessions, 6)
            if tally.in_sessions
            else None,
            dropped=self._recorder.dropped,
        )

    def redact(self, *, collection: str | None) -> RedactReport:
        """Remove the texts; see `Memory.redact_log`."""
        name = None if collection is None else checked_collection(collection)
        self._recorder.flush()
        steps = Steps(self._store, None)
        last = searches = triples = 0

        def redact(writer: Writer, rows: int) -> bool:
            nonlocal last, searches, triples
            found = writer.unredacted(collection=name, after=last, limit=min(rows, _ROWS))
            if not found:
                return False
            key = writer.log_key(new=new_key, now=self._clock())
            triples += writer.redact(
                [
                    (number, known or fingerprint(key, query, within), session_hash(key, session))
                    for number, within, query, known, session in found
                ]
            )
            # Pages keep what was in them until the file is written anew.
            writer.leftovers.begin()
            last, searches = found[-1][0], searches + len(found)
            return True

        steps.run("log", redact, size=_ROWS)
        purged, emptied, remedy = self._purging.finish(steps)
        return RedactReport(searches, triples, purged, emptied, remedy)


def _search(row: Mapping[str, Any], *, read: bool) -> LoggedSearch:
    query = row["query"]
    terms = None if query is None else _terms(query) if read else frozenset[str]()
    return LoggedSearch(
        at=row["at"],
        collection=row["collection"],
        disagreement=row["disagreement"],
        asked=row["asked"],
        in_session=bool(row["in_session"]),
        reformulates=bool(row["reformulates"]),
        masked=row["masked"],
        with_triples=bool(row["with_triples"]),
        terms=terms,
    )


def _terms(query: str) -> frozenset[str]:
    """Informative words as they are written, but for case."""
    empty = query_terms(query).function_words
    return frozenset(word.casefold() for word in words(query) if {*tokens(word)} - {*empty})
