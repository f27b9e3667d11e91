"""Which chunks fit into a budget of tokens, and how those of one document become passages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vstash.contexts import ContextOrder

__all__ = ["Packed", "Piece", "arranged", "joined", "longest_fit", "pack"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk that may become part of a passage.

    Attributes:
        chunk: Its id.
        document: Its document's id.
        seq: Its position among the document's chunks.
        start: Offset of its first character in the document's text.
        end: Offset after its last.
        text: What is between the two.
        cut: Whether its end was cut off, so that nothing follows on it.
    """

    chunk: int
    document: str
    seq: int
    start: int
    end: int
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """What fits.

    Attributes:
        pieces: In the order in which they were taken.
        costs: What each one added.
    """

    pieces: tuple[Piece, ...]
    costs: tuple[int, ...]


def follows(left: Piece, right: Piece) -> bool:
    """Whether a piece goes on where another ends, or repeats its end."""
    if left.document != right.document or left.cut or left.start > right.start:
        return False
    return right.seq == left.seq + 1 or right.start <= left.end


def joined(pieces: Iterable[Piece]) -> list[tuple[Piece, ...]]:
    """Put together what is adjacent or overlaps in one document.

    Args:
        pieces: In any order.

    Returns:
        Passages as runs of pieces, by document and by place in it.

    Example:
        >>> a, b = Piece(1, "d", 0, 0, 9, "Tea is ho"), Piece(2, "d", 1, 4, 11, "is hot.")
        >>> [len(run) for run in joined([b, a])]
        [2]
    """
    runs: list[list[Piece]] = []
    for piece in sorted(pieces, key=attrgetter("document", "start", "seq")):
        if runs and follows(runs[-1][-1], piece):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return [tuple(run) for run in runs]


def pack(
    offers: Sequence[Piece],
    beside: Mapping[int, Sequence[Piece]],
    *,
    budget: int,
    frame: Callable[[Piece], int],
    size: Callable[[str], int],
) -> Packed:
    """Take what fits, the best first; what does not fit is passed over and the next is tried.

    A piece that goes on from one that was taken shares its frame, and what it repeats of it is free.
    When all were offered, what stands beside those that were taken is.

    Args:
        offers: Best first; one whose text was taken before is passed over.
        beside: Neighbours by chunk id.
        budget: How many tokens there are.
        frame: What a passage that begins with a piece takes beside its text.
        size: Tokens of a text.

    Example:
        >>> a, b = Piece(1, "d", 0, 0, 3, "abc"), Piece(2, "e", 0, 0, 2, "de")
        >>> pack([a, b], {}, budget=4, frame=lambda piece: 1, size=len)
        Packed(pieces=(Piece(chunk=1, document='d', seq=0, start=0, end=3, text='abc', cut=False),), costs=(4,))
    """
    bag = _Bag(budget, frame, size)
    for piece in offers:
        bag.offer(piece)
    for piece in list(bag.taken.values()):
        for neighbour in beside.get(piece.chunk, ()):
            bag.offer(neighbour)
    return Packed(tuple(bag.taken.values()), tuple(bag.costs))


@dataclass
class _Bag:
    """What was taken so far, and how many tokens are left."""

    left: int
    frame: Callable[[Piece], int]
    size: Callable[[str], int]
    taken: dict[int, Piece] = field(default_factory=dict)
    costs: list[int] = field(default_factory=list)
    texts: set[str] = field(default_factory=set)

    def offer(self, piece: Piece) -> None:
        """Take a piece if it fits and is not there."""
        if piece.chunk in self.taken or piece.text in self.texts:
            return
        before = [other for other in self.taken.values() if follows(other, piece)]
        after = [other for other in self.taken.values() if follows(piece, other)]
        start = max((other.end for other in before), default=piece.start)
        end = min((other.start for other in after), default=piece.end)
        news = piece.text[max(start - piece.start, 0) : max(end - piece.start, 0)]
        # Between two passages it makes one of them.
        frames = 1 - bool(before) - bool(after)
        cost = frames * self.frame(piece) + (self.size(news) if news else 0)
        if cost <= self.left:
            self.left -= cost
            self.taken[piece.chunk] = piece
            self.costs.append(cost)
            self.texts.add(piece.text)


def longest_fit(length: int, fits: Callable[[int], bool]) -> int:
    """How many characters of a text fit, asking about beginnings of it.

    Args:
        length: Of the text.
        fits: Whether that many characters do; what is shorter than one that fits does, too.

    Returns:
        0 to ``length``.

    Example:
        >>> longest_fit(1000, lambda characters: characters <= 321)
        321
    """
    low, high = 0, 1
    while high < length and fits(high):
        low, high = high, 2 * high
    high = min(high, length)
    if fits(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def arranged(runs: Sequence[tuple[Piece, ...]], order: ContextOrder) -> list[tuple[Piece, ...]]:
    """Put passages into the order in which they are read.

    Args:
        runs: Best first.
        order: ``rank``: as they are. ``edges``: the best first, the second last, and so on towards
            the middle, which models use least (Liu et al., "Lost in the Middle", TACL 2024,
            arXiv 2307.03172). ``document``: the passages of one document together and in its order,
            documents by their best passage.

    Example:
        >>> runs = [(Piece(number, "d", 9 - number, 0, 1, ""),) for number in range(1, 6)]
        >>> [run[0].chunk for run in arranged(runs, "edges")]
        [1, 3, 5, 4, 2]
    """
    if order == "edges":
        return [*runs[::2], *runs[1::2][::-1]]
    if order == "document":
        best: dict[str, int] = {}
        for place, run in enumerate(runs):
            best.setdefault(run[0].document, place)
        return sorted(runs, key=lambda run: (best[run[0].document], run[0].start))
    return list(runs)
