"""What chunks that are gone leave in the indexes, and its removal in steps."""

from __future__ import annotations

import secrets
from typing import Final, Literal

import apsw

from vstash.store import codes, keyword, postings
from vstash.store.connection import fetch, pragma_int

__all__ = ["PURGE_MARK", "LeftoverReader", "LeftoverWriter", "Pending", "pending_of"]

PURGE_MARK: Final = "purge_pending"
# What is still to be done after documents were forgotten: all, or only to empty the log.
Pending = Literal[0, 1, 2]
# A mark is odd before the leftovers went, and even before the log was emptied. Each forgetting sets one of
# its own, so that who finishes another one does not take it off.
_MARKS: Final = 2**61


def pending_of(mark: int) -> Pending:
    """What a mark says: 1 is an odd one, 2 an even one, 0 none."""
    return 0 if not mark else 1 if mark % 2 else 2


class LeftoverReader:
    """Finds what was left.

    Args:
        connection: In a transaction.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def pending(self) -> Pending:
        """Whether a forgetting was cut short: 1 before its leftovers went, 2 before the log was emptied."""
        return pending_of(self.mark)

    @property
    def mark(self) -> int:
        """The mark of the last forgetting that is not finished, 0 for none."""
        rows = fetch(self._connection, "SELECT value FROM meta WHERE name = ?", (PURGE_MARK,))
        return 0 if not rows else rows[0][0] if type(rows[0][0]) is int else 1

    def segments(self) -> list[int]:
        """The segments of the packed postings, oldest first."""
        return [
            int(row[0]) for row in fetch(self._connection, "SELECT id FROM segment ORDER BY id")
        ]

    def holds_gone(self, segment: int) -> bool:
        """Whether a segment has words of chunks that are gone.

        Raises:
            StoreCorruptError: When it cannot be read.
        """
        return postings.holds_gone(self._connection, segment)

    def reclaimable(self) -> int:
        """Bytes of pages that nothing is in."""
        pages = pragma_int(self._connection, "freelist_count")
        return pages * pragma_int(self._connection, "page_size")


class LeftoverWriter(LeftoverReader):
    """Removes it, a bounded part in each transaction."""

    def begin(self) -> None:
        """Remember that all is still to be done, also by whoever opens the file next."""
        self._set(2 * secrets.randbelow(_MARKS) + 3)

    def proceed(self, mark: int) -> int:
        """Remember that one thing less is to be done, unless more was forgotten meanwhile.

        Args:
            mark: As it was before that was done.

        Returns:
            The mark as it would be if nothing more was forgotten.
        """
        after = mark + 1 if pending_of(mark) == 1 else 0
        if self.mark == mark:
            self._set(after)
        return after

    def _set(self, mark: int) -> None:
        self._connection.execute("DELETE FROM meta WHERE name = ?", (PURGE_MARK,))
        if mark:
            self._connection.execute(
                "INSERT INTO meta (name, value) VALUES (?, ?)", (PURGE_MARK, mark)
            )

    def merge_postings(self, rows: int) -> bool:
        """Merge at least so many rows of the packed postings; returns whether there may be more."""
        words = min(rows, postings.STEP_WORDS)
        return postings.merge_some(self._connection, rows, words=words)

    def renew_segment(self, segment: int) -> None:
        """Begin to make a segment anew without what is gone; `merge_postings` goes on with it."""
        postings.renew(self._connection, segment)

    def merge_words(self, pages: int, *, begin: bool) -> bool:
        """Write so many pages of the keyword index anew, without words of chunks that are gone.

        Args:
            pages: Of FTS5, about half of one of the file's.
            begin: Start over with all that the index holds.

        Returns:
            Whether there is more to write.
        """
        return keyword.merge(self._connection, pages, begin=begin)

    def clean_codes(self, counter: int, *, after: int, runs: int) -> int:
        """Look through some runs of codes and write those with chunks that are gone without them.

        Args:
            counter: The change counter of this write.
            after: The run where the last look ended, 0 at first.
            runs: At most so many.

        Returns:
            Where this look ended, 0 at the end.
        """
        return codes.clean_all(self._connection, counter, cursor=after, runs=runs)

    def shrink(self, pages: int) -> bool:
        """Give free pages at the end back to the system, where the file is made for that.

        Args:
            pages: At most so many.

        Returns:
            Whether there are more.
        """
        before = pragma_int(self._connection, "freelist_count")
        if before:
            # It works a page at a time, as its rows are fetched.
            self._connection.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
        left = pragma_int(self._connection, "freelist_count")
        return 0 < left < before
