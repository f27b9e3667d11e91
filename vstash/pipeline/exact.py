"""Where quoted phrases and identifiers of a query stand to the letter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.search.exact import ExactTerm, bare, exact_terms, exact_weight
from vstash.search.words import QueryWords, idf
from vstash.text.normalise import tokens, unspaced

if TYPE_CHECKING:
    from vstash.store.allowed import Allowed
    from vstash.store.session import Reader
    from vstash.types import FloatArray, IdArray

__all__ = ["NO_TERMS", "ExactFound", "find_exact"]

# A term in more chunks singles out none.
_MOST_CHUNKS: Final = 256
_MOST_TOKENS: Final = 64
# Texts are read to tell letters from stems; of a term in more chunks the index alone decides.
_READ: Final = 24
# What a chunk gains that holds the words of a term in another spelling.
_SPELT_OTHERWISE: Final = 0.5
# A query of one word looks it up as it is spelt, where so few chunks hold it under any spelling.
_RARE: Final = 32


@dataclass(frozen=True, slots=True)
class ExactFound:
    """Gains of chunks by exact terms.

    Attributes:
        ids: Chunks that gain, ascending, shape (n,).
        gains: What each gains, shape (n,).
        terms: The terms that each holds.
    """

    ids: IdArray
    gains: FloatArray
    terms: Mapping[int, tuple[str, ...]]

    def of(self, ids: IdArray) -> FloatArray:
        """What chunks gain.

        Args:
            ids: Ascending, those that gain among them, shape (m,).
        """
        gains = np.zeros(len(ids), dtype=np.float32)
        if len(self.ids):
            gains[np.searchsorted(ids, self.ids)] = self.gains
        return gains


NO_TERMS: Final = ExactFound(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32), {})


def find_exact(
    reader: Reader,
    query: str,
    words: QueryWords,
    frequencies: Sequence[int],
    allowed: Allowed | None,
    *,
    count: int,
) -> ExactFound:
    """Look up the exact terms of a query.

    Args:
        reader: A consistent view of the file.
        query: As it was asked.
        words: Its words.
        frequencies: In how many chunks each informative word occurs.
        allowed: Chunks that may be listed, None for all.
        count: Number of chunks in the file.

    Raises:
        IndexDamagedError: When the keyword index cannot be read.
    """
    terms = exact_terms(query)
    derived = {term: tokens(term.text)[:_MOST_TOKENS] for term in terms}
    named = {token for term in terms if term.kind == "identifier" for token in derived[term]}
    share = len(named.intersection(words.informative)) / max(len(words.informative), 1)
    if words.length == 1 and not terms:
        derived = _rare_word(query, words, frequencies)
    gains: dict[int, float] = {}
    holds: dict[int, tuple[str, ...]] = {}
    for term, sought in derived.items():
        # What could gain nothing is not worth a look-up: most identifiers stand in long questions.
        if not sought or not exact_weight(term, share, 1.0):
            continue
        ids = reader.phrase(sought, most=_MOST_CHUNKS, allowed=allowed)
        if not 0 < len(ids) < _MOST_CHUNKS:
            continue
        spelt = _to_the_letter(reader, term, ids)
        if term.kind == "word":
            ids = np.array(sorted(spelt), dtype=np.int64)
        gain = exact_weight(term, share, idf(count, len(ids)) / idf(count, 0))
        for chunk in ids.tolist():
            part = gain if chunk in spelt else _SPELT_OTHERWISE * gain
            gains[chunk] = gains.get(chunk, 0.0) + part
            if chunk in spelt:
                holds[chunk] = (*holds.get(chunk, ()), term.text)
    found = np.array(sorted(gains), dtype=np.int64)
    return ExactFound(
        found, np.array([gains[chunk] for chunk in found.tolist()], dtype=np.float32), holds
    )


def _rare_word(
    query: str, words: QueryWords, frequencies: Sequence[int]
) -> dict[ExactTerm, list[str]]:
    """The only word of a query with its token, where few chunks hold it."""
    if len(frequencies) != 1 or not 0 < frequencies[0] <= _RARE:
        return {}
    return {ExactTerm(bare(query), "word"): list(words.informative)}


def _to_the_letter(reader: Reader, term: ExactTerm, ids: IdArray) -> set[int]:
    """The chunks that hold a term as it is written, but for case and the width of gaps."""
    text = term.text.casefold()
    pattern = r"\s+".join(map(re.escape, text.split()))
    # Where words have no spaces between them, they end inside of what looks like one.
    before = "" if unspaced(text[0]) else r"(?<!\w)"
    after = "" if unspaced(text[-1]) else r"(?!\w)"
    found = re.compile(f"{before}{pattern}{after}")
    if len(ids) > _READ:
        return set(ids.tolist())
    spelt = set()
    for chunk_id, (chunk, document) in reader.chunks(ids).items():
        fields = (document.title, *chunk.heading, chunk.text)
        if any(found.search(field.casefold()) for field in fields):
            spelt.add(chunk_id)
    return spelt
