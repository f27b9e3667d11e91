"""What tells of documents beside themselves: logged searches, stored replies and jobs."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw
import numpy as np

from vstash.store.connection import fetch, id_list
from vstash.store.lengths import all_lengths
from vstash.store.postings import postings

if TYPE_CHECKING:
    from vstash.types import IdArray

__all__ = ["LoggedQuery", "Names", "TraceReader", "TraceWriter", "texts_in"]

_WORDS_AT_ONCE: Final = 500
_OPEN: Final = frozenset({"queued", "running"})


class Names:
    """What documents are known by, to recognise what tells of them.

    Args:
        exact: Their ids and keys.
        source: A path or URL below which keys are theirs as well, None for none.

    Example:
        >>> names = Names(["/notes/tea.md"], None)
        >>> [names.told_by(text) for text in ("/notes/tea.md", "/notes", "/note")]
        [True, True, False]
    """

    def __init__(self, exact: Iterable[str], source: str | None) -> None:
        self._exact = frozenset(exact)
        self._sorted = sorted(self._exact)
        self._source = source

    def told_by(self, text: str) -> bool:
        """Whether a text is such a name, lies below the source, or is a folder that holds one."""
        if text in self._exact:
            return True
        if not text:
            return False
        source = self._source
        if source is not None and (text == source or text.startswith(f"{source}/")):
            return True
        folder = f"{text.rstrip('/')}/"
        place = bisect_left(self._sorted, folder)
        return place < len(self._sorted) and self._sorted[place].startswith(folder)

    def told_in(self, *documents: str | None) -> bool:
        """Whether any text within JSON documents tells of them."""
        return any(
            self.told_by(text)
            for document in documents
            if document is not None
            for text in texts_in(json.loads(document))
        )


def texts_in(value: object) -> Iterator[str]:
    """The texts in a JSON value, names of members among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield name
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)


@dataclass(frozen=True, slots=True)
class LoggedQuery:
    """A logged search: its number, its collection, what was asked and which chunks were listed.

    The query is None where only its keyed hash was kept.
    """

    number: int
    collection: str
    query: str | None
    chunks: frozenset[int]


class TraceReader:
    """Finds what tells of documents.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def chunks_of(self, numbers: Sequence[int]) -> list[int]:
        """The chunks of documents by internal number, ascending."""
        rows = fetch(
            self._connection,
            "SELECT id FROM chunk WHERE document IN carray(?) ORDER BY id",
            (id_list(np.array(numbers, dtype=np.int64)),),
        )
        return [int(row[0]) for row in rows]

    def held(self, words: Iterable[str], *, without: IdArray) -> set[str]:
        """Those of some derived words that a chunk holds, leaving some chunks out.

        Args:
            words: Distinct.
            without: Ids of the chunks that do not count.
        """
        living = all_lengths(self._connection) > 0
        living[without[without < len(living)]] = False
        found: set[str] = set()
        asked = list(words)
        for start in range(0, len(asked), _WORDS_AT_ONCE):
            part = postings(self._connection, asked[start : start + _WORDS_AT_ONCE])
            found.update(word for word, posting in part.items() if living[posting.ids].any())
        return found

    def logged(self, *, after: int) -> Iterator[LoggedQuery]:
        """Logged searches after a number, oldest first."""
        rows = self._connection.execute(
            "SELECT number, collection, CASE hashed WHEN 0 THEN query END, vector_leg, keyword_leg "
            "FROM search WHERE number > ? ORDER BY number",
            (after,),
        )
        for number, collection, query, *legs in rows:
            listed = frozenset(int(entry[0]) for leg in legs for entry in json.loads(str(leg)))
            text = None if query is None else str(query)
            yield LoggedQuery(int(str(number)), str(collection), text, listed)

    def replies(self, names: Names, numbers: Sequence[int]) -> list[int]:
        """Stored replies that tell of documents, which have these internal numbers."""
        linked = fetch(
            self._connection,
            "SELECT DISTINCT reply FROM reply_document WHERE document IN carray(?)",
            (id_list(np.array(numbers, dtype=np.int64)),),
        )
        rows = self._connection.execute("SELECT id, headers, body FROM reply")
        told = {int(row[0]) for row in rows if names.told_in(*row[1:])}
        return sorted(told | {int(row[0]) for row in linked})

    def jobs(self, names: Names) -> tuple[list[int], list[str]]:
        """Jobs that name documents: the numbers of those that have ended, the ids of the others."""
        ended, others = [], []
        rows = self._connection.execute(
            "SELECT number, id, state, request, within, report FROM job ORDER BY number"
        )
        for number, job_id, state, *told in rows:
            if names.told_in(*told):
                if state in _OPEN:
                    others.append(str(job_id))
                else:
                    ended.append(int(str(number)))
        return ended, others


class TraceWriter(TraceReader):
    """Removes what tells of documents, inside a write transaction."""

    def remove(
        self,
        *,
        searches: Sequence[int],
        made: Sequence[int],
        replies: Sequence[int],
        jobs: Sequence[int],
    ) -> None:
        """Remove rows by number; triples and feedback go with their queries."""
        for table, column, numbers in (
            ("search", "number", searches),
            ("made_query", "number", made),
            ("reply", "id", replies),
            ("job", "number", jobs),
        ):
            self._connection.executemany(
                f"DELETE FROM {table} WHERE {column} = ?", ((number,) for number in numbers)
            )
