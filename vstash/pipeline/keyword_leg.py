"""The keyword leg: exact BM25 of every chunk, with the words asked for most kept in memory."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.search.bm25 import Term, bm25, either, term

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vstash.store.lengths import LengthTable
    from vstash.store.postings import Posting
    from vstash.store.session import Reader
    from vstash.types import FloatArray

__all__ = ["KeywordLeg", "KeywordScores"]

_NONE: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class KeywordScores:
    """BM25 of every chunk for a query.

    Attributes:
        scores: By chunk id, 0 where no word occurs, shape (n,).
        frequencies: In how many chunks each word occurs.
        count: Number of chunks in the file.
    """

    scores: FloatArray
    frequencies: Sequence[int]
    count: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A word as it was at one state of the file.

    Attributes:
        counter: The change counter of that state.
        derived_anew: How often indexes had been derived anew.
        last: The highest chunk id that any posting had.
        counts: How often the word occurs, in the order of the term's ids.
    """

    counter: int
    derived_anew: int
    last: int
    counts: NDArray[np.uint8]
    term: Term

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return int(self.counts.nbytes + self.term.ids.nbytes + self.term.gains.nbytes) + 256


class KeywordLeg:
    """Scores chunks by BM25; safe to share between threads.

    A word that is known needs nothing from the file while nothing is written. After a write it needs
    only what newer segments hold of it.

    Args:
        budget: Bytes that words may take; those asked for longest ago go first.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._bytes = 0

    def score(
        self,
        reader: Reader,
        asked: Sequence[str],
        words: Iterable[str],
        variants: Mapping[str, Sequence[str]] = _NONE,
    ) -> KeywordScores:
        """Score every chunk of the file.

        Args:
            reader: A consistent view of it.
            asked: Distinct words to look up.
            words: All words of the query, with repetitions.
            variants: For a word, other forms of it: a chunk that holds any of them holds the word.

        Raises:
            IndexDamagedError: When the postings cannot be read.
        """
        table = reader.lengths()
        often = Counter(words)
        forms = [(word, *variants.get(word, ())) for word in asked]
        every = list(dict.fromkeys(chain.from_iterable(forms)))
        found = dict(zip(every, self._terms(reader, every, table), strict=True))
        terms = [either([found[form] for form in each]) for each in forms]
        scores = bm25(
            terms,
            [often[word] for word in asked],
            size=len(table.lengths),
            count=table.count,
        )
        return KeywordScores(scores, [len(each.ids) for each in terms], table.count)

    def _terms(self, reader: Reader, asked: Sequence[str], table: LengthTable) -> list[Term]:
        counter = reader.change_counter
        if table.counter != counter:
            # Somebody wrote since this reader began: what is kept may be newer than what it sees.
            posted = reader.postings(asked, table)
            return [_known(posted[word], table, reader, 0, None).term for word in asked]
        found: dict[str, _Known] = {}
        stale: dict[str, _Known] = {}
        with self._lock:
            for word in asked:
                known = self._known.get(word)
                if known is None or known.derived_anew != reader.derived_anew:
                    continue
                self._known.move_to_end(word)
                (found if known.counter == counter else stale)[word] = known
        missing = [word for word in asked if word not in found]
        if missing:
            found |= self._read(reader, table, missing, stale)
        return [found[word].term for word in asked]

    def _read(
        self, reader: Reader, table: LengthTable, missing: Sequence[str], stale: dict[str, _Known]
    ) -> dict[str, _Known]:
        stale = {word: known for word, known in stale.items() if known.counter < table.counter}
        after = min((known.last for known in stale.values()), default=0)
        posted = reader.postings([word for word in missing if word not in stale], table)
        if stale:
            posted |= reader.postings(list(stale), table, after=after)
        last = reader.last_posted()
        read = {
            word: _known(posted[word], table, reader, last, stale.get(word)) for word in missing
        }
        with self._lock:
            for word, known in read.items():
                self._keep(word, known)
        return read

    def _keep(self, word: str, known: _Known) -> None:
        before = self._known.get(word)
        if before is not None:
            if before.counter > known.counter:
                return
            self._bytes -= before.size
        self._known[word] = known
        self._known.move_to_end(word)
        self._bytes += known.size
        while self._bytes > self._budget:
            self._bytes -= self._known.popitem(last=False)[1].size


def _known(
    posting: Posting, table: LengthTable, reader: Reader, last: int, stale: _Known | None
) -> _Known:
    ids, counts = posting.ids, posting.counts
    if stale is not None:
        new = ids > stale.last
        ids = np.concatenate([stale.term.ids, ids[new]])
        counts = np.concatenate([stale.counts, counts[new]])
    lengths = table.lengths[ids]
    living = lengths > 0
    if not living.all():
        ids, counts, lengths = ids[living], counts[living], lengths[living]
    return _Known(
        counter=table.counter,
        derived_anew=reader.derived_anew,
        last=last,
        counts=counts,
        term=term(ids, counts, lengths, table.mean),
    )
