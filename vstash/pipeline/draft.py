"""One context in the making: from hits and their neighbours to numbered passages that fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final

import numpy as np

from vstash.contexts import ContextOrder, ContextPassage
from vstash.search.packing import Packed, Piece, arranged, joined, longest_fit, pack
from vstash.search.prompt import block, ending, preface, prompt, source
from vstash.text.boundaries import last_cut

if TYPE_CHECKING:
    from vstash.store.session import Reader
    from vstash.types import Chunk, Document, Hit

__all__ = ["Draft", "Fitted", "Stock", "read_stock"]

# The beginning of a passage that is shorter than this says nothing.
_LEAST_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Stock:
    """What a context can be made of, all of one view of the file.

    Attributes:
        hits: Best first.
        beside: The chunks before and after each hit, by its chunk id.
        rows: Every chunk with its document.
        texts: By chunk id the offset and the text of all that it is adjacent to.
        scores: Of the hits, by chunk id.
    """

    hits: Sequence[Piece]
    beside: Mapping[int, Sequence[Piece]]
    rows: Mapping[int, tuple[Chunk, Document]]
    texts: Mapping[int, tuple[int, str]]
    scores: Mapping[int, float]

    def quotable(self) -> list[str]:
        """Every stored text that may come into the prompt."""
        return [
            text
            for chunk, document in self.rows.values()
            for text in (document.title, document.key, *chunk.heading, chunk.text)
        ]


def read_stock(reader: Reader, hits: Sequence[Hit], *, widen: bool) -> Stock:
    """Read hits and their neighbours; what was removed since the search is not there any more."""
    near = {hit.chunk.id: _neighbours(hit) if widen else () for hit in hits}
    wanted = sorted({*near, *(chunk for several in near.values() for chunk in several)})
    rows = reader.chunks(np.array(wanted, dtype=np.int64))
    pieces = {
        number: Piece(number, document.id, chunk.seq, chunk.start, chunk.end, chunk.text)
        for number, (chunk, document) in rows.items()
    }
    texts: dict[int, tuple[int, str]] = {}
    for run in joined(pieces.values()):
        start, end = run[0].start, max(piece.end for piece in run)
        text = run[0].text if len(run) == 1 else reader.span(run[0].document, start, end)
        texts |= dict.fromkeys((piece.chunk for piece in run), (start, text))
    return Stock(
        hits=[pieces[hit.chunk.id] for hit in hits if hit.chunk.id in pieces],
        beside={
            number: [pieces[other] for other in several if other in pieces]
            for number, several in near.items()
        },
        rows=rows,
        texts=texts,
        scores={hit.chunk.id: hit.score for hit in hits},
    )


def _neighbours(hit: Hit) -> tuple[int, ...]:
    """Chunk ids before and after a hit; those of one document follow each other."""
    chunk = hit.chunk
    before = (chunk.id - 1,) if chunk.seq else ()
    after = (chunk.id + 1,) if chunk.seq + 1 < hit.document.chunk_count else ()
    return before + after


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came out: the text, its passages, its tokens, the chunks in it."""

    text: str
    passages: tuple[ContextPassage, ...]
    tokens: int
    chunks: frozenset[int]


class Draft:
    """A context in the making, under one mark."""

    def __init__(
        self,
        stock: Stock,
        mark: str,
        count: Callable[[str], int],
        order: ContextOrder,
        budget: int,
    ) -> None:
        self._stock = stock
        self._mark = mark
        self._count = count
        self._order = order
        self._budget = budget
        self._place = {piece.chunk: place for place, piece in enumerate(stock.hits)}

    def fitted(self) -> Fitted:
        """Pack by the sizes of the parts, then take away until the whole fits by its own size."""
        packed = self._packed()
        pieces, costs = list(packed.pieces), list(packed.costs)
        while pieces:
            found = self._made(pieces)
            excess = found.tokens - self._budget
            if excess <= 0:
                return found
            while pieces and excess > 0:
                pieces.pop()
                excess -= max(costs.pop(), 1)
        return Fitted("", (), 0, frozenset())

    def _packed(self) -> Packed:
        hits, beside = list(self._stock.hits), dict(self._stock.beside)
        if hits and not self._fits(hits[0]):
            cut = self._cut(hits[0])
            # Without a beginning that fits, another one may be short enough as a whole.
            hits[:1] = [] if cut is None else [cut]
            if cut is not None:
                beside[cut.chunk] = ()
        frames: dict[str, int] = {}

        def frame(piece: Piece) -> int:
            if piece.document not in frames:
                shell = self._block(1, replace(piece, text=""))
                frames[piece.document] = self._count(f"\n\n{shell}")
            return frames[piece.document]

        room = self._budget - self._count(f"{preface(self._mark)}\n\n{ending(self._mark)}\n")
        if hits:
            # The best fits as a whole, even where its parts add up to a little more.
            room = max(room, frame(hits[0]) + self._count(hits[0].text))
        return pack(hits, beside, budget=room, frame=frame, size=self._count)

    def _fits(self, piece: Piece) -> bool:
        text = prompt(self._mark, [self._block(1, piece)])
        return self._count(text) <= self._budget

    def _cut(self, piece: Piece) -> Piece | None:
        """The longest beginning that fits, to the end of a sentence where there is one."""

        def shortened(characters: int) -> Piece:
            text = piece.text[:characters].rstrip()
            return replace(piece, text=text, end=piece.start + len(text), cut=True)

        longest = longest_fit(len(piece.text), lambda length: self._fits(shortened(length)))
        if longest < _LEAST_CHARS:
            return None
        end = last_cut(piece.text, longest // 2, longest, "prose")
        return shortened(longest if end is None else end)

    def _block(self, number: int, piece: Piece) -> str:
        chunk, document = self._stock.rows[piece.chunk]
        named = source(
            title=document.title,
            key=document.key,
            heading=chunk.heading,
            start=piece.start,
            end=piece.end,
            truncated=piece.cut,
        )
        return block(number, named, piece.text, self._mark)

    def _made(self, pieces: Sequence[Piece]) -> Fitted:
        last = len(self._place)
        ranked = sorted(
            joined(pieces),
            key=lambda run: min(self._place.get(piece.chunk, last) for piece in run),
        )
        passages, blocks = [], []
        for number, run in enumerate(arranged(ranked, self._order), start=1):
            passage = self._passage(number, run)
            named = source(
                title=passage.title,
                key=passage.key,
                heading=passage.heading,
                start=passage.start,
                end=passage.end,
                truncated=passage.truncated,
            )
            blocks.append(block(number, named, passage.text, self._mark))
            passages.append(passage)
        text = prompt(self._mark, blocks)
        return Fitted(
            text=text,
            passages=tuple(
                replace(passage, tokens=self._count(shown))
                for passage, shown in zip(passages, blocks, strict=True)
            ),
            tokens=self._count(text),
            chunks=frozenset(piece.chunk for piece in pieces),
        )

    def _passage(self, number: int, run: Sequence[Piece]) -> ContextPassage:
        first, end = run[0], max(piece.end for piece in run)
        offset, text = self._stock.texts[first.chunk]
        document = self._stock.rows[first.chunk][1]
        headings = [self._stock.rows[piece.chunk][0].heading for piece in run]
        scores = self._stock.scores
        return ContextPassage(
            number=number,
            document_id=document.id,
            key=document.key,
            title=document.title,
            heading=_shared(headings),
            start=first.start,
            end=end,
            text=text[first.start - offset : end - offset],
            score=max(scores[piece.chunk] for piece in run if piece.chunk in scores),
            tokens=0,
            chunk_ids=tuple(piece.chunk for piece in run),
            truncated=any(piece.cut for piece in run),
        )


def _shared(headings: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The headings that all stand under."""
    levels = takewhile(lambda level: len(set(level)) == 1, zip(*headings, strict=False))
    return tuple(level[0] for level in levels)
